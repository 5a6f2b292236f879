/*
 * In place of sym_file.c and sym_name.c where gtrace is built without elfutils or libiberty.
 */
#include "sym_file.h"
#include "sym_name.h"

#include <stdio.h>
#include <stdlib.h>

#include "error.h"

const char *gt_sym_missing(void)
{
	return "elfutils' libdw and GNU libiberty (Debian: libdw-dev, libiberty-dev)";
}

struct gt_sym_file *gt_sym_file_open(const struct gt_sym_request *r)
{
	struct gt_sym_file *f = gt_alloc(sizeof(*f));

	(void)r;
	f->state = GT_SYM_GONE;
	snprintf(f->reason, sizeof(f->reason), "gtrace was built without %s", gt_sym_missing());
	return f;
}

void gt_sym_file_close(struct gt_sym_file *f)
{
	free(f);
}

unsigned gt_sym_file_find(struct gt_sym_file *f, uint64_t offset,
			  const struct gt_sym_frame **frames)
{
	(void)f;
	(void)offset;
	*frames = NULL;
	return 0;
}

char *gt_sym_demangle(const char *name, size_t length)
{
	(void)name;
	(void)length;
	return NULL;
}

size_t gt_sym_plain_length(const char *name, size_t length)
{
	(void)name;
	return length;
}
