/*
 * Compressed output. Format: RFC 8878; the table of frames: zstd's contrib/seekable_format,
 * zstd_seekable_compression_format.md 0.1.0.
 */
#include "zstd_out.h"

#include <errno.h>
#include <string.h>

#include "base/spec.h"
#include "base/sys.h"
#include "base/wire.h"

#include "thread.h"

/* From zstd.h: enums of its stable interface. */
enum { LEVEL = 100, WINDOW_LOG = 101, CHECKSUM = 201 };
enum operation { CONTINUE, FLUSH, END };

enum {
	WINDOW = 20,          /* log2; what a reader must keep */
	OUT = 128 << 10,      /* bytes that are gathered for a write */
	FRAMES_MAX = 1 << 19, /* that the table can have: traces of about 500 GB */
	FRAME_MAX = 1 << 30,  /* bytes in a frame, whose sizes have 32 bits in the table */
	BLOCK_MAX = 128 << 10,
	PARTS = 512,
	WAITING_FAST = 128,   /* buffers: some megabytes, a tenth of a second at level 1 */
	WAITING_STORE = 1024, /* that is too slow */
};

/* An entry of the table. */
struct frame {
	uint32_t bytes; /* in the file */
	uint32_t holds;
};

static struct {
	struct gt_zstd_library library;
	unsigned level; /* that is wanted; 0: off */
	unsigned now;   /* of the frames that begin; 0: stored */
	size_t memory_size;
	void *memory;
	void *context; /* in it; NULL: not begun since start or fork */
	struct frame *frames;
	uint32_t nframes; /* FRAMES_MAX + 1: too many, there will be no table */
	uint32_t marked;  /* of these, before the last mark */
	struct gt_zstd_out out;
	/* The frame that is open. */
	bool open;
	bool stored;
	uint64_t bytes, holds;
} z;

bool gt_zstd_on(void)
{
	return z.level != 0;
}

static bool set(int parameter, unsigned value)
{
	return !z.library.isError(z.library.CCtx_setParameter(z.context, parameter, (int)value));
}

void gt_zstd_begin(void)
{
	z.nframes = 1;
	z.frames[0] = (struct frame){GT_WIRE_ZSTD_HEADER_SIZE, GT_WIRE_HEADER_SIZE};
	z.open = false;
	z.now = z.level;
	/* From nothing: in a child of fork the advancer may have been at it. */
	z.context = z.library.initStaticCCtx(z.memory, z.memory_size);
	if (z.context && !(set(LEVEL, z.level) && set(WINDOW_LOG, WINDOW) && set(CHECKSUM, 1))) {
		z.context = NULL;
	}
}

/* Whether this libzstd does what we know of it, in the memory that it said it needs. */
static bool works(void)
{
	static const char text[] = GT_WIRE_HEADER;
	struct gt_zstd_in in = {text, sizeof(text), 0};
	struct gt_zstd_out out = z.out;
	size_t left;

	gt_zstd_begin();
	if (!z.context) {
		return false;
	}
	left = z.library.compressStream2(z.context, &out, &in, END);
	return !z.library.isError(left) && left == 0 && out.pos != 0;
}

int gt_zstd_use(const struct gt_zstd_library *library, unsigned level)
{
	const size_t frames = FRAMES_MAX * sizeof(struct frame);
	/* Enough for a level means for its own window, which below 3 is smaller than ours. */
	const size_t wants = library->estimateCStreamSize((int)GT_MAX(level, 3u));
	void *p;
	int r;

	if (library->isError(wants)) {
		return -ENOSYS;
	}
	z.memory_size = GT_ROUND_UP(wants, (size_t)GT_PAGE);
	r = gt_sys_map(&p, z.memory_size + frames + OUT);
	if (r < 0) {
		return r;
	}
	z.library = *library;
	z.memory = p;
	z.frames = (void *)((char *)p + z.memory_size);
	z.out = (struct gt_zstd_out){(char *)p + z.memory_size + frames, OUT, 0};
	z.level = level;
	if (!works()) {
		z.level = 0;
		gt_sys_unmap(p, z.memory_size + frames + OUT);
		return -ENOSYS;
	}
	return 0;
}

void gt_zstd_pace(uint32_t waiting)
{
	z.now = waiting >= WAITING_STORE ? 0 : waiting >= WAITING_FAST ? 1 : z.level;
}

/* --- Frames that are compressed --------------------------------------------------------------- */

static int put_out(int fd)
{
	int r = gt_sys_write_all(fd, z.out.data, z.out.pos);

	z.bytes += z.out.pos;
	z.out.pos = 0;
	return r;
}

/* Until there is nothing left of in; FLUSH, END: nor in the compressor. */
static int compress(int fd, struct gt_zstd_in *in, enum operation operation)
{
	size_t left;

	do {
		int r = z.out.pos == z.out.size ? put_out(fd) : 0;

		if (r < 0) {
			return r;
		}
		left = z.library.compressStream2(z.context, &z.out, in, (int)operation);
		if (z.library.isError(left)) {
			return -EIO;
		}
	} while (operation == CONTINUE ? in->pos < in->size : left != 0);
	return operation == CONTINUE ? 0 : put_out(fd);
}

static int write_compressed(int fd, const struct iovec *pieces, int n)
{
	struct gt_zstd_in none = {0};
	int r = 0;

	for (int i = 0; i < n && r == 0; i++) {
		struct gt_zstd_in in = {pieces[i].iov_base, pieces[i].iov_len, 0};

		r = compress(fd, &in, CONTINUE);
	}
	return r < 0 ? r : compress(fd, &none, FLUSH);
}

/* --- Frames that are stored ------------------------------------------------------------------- */

/* Magic number; no flags, so a window follows: of 128 KiB, as large as a block can be. */
static const uint8_t stored_head[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 0x38};
static const uint8_t stored_end[] = {1, 0, 0}; /* the last block: it holds nothing */

/* Not on the stack: it may be a small one. */
static struct {
	struct iovec v[PARTS];
	uint8_t heads[PARTS][3];
	int n;
} parts;

static int put_parts(int fd)
{
	int n = parts.n;

	parts.n = 0;
	return n ? gt_sys_writev_all(fd, parts.v, n) : 0;
}

static int add_part(int fd, const void *from, size_t bytes)
{
	int r = parts.n == PARTS ? put_parts(fd) : 0;

	parts.v[parts.n++] = (struct iovec){(void *)(uintptr_t)from, bytes};
	z.bytes += bytes;
	return r;
}

/* A block is its head (last, kind, size) and its bytes. */
static int add_block(int fd, const uint8_t *from, size_t bytes)
{
	uint8_t *head;
	int r = parts.n + 2 > PARTS ? put_parts(fd) : 0;

	head = parts.heads[parts.n];
	head[0] = (uint8_t)(bytes << 3);
	head[1] = (uint8_t)(bytes >> 5);
	head[2] = (uint8_t)(bytes >> 13);
	add_part(fd, head, sizeof(parts.heads[0]));
	add_part(fd, from, bytes);
	return r;
}

static int write_stored(int fd, const struct iovec *pieces, int n)
{
	int r = 0;

	for (int i = 0; i < n && r == 0; i++) {
		const uint8_t *from = pieces[i].iov_base;

		for (size_t left = pieces[i].iov_len; left && r == 0;) {
			const size_t now = GT_MIN(left, (size_t)BLOCK_MAX);

			r = add_block(fd, from, now);
			from += now;
			left -= now;
		}
	}
	return r < 0 ? r : put_parts(fd);
}

/* --- All of it -------------------------------------------------------------------------------- */

static void begin_frame(int fd)
{
	z.open = true;
	z.stored = !z.context || !gt_tls.advancer || !z.now || !set(LEVEL, z.now);
	z.bytes = 0;
	z.holds = 0;
	z.out.pos = 0;
	parts.n = 0;
	if (z.stored) {
		add_part(fd, stored_head, sizeof(stored_head));
	}
}

static void note_frame(uint64_t bytes, uint64_t holds)
{
	if (z.nframes < FRAMES_MAX) {
		z.frames[z.nframes] = (struct frame){(uint32_t)bytes, (uint32_t)holds};
	}
	z.nframes = GT_MIN(z.nframes + 1, (uint32_t)FRAMES_MAX + 1);
}

static int end_frame(int fd)
{
	struct gt_zstd_in none = {0};
	int r;

	if (z.stored) {
		add_part(fd, stored_end, sizeof(stored_end));
		r = put_parts(fd);
	} else {
		r = compress(fd, &none, END);
	}
	z.open = false;
	note_frame(z.bytes, z.holds);
	return r;
}

int gt_zstd_write(int fd, const struct iovec *pieces, int n, uint64_t *bytes)
{
	uint64_t before;
	int r;

	if (!z.open) {
		begin_frame(fd);
		before = 0;
	} else {
		before = z.bytes;
	}
	for (int i = 0; i < n; i++) {
		z.holds += pieces[i].iov_len;
	}
	r = (z.stored ? write_stored : write_compressed)(fd, pieces, n);
	if (r == 0 && z.holds > FRAME_MAX) {
		r = end_frame(fd);
	}
	*bytes += z.bytes - before;
	return r;
}

int gt_zstd_end(int fd, uint64_t *bytes)
{
	const uint64_t before = z.bytes;
	int r = 0;

	if (z.open) {
		r = end_frame(fd);
		*bytes += z.bytes - before;
	}
	return r;
}

int gt_zstd_mark(int fd, const void *batch, size_t n, uint64_t *bytes)
{
	static const uint8_t end = GT_EV_END_OF_GENERATION;
	const uint8_t holds = (uint8_t)(n + sizeof(end));
	/* A head that says how many bytes it holds, and one last block of as many, stored. */
	const uint8_t head[] = {
		0x28, 0xb5, 0x2f, 0xfd, 0x20, holds, (uint8_t)(holds << 3 | 1), holds >> 5, 0};
	struct iovec v[] = {{(void *)(uintptr_t)head, sizeof(head)},
			    {(void *)(uintptr_t)batch, n},
			    {(void *)(uintptr_t)&end, sizeof(end)}};

	const uint32_t before = z.nframes;
	int r = gt_sys_writev_all(fd, v, GT_LEN(v));

	note_frame(sizeof(head) + holds, holds);
	*bytes += sizeof(head) + holds;
	if (r == 0) {
		z.marked = before;
	}
	return r;
}

void gt_zstd_unmark(void)
{
	z.open = false;
	z.nframes = z.marked;
}

/* Little-endian, as all that gtrace runs on. */
int gt_zstd_table(int fd, uint64_t *bytes)
{
	const uint32_t size = z.nframes * (uint32_t)sizeof(struct frame);
	const uint32_t head[] = {0x184d2a5e, size + 9};
	uint8_t foot[9] = {0};
	const uint32_t magic = 0x8f92eab1;
	struct iovec v[] = {
		{(void *)(uintptr_t)head, sizeof(head)}, {z.frames, size}, {foot, sizeof(foot)}};

	if (z.nframes > FRAMES_MAX) {
		return 0;
	}
	memcpy(foot, &z.nframes, sizeof(z.nframes));
	memcpy(foot + 5, &magic, sizeof(magic));
	*bytes += sizeof(head) + size + sizeof(foot);
	return gt_sys_writev_all(fd, v, GT_LEN(v));
}
