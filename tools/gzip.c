/*
 * The compressor: zlib's.
 */
#include "gzip.h"

#ifdef GT_ZLIB

#include <stdlib.h>
#include <zlib.h>

#include "error.h"

enum {
	WINDOW = 15 + 16, /* the largest window; + 16: with the head and the end of a gzip file */
	MEMORY = 8,       /* zlib's default */
	PIECE = 1 << 16,
};

static voidpf memory_get(voidpf none, uInt n, uInt size)
{
	(void)none;
	return gt_alloc((size_t)n * size);
}

static void memory_put(voidpf none, voidpf memory)
{
	(void)none;
	free(memory);
}

/* Gives all of the input, or its end, to zlib, and its output to out. */
static void deflate_to(z_stream *z, int flush, FILE *out)
{
	uint8_t piece[PIECE];

	do {
		z->next_out = piece;
		z->avail_out = PIECE;
		(void)deflate(z, flush);
		fwrite(piece, 1, PIECE - z->avail_out, out);
	} while (z->avail_out == 0);
}

void gt_gzip_write(const void *data, size_t size, FILE *out)
{
	const uint8_t *at = data;
	z_stream z = {.zalloc = memory_get, .zfree = memory_put};

	/* It can only fail for memory, of which there is some or an end. */
	(void)deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW, MEMORY,
			   Z_DEFAULT_STRATEGY);
	while (size > 0) {
		const size_t n = GT_MIN(size, UINT32_MAX);

		z.next_in = (uint8_t *)(uintptr_t)at; /* zlib does not write there */
		z.avail_in = (uInt)n;
		deflate_to(&z, Z_NO_FLUSH, out);
		at += n;
		size -= n;
	}
	deflate_to(&z, Z_FINISH, out);
	(void)deflateEnd(&z);
}

#else

void gt_gzip_write(const void *data, size_t size, FILE *out)
{
	fwrite(data, 1, size, out);
}

#endif
