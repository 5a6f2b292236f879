/*
 * The two views of a model that `gtrace stat` prints. They change nothing but the order of lists.
 */
#pragma once

#include <stdio.h>

#include "model.h"
#include "path.h"

struct gt_stat {
	struct gt_model *model;
	const char *path;
	char message[1300];
	const char *path_end; /* of the critical path; NULL: not asked for */
	const char *problem;  /* why the trace is read only in part; NULL: it is whole */
	bool truncated;       /* what is there is good */
	bool spool;           /* its spool lies beside it */
	const struct gt_path_found *path_found; /* NULL: not asked for */
	bool full;                              /* all lists, not one screen */
	size_t top;                             /* lines of a list */
	bool system;                            /* show system threads */
	bool colour, utf8;
};

void gt_stat_text(const struct gt_stat *stat, FILE *out);
void gt_stat_json(const struct gt_stat *stat, FILE *out);
