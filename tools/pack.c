/*
 * Traces that are written compressed.
 */
#include "pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/spec.h"
#include "base/wire.h"

#include "error.h"

unsigned gt_pack_level(const char *text)
{
	char *end;
	unsigned long level;

	if (text == NULL) {
		return GT_PACK_USUAL;
	}
	level = strtoul(text, &end, 10);
	return *text >= '1' && *text <= '9' && *end == '\0' && level <= GT_PACK_MAX
		       ? (unsigned)level
		       : 0;
}

bool gt_pack_is_named(const char *path)
{
	const size_t n = strlen(path);

	return n > 4 && strcmp(path + n - 4, ".zst") == 0;
}

#ifdef GT_ZSTD
#include <zstd.h>

/*
 * What comes next in the plain trace. Frames end between generations; before Go 1.26, whose
 * generations have no end byte, and where something is no trace, between batches or anywhere.
 */
enum next {
	NEXT_BATCH,
	NEXT_EXPERIMENT, /* the byte behind ExperimentalBatch */
	NEXT_NUMBERS,    /* of the head of a batch */
	NEXT_PAYLOAD,
	NEXT_ANYTHING,
};

enum { FRAME = 1 << 20, FRAME_MAX = 1 << 30 };

struct frame {
	uint32_t bytes, holds;
};

struct pack {
	FILE *below;
	ZSTD_CCtx *context;
	int error; /* errno of the first that failed */
	uint8_t head[GT_WIRE_HEADER_SIZE];
	size_t nhead;
	enum next next;
	unsigned numbers; /* still to come in the head of the batch */
	unsigned shift;
	uint64_t number;
	bool marked;           /* generations have end bytes */
	uint64_t bytes, holds; /* of the frame that is open */
	struct frame *frames;
	size_t nframes, frames_cap;
	uint8_t out[1 << 17];
};

static void put(struct pack *p, const void *from, size_t size)
{
	if (p->error == 0 && size > 0 && fwrite(from, 1, size, p->below) != size) {
		p->error = errno != 0 ? errno : EIO;
	}
	p->bytes += size;
}

static void compress(struct pack *p, const void *from, size_t size, ZSTD_EndDirective how)
{
	ZSTD_inBuffer in = {from, size, 0};
	size_t left;

	p->holds += size;
	do {
		ZSTD_outBuffer out = {p->out, sizeof(p->out), 0};

		left = ZSTD_compressStream2(p->context, &out, &in, how);
		if (ZSTD_isError(left)) {
			p->error = p->error ? p->error : ENOMEM;
			return;
		}
		put(p, p->out, out.pos);
	} while (how == ZSTD_e_end ? left != 0 : in.pos < in.size);
}

static void note_frame(struct pack *p)
{
	p->frames = gt_grow(p->frames, p->nframes, &p->frames_cap, sizeof(*p->frames));
	p->frames[p->nframes++] = (struct frame){(uint32_t)p->bytes, (uint32_t)p->holds};
	p->bytes = p->holds = 0;
}

static void end_frame(struct pack *p)
{
	if (p->holds > 0) {
		compress(p, NULL, 0, ZSTD_e_end);
		note_frame(p);
	}
}

/* Between batches. */
static void may_end(struct pack *p, bool generation)
{
	if (generation || p->holds >= (p->marked ? FRAME_MAX : FRAME)) {
		end_frame(p);
	}
}

/* Steps over a byte of a batch's head, or what is no batch: true if a generation ends with it. */
static bool step(struct pack *p, uint8_t byte)
{
	switch (p->next) {
	case NEXT_BATCH:
		if (byte == GT_EV_END_OF_GENERATION && p->marked) {
			return true;
		}
		p->numbers = 4; /* generation, M, time, size */
		p->number = p->shift = 0;
		p->next = byte == GT_EV_EVENT_BATCH          ? NEXT_NUMBERS
			  : byte == GT_EV_EXPERIMENTAL_BATCH ? NEXT_EXPERIMENT
							     : NEXT_ANYTHING;
		return false;
	case NEXT_EXPERIMENT:
		p->next = NEXT_NUMBERS;
		return false;
	default:
		p->number |= p->shift < 64 ? (uint64_t)(byte & 0x7f) << p->shift : 0;
		p->shift += 7;
		if (byte < 0x80 && --p->numbers > 0) {
			p->number = p->shift = 0;
		} else if (byte < 0x80) {
			p->next = p->number > 0 ? NEXT_PAYLOAD : NEXT_BATCH;
		}
		return false;
	}
}

static void add(struct pack *p, const uint8_t *from, size_t size)
{
	size_t begin = 0, at = 0; /* from begin on nothing has been compressed */

	while (at < size) {
		bool end = false;

		if (p->next == NEXT_PAYLOAD) {
			const size_t n = (size_t)GT_MIN((uint64_t)(size - at), p->number);

			at += n;
			p->number -= n;
			p->next = p->number > 0 ? NEXT_PAYLOAD : NEXT_BATCH;
		} else if (p->next == NEXT_ANYTHING) {
			at = size;
		} else {
			end = step(p, from[at++]);
		}
		if (end || (p->next == NEXT_BATCH && p->holds + at - begin >= FRAME)) {
			compress(p, from + begin, at - begin, ZSTD_e_continue);
			begin = at;
			may_end(p, end);
		}
	}
	compress(p, from + begin, size - begin, ZSTD_e_continue);
	if (p->next == NEXT_ANYTHING) {
		may_end(p, false);
	}
}

/* The header of the trace as the frame that all begin with. */
static void put_head(struct pack *p)
{
	p->marked = memcmp(p->head, GT_WIRE_HEADER, GT_WIRE_HEADER_SIZE) == 0;
	put(p, GT_WIRE_ZSTD_FRAME, sizeof(GT_WIRE_ZSTD_FRAME) - 1);
	put(p, p->head, GT_WIRE_HEADER_SIZE);
	p->holds = GT_WIRE_HEADER_SIZE;
	note_frame(p);
}

static ssize_t pack_write(void *cookie, const char *from, size_t size)
{
	struct pack *p = cookie;
	size_t n = 0;

	if (p->nhead < GT_WIRE_HEADER_SIZE) {
		n = GT_MIN(size, GT_WIRE_HEADER_SIZE - p->nhead);
		memcpy(p->head + p->nhead, from, n);
		p->nhead += n;
		if (p->nhead == GT_WIRE_HEADER_SIZE) {
			put_head(p);
		}
	}
	if (n < size) {
		add(p, (const uint8_t *)from + n, size - n);
	}
	errno = p->error;
	return p->error ? 0 : (ssize_t)size; /* 0 is an error here: fopencookie(3) */
}

static void put_number(struct pack *p, uint32_t v)
{
	const uint8_t bytes[] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
				 (uint8_t)(v >> 24)};

	put(p, bytes, sizeof(bytes));
}

static void put_table(struct pack *p)
{
	put_number(p, 0x184d2a5e); /* a frame to skip */
	put_number(p, (uint32_t)(p->nframes * 8 + 9));
	for (size_t i = 0; i < p->nframes; i++) {
		put_number(p, p->frames[i].bytes);
		put_number(p, p->frames[i].holds);
	}
	put_number(p, (uint32_t)p->nframes);
	put(p, "", 1); /* entries without sums */
	put_number(p, 0x8f92eab1);
}

static int pack_close(void *cookie)
{
	struct pack *p = cookie;
	int error;

	if (p->nhead < GT_WIRE_HEADER_SIZE) {
		compress(p, p->head, p->nhead, ZSTD_e_continue);
	}
	end_frame(p);
	put_table(p);
	error = p->error;
	ZSTD_freeCCtx(p->context);
	free(p->frames);
	free(p);
	errno = error;
	return error ? -1 : 0;
}

FILE *gt_pack_open(FILE *below, unsigned level)
{
	struct pack *p = gt_alloc(sizeof(*p));
	FILE *file = NULL;

	p->below = below;
	p->context = ZSTD_createCCtx();
	if (p->context != NULL) {
		ZSTD_CCtx_setParameter(p->context, ZSTD_c_compressionLevel, (int)level);
		ZSTD_CCtx_setParameter(p->context, ZSTD_c_checksumFlag, 1);
		file = fopencookie(
			p, "w", (cookie_io_functions_t){.write = pack_write, .close = pack_close});
	}
	if (file == NULL) {
		ZSTD_freeCCtx(p->context);
		free(p);
		errno = ENOMEM;
	}
	return file;
}
#else
FILE *gt_pack_open(FILE *below, unsigned level)
{
	(void)below;
	(void)level;
	errno = ENOSYS;
	return NULL;
}
#endif

int gt_pack_close(FILE *file)
{
	const bool bad = ferror(file);
	const int error = bad && errno != 0 ? errno : EIO;

	/* What is left in stdio's buffer may fail as well, and closes all the same. */
	if (fclose(file) != 0) {
		return -1;
	}
	errno = error;
	return bad ? -1 : 0;
}
