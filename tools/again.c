/*
 * Files that are read more than once.
 */
#include "again.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int gt_again_open(struct gt_again *a, const char *path)
{
	struct stat st;

	*a = (struct gt_again){0};
	if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		a->path = path;
		return access(path, R_OK);
	}
	return gt_mapped_open(&a->memory, path);
}

void gt_again_close(struct gt_again *a)
{
	if (a->path == NULL) {
		gt_mapped_close(&a->memory);
	}
}

int gt_again_ends(const struct gt_again *a, int n, struct gt_error *e)
{
	if (n < 0 || a->memory.torn.kind == GT_ERROR_NONE) {
		return n;
	}
	*e = a->memory.torn;
	return e->kind == GT_ERROR_TRUNCATED ? 1 : -1;
}

struct gt_reader *gt_again_read(const struct gt_again *a, struct gt_error *e)
{
	return a->path != NULL ? gt_reader_open(a->path, e)
			       : gt_reader_open_memory(a->memory.data, a->memory.size, e);
}

struct gt_merge *gt_again_merge(const struct gt_again *a, struct gt_error *e)
{
	return a->path != NULL ? gt_merge_open(a->path, 0, e)
			       : gt_merge_open_memory(a->memory.data, a->memory.size, 0, e);
}

struct gt_replay *gt_again_replay(const struct gt_again *a, struct gt_error *e)
{
	return a->path != NULL ? gt_replay_open(a->path, e)
			       : gt_replay_open_memory(a->memory.data, a->memory.size, e);
}
