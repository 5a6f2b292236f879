/*
 * The bytes of a trace's file.
 */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"

#ifdef GT_ZSTD
#include <zstd.h>
#endif

enum { MAGIC = 4, FRAME_HEAD = 18, CHUNK = 1 << 17 };

enum state {
	STATE_NEW, /* whether it is packed is not known yet */
	STATE_PLAIN,
	STATE_PACKED,
	STATE_OVER, /* the same, and no more can be unpacked */
};

struct gt_input {
	enum state state;
	int fd; /* -1: no more */
	const uint8_t *data;
	size_t size;     /* of what is there and not used */
	uint64_t at;     /* of data, in the file */
	uint64_t gives;  /* bytes that were unpacked */
	uint8_t *buffer; /* for what fd gives */
#ifdef GT_ZSTD
	ZSTD_DCtx *context;
#endif
	bool inside;       /* a frame has begun and has not ended */
	uint64_t promised; /* bytes that it says it has; or one of zstd's words for not known */
	uint64_t given;    /* bytes that came of it */
};

bool gt_input_is_packed(const void *head, size_t size)
{
	const uint8_t *p = head;

	/* Or a frame to skip, of which there are 16 kinds. */
	return size >= MAGIC && (memcmp(p, GT_WIRE_ZSTD_MAGIC, MAGIC) == 0 ||
				 ((p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0));
}

bool gt_input_file_is_packed(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint8_t head[MAGIC];
	bool is = false;

	if (fd >= 0) {
		is = pread(fd, head, MAGIC, 0) == MAGIC && gt_input_is_packed(head, MAGIC);
		close(fd);
	}
	return is;
}

struct gt_input *gt_input_open(int fd, const void *data, size_t size)
{
	struct gt_input *in = gt_alloc(sizeof(*in));

	in->fd = fd;
	in->data = data;
	in->size = size;
	return in;
}

bool gt_input_unpacks(const struct gt_input *in)
{
	return in->state == STATE_PACKED || in->state == STATE_OVER;
}

uint64_t gt_input_at(const struct gt_input *in)
{
	return in->at;
}

int gt_input_file(const struct gt_input *in)
{
	return in->state == STATE_PACKED ? in->fd : -1;
}

void gt_input_go(struct gt_input *in, uint64_t at, uint64_t gives)
{
	/* Where that fails, so does what reads on. */
	lseek(in->fd, (off_t)at, SEEK_SET);
	in->size = 0;
	in->at = at;
	in->gives = gives;
	in->inside = false;
#ifdef GT_ZSTD
	ZSTD_DCtx_reset(in->context, ZSTD_reset_session_only);
#endif
}

void gt_input_close(struct gt_input *in)
{
	if (in == NULL) {
		return;
	}
	if (in->fd >= 0) {
		close(in->fd);
	}
#ifdef GT_ZSTD
	ZSTD_freeDCtx(in->context);
#endif
	free(in->buffer);
	free(in);
}

static ssize_t failed(struct gt_input *in, struct gt_error *e)
{
	return gt_error_set(e, GT_ERROR_READ, in->gives, GT_NOWHERE, GT_NOWHERE, "cannot read: %s",
			    strerror(errno));
}

static ssize_t read_some(int fd, void *to, size_t size)
{
	ssize_t n;

	do {
		n = read(fd, to, size);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* Wants `least` unused bytes at data; fewer are there at the end. 0, or -1 with *e. */
static int fill(struct gt_input *in, size_t least, struct gt_error *e)
{
	while (in->size < least && in->fd >= 0) {
		ssize_t n;

		if (in->buffer == NULL) {
			in->buffer = gt_alloc(CHUNK);
		}
		if (in->size > 0) {
			memmove(in->buffer, in->data, in->size);
		}
		in->data = in->buffer;
		n = read_some(in->fd, in->buffer + in->size, CHUNK - in->size);
		if (n < 0) {
			return (int)failed(in, e);
		}
		if (n == 0) {
			close(in->fd);
			in->fd = -1;
		}
		in->size += (size_t)n;
	}
	return 0;
}

static void use(struct gt_input *in, size_t n)
{
	in->data += n;
	in->size -= n;
	in->at += n;
}

static ssize_t read_plain(struct gt_input *in, void *to, size_t size, struct gt_error *e)
{
	size_t n = GT_MIN(size, in->size);

	if (n == 0 && in->fd >= 0) {
		const ssize_t got = read_some(in->fd, to, size);

		if (got < 0) {
			return failed(in, e);
		}
		in->at += (uint64_t)got;
		in->gives += (uint64_t)got;
		return got;
	}
	memcpy(to, in->data, n);
	use(in, n);
	in->gives += n;
	return (ssize_t)n;
}

#ifdef GT_ZSTD
static int damaged(struct gt_input *in, size_t beyond, const char *says, struct gt_error *e)
{
	in->state = STATE_OVER;
	return gt_error_set(e, GT_ERROR_INVALID, in->gives, GT_NOWHERE, GT_NOWHERE,
			    "the compressed file is damaged, near its byte %" PRIu64 ": %s",
			    in->at + beyond, says);
}

/*
 * Wants bytes to unpack, and looks at the head of a frame: > 0, 0 at the end between frames, -1.
 * zstd itself compares a frame's size with what came of it only where all of it fits at once.
 */
static int look(struct gt_input *in, struct gt_error *e)
{
	if (fill(in, in->inside ? 1 : FRAME_HEAD, e) < 0) {
		return -1;
	}
	if (!in->inside) {
		in->promised = ZSTD_getFrameContentSize(in->data, in->size);
		in->given = 0;
	}
	return in->size > 0 || in->inside;
}

/* The next bytes of a frame: 0, or -1 with *e. */
static int unpack_some(struct gt_input *in, ZSTD_outBuffer *out, struct gt_error *e)
{
	ZSTD_inBuffer from = {in->data, in->size, 0};
	const size_t left = ZSTD_decompressStream(in->context, out, &from);
	char says[100];

	if (ZSTD_isError(left)) {
		snprintf(says, sizeof(says), "zstd says: %s", ZSTD_getErrorName(left));
		return damaged(in, from.pos, says, e);
	}
	if (in->size == 0 && out->pos == 0) {
		in->state = STATE_OVER;
		return gt_error_set(e, GT_ERROR_TRUNCATED, in->gives, GT_NOWHERE, GT_NOWHERE,
				    "the compressed file is cut off inside a frame of zstd, after "
				    "its %" PRIu64 " bytes",
				    in->at);
	}
	in->inside = left != 0;
	in->given += out->pos;
	if (!in->inside && in->promised < ZSTD_CONTENTSIZE_ERROR && in->given != in->promised) {
		snprintf(says, sizeof(says),
			 "a frame has %" PRIu64 " bytes, and says that it has %" PRIu64, in->given,
			 in->promised);
		return damaged(in, from.pos, says, e);
	}
	use(in, from.pos);
	return 0;
}

static ssize_t unpack(struct gt_input *in, void *to, size_t size, struct gt_error *e)
{
	ZSTD_outBuffer out = {to, size, 0};

	if (in->context == NULL && (in->context = ZSTD_createDCtx()) == NULL) {
		errno = ENOMEM;
		return failed(in, e);
	}
	while (out.pos == 0) {
		const int n = look(in, e);

		if (n <= 0) {
			return n;
		}
		if (unpack_some(in, &out, e) < 0) {
			return -1;
		}
	}
	in->gives += out.pos;
	return (ssize_t)out.pos;
}
#else
static ssize_t unpack(struct gt_input *in, void *to, size_t size, struct gt_error *e)
{
	(void)to;
	(void)size;
	in->state = STATE_OVER;
	errno = ENOSYS;
	return gt_error_set(e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
			    "it is compressed, and this gtrace was built without libzstd; zstd -d "
			    "makes a plain trace of it");
}
#endif

ssize_t gt_input_read(struct gt_input *in, void *to, size_t size, struct gt_error *e)
{
	if (in->state == STATE_NEW) {
		if (fill(in, MAGIC, e) < 0) {
			return -1;
		}
		in->state = gt_input_is_packed(in->data, in->size) ? STATE_PACKED : STATE_PLAIN;
	}
	switch (in->state) {
	case STATE_PACKED:
		return unpack(in, to, size, e);
	case STATE_PLAIN:
		return read_plain(in, to, size, e);
	default:
		return 0;
	}
}

/* --- As a stream ------------------------------------------------------------------------------ */

struct stream {
	struct gt_input *in;
	struct gt_error *e;
};

static ssize_t stream_read(void *cookie, char *to, size_t size)
{
	const struct stream *s = cookie;
	const ssize_t n = gt_input_read(s->in, to, size, s->e);

	if (n < 0) {
		errno = EIO;
	}
	return n;
}

static int stream_close(void *cookie)
{
	struct stream *s = cookie;

	gt_input_close(s->in);
	free(s);
	return 0;
}

FILE *gt_input_stream(struct gt_input *in, struct gt_error *e)
{
	struct stream *s = gt_alloc(sizeof(*s));
	FILE *file;

	*s = (struct stream){in, e};
	file = fopencookie(s, "r",
			   (cookie_io_functions_t){.read = stream_read, .close = stream_close});
	if (file == NULL) {
		stream_close(s);
	}
	return file;
}
