/*
 * A whole file in memory: for reader.c, and for commands that read it more than once.
 */
#pragma once

#include "error.h"

struct gt_mapped {
	void *data; /* NULL: it is empty */
	size_t size;
	bool read; /* data was read and not mapped: standard input, a pipe */
	/* Of a compressed file that could be unpacked in part only, or not at all: why. */
	struct gt_error torn;
};

/*
 * "-" is standard input. 0, or -1 with errno or, of what is compressed, with m->torn: that is
 * unpacked, all of it, into a file without a name in TMPDIR or /tmp.
 */
int gt_mapped_open(struct gt_mapped *m, const char *path);
/*
 * The same of what is open, where that costs nothing: false if it is not a regular file, which
 * stands at its beginning.
 */
bool gt_mapped_fd(struct gt_mapped *m, int fd);
/* These bytes of a mapped file will hardly be looked at again: they do not count as memory. */
void gt_mapped_forget(const void *data, size_t size);
void gt_mapped_close(struct gt_mapped *m);
/*
 * The name of the mapped file that lies at an address, which the calling thread has just tried to
 * read; NULL: none does. For a handler of SIGBUS: somebody has made the file shorter meanwhile.
 */
const char *gt_mapped_at(const void *address);
