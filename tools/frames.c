/*
 * The table of frames.
 */
#include "frames.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

#ifdef GT_ZSTD
#include <zstd.h>

enum {
	HEAD = 8, /* of a frame to skip: its magic, and how long it is */
	FOOT = 9, /* how many frames, what an entry has, and another magic */
	CHECKSUMS = 0x80,
	RESERVED = 0x7c,
	CHUNK = 1 << 14,
};

static uint32_t number_at(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool read_at(int fd, void *to, size_t size, uint64_t at)
{
	size_t n = 0;

	while (n < size) {
		const ssize_t got = pread(fd, (char *)to + n, size - n, (off_t)(at + n));

		if (got <= 0) {
			return false;
		}
		n += (size_t)got;
	}
	return true;
}

/* Where the frames lie; false: they do not fill the file up to the table. */
static bool place(struct gt_frames *f, const uint8_t *entries, size_t entry, uint64_t table)
{
	uint64_t at = 0, gives = 0;

	for (size_t i = 0; i < f->count; i++) {
		const uint64_t size = number_at(entries + i * entry);

		f->frames[i] = (struct gt_frame_at){at, size, gives};
		at += size;
		gives += number_at(entries + i * entry + 4);
	}
	return at == table;
}

bool gt_frames_open(struct gt_frames *f, int fd)
{
	uint8_t foot[FOOT], head[HEAD], *all;
	struct stat st;
	uint64_t size, table, end;
	size_t entry;
	bool is;

	*f = (struct gt_frames){.fd = fd};
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < HEAD + FOOT) {
		return false;
	}
	end = (uint64_t)st.st_size;
	if (!read_at(fd, foot, FOOT, end - FOOT) || number_at(foot + 5) != 0x8f92eab1 ||
	    (foot[4] & RESERVED) != 0) {
		return false;
	}
	f->count = number_at(foot);
	entry = foot[4] & CHECKSUMS ? 12 : 8;
	size = HEAD + f->count * entry + FOOT;
	if (f->count == 0 || size > end) {
		return false;
	}
	table = end - size;
	if (!read_at(fd, head, HEAD, table) || number_at(head) != 0x184d2a5e ||
	    number_at(head + 4) != size - HEAD) {
		return false;
	}
	all = gt_alloc(size);
	f->frames = gt_alloc(f->count * sizeof(*f->frames));
	is = read_at(fd, all, size, table) && place(f, all + HEAD, entry, table);
	free(all);
	if (!is) {
		gt_frames_close(f);
	}
	return is;
}

void gt_frames_close(struct gt_frames *f)
{
	free(f->frames);
	*f = (struct gt_frames){.fd = -1};
}

size_t gt_frames_head(const struct gt_frames *f, size_t frame, void *to, size_t size)
{
	const struct gt_frame_at *at = &f->frames[frame];
	ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_outBuffer out = {to, size, 0};
	uint8_t *chunk = gt_alloc(CHUNK);
	uint64_t used = 0;
	size_t left = 1;

	while (context != NULL && left != 0 && out.pos < size && used < at->size) {
		const size_t n = (size_t)GT_MIN(at->size - used, (uint64_t)CHUNK);
		ZSTD_inBuffer in = {chunk, n, 0};

		if (!read_at(f->fd, chunk, n, at->at + used)) {
			break;
		}
		used += n;
		while (left != 0 && out.pos < size && in.pos < n) {
			left = ZSTD_decompressStream(context, &out, &in);
			if (ZSTD_isError(left)) {
				out.pos = 0;
				left = 0;
			}
		}
	}
	ZSTD_freeDCtx(context);
	free(chunk);
	return out.pos;
}
#else
bool gt_frames_open(struct gt_frames *f, int fd)
{
	*f = (struct gt_frames){.fd = fd};
	return false;
}

void gt_frames_close(struct gt_frames *f)
{
	(void)f;
}

size_t gt_frames_head(const struct gt_frames *f, size_t frame, void *to, size_t size)
{
	(void)f;
	(void)frame;
	(void)to;
	(void)size;
	return 0;
}
#endif
