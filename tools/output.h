/*
 * A file that is there when it is whole, or not at all.
 *
 *	if (gt_output_open(&out, path) < 0) { say why: errno }
 *	write to out.file, or to a file by the name out.name
 *	if (gt_output_close(&out, good) < 0) { say why: errno }
 *
 * It is written under another name in the same folder and renamed at the end; a signal that ends
 * the command takes it away. "-" is standard output; what is no regular file (a pipe, /dev/null) is
 * written in place.
 */
#pragma once

#include <stdio.h>

#include "base/util.h"

struct gt_output {
	FILE *file;
	char *name;   /* what file is called while it is written; NULL: standard output */
	char *target; /* what it is to be called; NULL: it is written in place */
	FILE *below;  /* of a compressed trace: where file is compressed to; or NULL */
};

/* -1 with errno. */
int gt_output_open(struct gt_output *out, const char *path);
/*
 * The same of a trace, which is compressed at that level (pack.h). 0: as its name says, FILE.zst,
 * or as the trace was that it replaces.
 */
int gt_output_open_trace(struct gt_output *out, const char *path, unsigned level);
/*
 * keep: everything is written; otherwise it is dropped. -1 with errno where something could not be
 * written: then nothing is left. Standard output is flushed and stays open.
 */
int gt_output_close(struct gt_output *out, bool keep);
