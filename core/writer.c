/*
 * The output file.
 */
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "base/spec.h"
#include "base/sys.h"
#include "base/varint.h"
#include "base/wire.h"

#include "buf.h"
#include "newfile.h"
#include "shm.h"
#include "trace.h"
#include "zstd_out.h"

enum { PIECES = 256 };

static const uint8_t end_mark = GT_EV_END_OF_GENERATION;

/* All under gt_trace.x_advance. */
static struct {
	int fd;
	bool keep;
	bool open;
	int error;
	uint64_t bytes;
	uint64_t mark; /* where the last end of a generation is marked */
	int npieces;
	struct iovec pieces[PIECES];
	struct gt_buf *done; /* buffers whose bytes are among the pieces */
} out;

/* Whether path is a regular file that is empty or begins as a trace does. */
static bool is_trace(const char *path)
{
	struct stat st;
	char head[GT_WIRE_ZSTD_HEADER_SIZE];
	int fd = gt_sys_open(path, O_RDONLY | O_NONBLOCK, 0);
	ssize_t n;
	bool yes;

	if (fd < 0) {
		return false;
	}
	yes = gt_sys_fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	      (st.st_size == 0 || ((n = gt_sys_read(fd, head, sizeof(head))) > 0 &&
				   gt_wire_is_trace(head, (size_t)n)));
	gt_sys_close(fd);
	return yes;
}

static size_t header(const char **bytes)
{
	*bytes = gt_zstd_on() ? GT_WIRE_ZSTD_HEADER : GT_WIRE_HEADER;
	return gt_zstd_on() ? GT_WIRE_ZSTD_HEADER_SIZE : GT_WIRE_HEADER_SIZE;
}

/* A file with the header, or none. */
static int create(const char *path)
{
	const char *head;
	const size_t n = header(&head);
	int fd = gt_newfile_open(path, 0644);
	int r = fd;

	if (fd >= 0) {
		r = gt_sys_write_all(fd, head, n);
		r = r < 0 ? r : gt_newfile_name(fd, path);
		gt_sys_close(fd);
	}
	if (r >= 0 || r == -EEXIST) {
		return r;
	}
	/* A file system without nameless files, no /proc, or no file at all to be had. */
	fd = gt_sys_open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0) {
		return fd;
	}
	r = gt_sys_write_all(fd, head, n);
	gt_sys_close(fd);
	if (r < 0) {
		gt_sys_unlink(path);
	}
	return r;
}

int gt_writer_create(const char *path, bool old)
{
	const char *head;
	int r = create(path);

	if (r == -EEXIST && old && is_trace(path)) {
		gt_sys_unlink(path);
		r = create(path);
	}
	if (r < 0) {
		return r;
	}
	out.open = false;
	out.error = 0;
	out.bytes = header(&head);
	gt_store_relaxed(&gt_trace->head.written, out.bytes);
	if (gt_zstd_on()) {
		gt_zstd_begin();
	}
	return 0;
}

/* Whether the file is still what we left. */
static int check_unchanged(void)
{
	struct stat st;
	int r = gt_sys_fstat(out.fd, &st);

	if (r < 0) {
		return r;
	}
	if (st.st_nlink == 0) {
		return -ENOENT;
	}
	return (uint64_t)st.st_size == out.bytes ? 0 : -ESTALE;
}

int gt_writer_begin(bool keep)
{
	out.error = 0;
	out.npieces = 0;
	out.done = NULL;
	if (!out.open || out.keep != keep) {
		/* A descriptor of the advancer's table means nothing in another thread's. */
		out.fd = gt_sys_open(gt_trace->path, O_WRONLY | O_APPEND | O_NOFOLLOW, 0);
		if (out.fd < 0) {
			out.open = false;
			out.error = out.fd;
			return out.fd;
		}
		out.open = true;
		out.keep = keep;
	}
	if (gt_zstd_on()) {
		gt_zstd_pace(gt_load_relaxed(&gt_trace->full_count[0]) +
			     gt_load_relaxed(&gt_trace->full_count[1]));
	}
	out.error = check_unchanged();
	return out.error;
}

void gt_writer_put(const void *from, size_t bytes)
{
	if (out.npieces == PIECES) {
		gt_writer_flush();
	}
	out.pieces[out.npieces++] = (struct iovec){(void *)(uintptr_t)from, bytes};
}

void gt_writer_put_buf(struct gt_buf *b)
{
	/* Acquire: partner is gt_release; the bytes below the length are whole. */
	uint64_t tail = gt_load_acquire(&b->tail);
	uint32_t events = gt_tail_events(tail);
	uint32_t facts = gt_tail_facts(tail);

	if (out.npieces + 2 > PIECES) {
		gt_writer_flush();
	}
	if (b->packed_len) {
		gt_writer_put(b->events, b->packed_len);
	} else if (events) {
		uint8_t *head = gt_wire_batch_head(b->events, 0, b->gen, b->m, b->base, events);

		gt_writer_put(head, (size_t)(b->events - head) + events);
	}
	if (facts) {
		uint8_t *head = gt_wire_batch_head(b->facts, GT_FACT_EXPERIMENT, b->gen, b->m,
						   b->base, facts);

		gt_writer_put(head, (size_t)(b->facts - head) + facts);
	}
	gt_store_relaxed(&b->next, out.done ? gt_ptr_ref(out.done) : 0);
	out.done = b;
}

/* Beyond RLIMIT_FSIZE the kernel also sends a signal; blocked here, and ours. */
static int checked(int error)
{
	if (error == -EFBIG) {
		gt_sys_discard_signal(SIGXFSZ);
	}
	return error;
}

static int write_plain(void)
{
	uint64_t bytes = 0;

	for (int i = 0; i < out.npieces; i++) {
		bytes += out.pieces[i].iov_len;
	}
	out.bytes += bytes;
	return gt_sys_writev_all(out.fd, out.pieces, out.npieces);
}

int gt_writer_flush(void)
{
	if (out.npieces && !out.error && out.open) {
		out.error = checked(
			gt_zstd_on() ? gt_zstd_write(out.fd, out.pieces, out.npieces, &out.bytes)
				     : write_plain());
	}
	out.npieces = 0;
	while (out.done) {
		struct gt_buf *b = out.done;

		out.done = gt_buf_next(b);
		gt_buf_free(b);
	}
	return out.error;
}

int gt_writer_sync(void)
{
	if (gt_writer_flush() == 0 && gt_zstd_on() && out.open) {
		out.error = checked(gt_zstd_end(out.fd, &out.bytes));
	}
	return out.error;
}

static int mark_zstd(int fd, const void *batch, size_t n, bool last)
{
	int r = checked(gt_zstd_mark(fd, batch, n, &out.bytes));

	if (r == 0 && last) {
		uint64_t before = out.bytes;

		/* A file without the table is as good. */
		if (checked(gt_zstd_table(fd, &out.bytes)) < 0) {
			out.bytes = before;
			r = gt_sys_ftruncate(fd, (off_t)before);
		}
	}
	return r;
}

int gt_writer_end_generation(bool last)
{
	uint64_t mark;

	if (gt_zstd_on()) {
		gt_writer_sync();
		mark = out.bytes;
		if (!out.error && out.open) {
			out.error = mark_zstd(out.fd, NULL, 0, last);
		}
	} else {
		gt_writer_put(&end_mark, sizeof(end_mark));
		gt_writer_flush();
		mark = out.bytes - sizeof(end_mark);
	}
	if (!out.error) {
		out.mark = mark;
	}
	return out.error;
}

uint64_t gt_writer_bytes(void)
{
	return out.bytes;
}

void gt_writer_end(void)
{
	if (out.open && !out.keep) {
		gt_sys_close(out.fd);
		out.open = false;
	}
}

void gt_writer_close(void)
{
	if (out.open) {
		gt_sys_close(out.fd);
		out.open = false;
	}
}

void gt_writer_cut(uint64_t bytes)
{
	struct stat st;
	int fd;

	/* What somebody has put there is his. */
	if (gt_writer_lost()) {
		return;
	}
	fd = out.open ? out.fd : gt_sys_open(gt_trace->path, O_WRONLY | O_NOFOLLOW, 0);
	/* Never made longer: somebody may have cut it shorter. */
	if (fd >= 0 && gt_sys_fstat(fd, &st) == 0 && (uint64_t)st.st_size > bytes) {
		gt_sys_ftruncate(fd, (off_t)bytes);
	}
	out.bytes = bytes;
	if (fd >= 0 && !out.open) {
		gt_sys_close(fd);
	}
}

/*
 * What comes from the mark on: the batch, which may be none, and the mark again. Over the old mark,
 * so that at no moment the file has none: a process that is killed here keeps the generation, and
 * no other takes the room.
 */
static int write_end(int fd, const void *batch, size_t bytes)
{
	struct iovec pieces[] = {{(void *)(uintptr_t)batch, bytes},
				 {(void *)(uintptr_t)&end_mark, sizeof(end_mark)}};
	int r = gt_sys_write_from(fd, (off_t)out.mark);

	if (r < 0) {
		return r;
	}
	out.bytes = out.mark;
	if (gt_zstd_on()) {
		gt_zstd_unmark();
		r = mark_zstd(fd, batch, bytes, true);
	} else {
		out.bytes += bytes + sizeof(end_mark);
		r = checked(gt_sys_writev_all(fd, pieces, GT_LEN(pieces)));
	}
	/* It is longer, but where more had been tried, and failed. */
	return r < 0 ? r : gt_sys_ftruncate(fd, (off_t)out.bytes);
}

int gt_writer_amend(const void *batch, size_t bytes)
{
	struct stat st;
	int fd;
	int r;

	if (gt_writer_lost()) {
		return out.error;
	}
	fd = out.open ? out.fd : gt_sys_open(gt_trace->path, O_WRONLY | O_NOFOLLOW, 0);
	if (fd < 0) {
		return fd;
	}
	r = gt_sys_fstat(fd, &st);
	/* Not what somebody has changed meanwhile. */
	r = r == 0 && ((uint64_t)st.st_size != out.bytes || st.st_nlink == 0) ? -ESTALE : r;
	if (r == 0) {
		r = write_end(fd, batch, bytes);
		if (r < 0) {
			/* There is room for the mark, since it was there. */
			write_end(fd, NULL, 0);
		}
	}
	if (!out.open) {
		gt_sys_close(fd);
	}
	return r;
}

bool gt_writer_lost(void)
{
	return out.error == -ESTALE || out.error == -ENOENT;
}

void gt_writer_forget(void)
{
	out.open = false;
	out.npieces = 0;
	out.done = NULL;
}
