/*
 * Compressed output: pieces of the trace as frames of zstd (docs/adr/0013).
 *
 * Used only by writer.c, with gt_trace.x_advance held. The frames that the advancer writes are
 * compressed; those of any other thread, which may run on a small stack and inside a hook, are
 * blocks stored as they are, for which no library is needed.
 */
#pragma once

#include <sys/uio.h>

#include "base/util.h"

/* Of libzstd, whose names are these with ZSTD_ before them; types as in its zstd.h. */
#define GT_ZSTD_FUNCTIONS(F)                                                              \
	F(size_t, estimateCStreamSize, (int level))                                       \
	F(void *, initStaticCCtx, (void *memory, size_t bytes))                           \
	F(size_t, CCtx_setParameter, (void *context, int parameter, int value))           \
	F(size_t, compressStream2,                                                        \
	  (void *context, struct gt_zstd_out *out, struct gt_zstd_in *in, int operation)) \
	F(unsigned, isError, (size_t code))

struct gt_zstd_in {
	const void *data;
	size_t size;
	size_t pos;
};

struct gt_zstd_out {
	void *data;
	size_t size;
	size_t pos;
};

struct gt_zstd_library {
#define GT_ZSTD_FUNCTION(type, name, args) type(*name) args;
	GT_ZSTD_FUNCTIONS(GT_ZSTD_FUNCTION)
#undef GT_ZSTD_FUNCTION
};

enum { GT_ZSTD_LEVEL_MAX = 19 };

/*
 * Traces of this process and its children are compressed from now on. Once, in the constructor; all
 * memory is taken here. 0 or -errno; -ENOSYS: the library does not do what we know of it.
 */
int gt_zstd_use(const struct gt_zstd_library *library, unsigned level);
/* Whether they are. */
bool gt_zstd_on(void);
/* A new file, which begins with GT_WIRE_ZSTD_HEADER. */
void gt_zstd_begin(void);
/*
 * So many sealed buffers wait to be written: the frames that begin from now on are compressed less,
 * or not at all, where these are more than the wanted level keeps up with. For buffers are what
 * recording stops without.
 */
void gt_zstd_pace(uint32_t waiting);
/*
 * Appends pieces, in the frame that is open or in a new one; all of them are in the file when it
 * returns, and a reader can have them. Their memory may change then. *bytes grows by what is
 * written. 0 or -errno; after an error nothing more can be written.
 */
int gt_zstd_write(int fd, const struct iovec *pieces, int n, uint64_t *bytes);
/* Ends the frame that is open, if there is one. */
int gt_zstd_end(int fd, uint64_t *bytes);
/*
 * The mark of a generation's end, in a frame of its own, so that it can be taken away again; before
 * it in that frame a batch, of less than 200 bytes, or none (n is 0). No frame is open.
 */
int gt_zstd_mark(int fd, const void *batch, size_t n, uint64_t *bytes);
/* After an error, too: the file was cut back to where the last mark began. */
void gt_zstd_unmark(void);
/* The table of all frames, if these are not too many: the end of the file. */
int gt_zstd_table(int fd, uint64_t *bytes);
