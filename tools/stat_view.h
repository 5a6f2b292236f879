/*
 * The two views of a model that `gtrace stat` prints. They change nothing but the order of lists.
 */
#pragma once

#include <stdio.h>

#include "model.h"

struct gt_stat {
	struct gt_model *model;
	const char *path;
	const char *problem; /* why the trace is read only in part; NULL: it is whole */
	bool truncated;      /* what is there is good */
	size_t top;          /* lines of a list */
	bool system;         /* show system threads */
	bool colour, utf8;
};

void gt_stat_text(const struct gt_stat *stat, FILE *out);
void gt_stat_json(const struct gt_stat *stat, FILE *out);
