/*
 * Two traces compared: what each waited for, how often and how long, a second of each. For
 * cmd_diff.c.
 *
 * Rows of the two are the same if their names are: a site is what was waited for and the functions
 * on the stack; an object its kind and the site where most of the waiting for it was, as addresses
 * differ from run to run; a routine the function that threads began in. The tracer's own threads
 * are left out.
 */
#pragma once

#include "model_hist.h"
#include "span.h"

enum gt_diff_table { GT_DIFF_SITES, GT_DIFF_OBJECTS, GT_DIFF_ROUTINES, GT_DIFF_TABLES };

/* Of one trace. */
struct gt_diff_side {
	uint64_t times, total;               /* waits and calls; ns */
	uint64_t running, runnable, threads; /* of a routine: ns, ns, their number */
	struct gt_hist hist;
};

struct gt_diff_row {
	char *name;
	struct gt_diff_side side[2];
	double grown; /* ns a second of the trace: after less before */
};

struct gt_diff_rows {
	struct gt_idmap by_hash; /* of names, index + 1 */
	struct gt_diff_row *array;
	size_t n, cap;
};

struct gt_diff {
	struct gt_diff_rows rows[GT_DIFF_TABLES];
	uint64_t duration[2]; /* ns */
	uint64_t threads[2];
};

/* Adds a trace as side 0 (before) or 1 (after): 0, or -1 with *e after what could be read. */
int gt_diff_add(struct gt_diff *d, unsigned side, const char *path, struct gt_error *e);
/* Both are there: what has grown most comes first, what has shrunk most last. */
void gt_diff_finish(struct gt_diff *d);
void gt_diff_fini(struct gt_diff *d);
