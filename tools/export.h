/*
 * The formats of gtrace export: one file export_<name>.c and one function each, which cmd_export.c
 * has in its table.
 */
#pragma once

#include <stdio.h>

#include "profile.h"

/* What is to be exported, and how. */
struct gt_export {
	const char *path; /* of the trace; "-" is standard input */
	struct gt_window window;
	bool system; /* also threads that are none of the program's */
	/*
	 * Where to. A format that writes by itself (sqlite) gets the name of an empty file, and
	 * removes nothing; the others write to out, and need not look for errors there: they are
	 * told at the end (output.h).
	 */
	FILE *out;
	const char *name;

	const struct gt_profile_type *weight; /* collapsed */
	bool events;                          /* sqlite */
};

/*
 * 0; -1 with *e. After GT_ERROR_TRUNCATED all that is good has been written, and is kept; after any
 * other error nothing is.
 */
typedef int gt_export_run(const struct gt_export *x, struct gt_error *e);

/* The columns of csv. */
void gt_export_csv_help(FILE *out);

gt_export_run gt_export_chrome, gt_export_collapsed, gt_export_csv, gt_export_perfetto,
	gt_export_sqlite;
