/*
 * A trace made of a trace: what the commands do with their files whose work that is. For cmd_*.c.
 */
#pragma once

#include <stdio.h>

#include "again.h"
#include "error.h"

struct gt_remake {
	const char *command; /* for messages */
	const char *path;    /* "-": standard input */
	const char *output;  /* "-": standard output */
	unsigned zstd;       /* level; 0: as gt_output_open_trace finds right */
	/*
	 * Makes it. Negative with *e: nothing is kept; positive with *e: what there was is kept; 0:
	 * all is well.
	 */
	int (*make)(void *arg, const struct gt_again *file, FILE *out, struct gt_error *e);
	void *arg;
};

/*
 * Does so, and says what went wrong on stderr. Returns GT_EXIT_GOOD or, where something was kept,
 * GT_EXIT_TRUNCATED; otherwise GT_EXIT_NO, or GT_EXIT_TROUBLE with a file, and there is no output.
 */
int gt_remake(const struct gt_remake *r);
