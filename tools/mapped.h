/*
 * A whole file in memory, for commands that read it more than once.
 */
#pragma once

#include "base/util.h"

struct gt_mapped {
	void *data; /* NULL: it is empty */
	size_t size;
	bool read; /* data was read and not mapped: standard input, a pipe */
};

/* "-" is standard input. 0, or -1 with errno. */
int gt_mapped_open(struct gt_mapped *m, const char *path);
void gt_mapped_close(struct gt_mapped *m);
