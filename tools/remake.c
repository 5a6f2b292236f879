/*
 * A trace made of a trace.
 */
#include "remake.h"

#include "cmd.h"
#include "output.h"
#include "progress.h"

int gt_remake(const struct gt_remake *r)
{
	struct gt_again file;
	struct gt_output out;
	struct gt_error e = {0};
	int n;

	if (gt_again_open(&file, r->path) < 0) {
		return gt_cmd_unmapped(r->command, r->path, &file.memory);
	}
	if (gt_output_open_trace(&out, r->output, r->zstd) < 0) {
		gt_cmd_trouble(r->command, r->output);
		gt_again_close(&file);
		return GT_EXIT_TROUBLE;
	}
	gt_progress_begin(r->command, r->path);
	n = r->make(r->arg, &file, out.file, &e);
	gt_progress_end();
	gt_again_close(&file);
	if (gt_output_close(&out, n >= 0) < 0) {
		return gt_cmd_trouble(r->command, r->output);
	}
	if (n != 0) {
		gt_cmd_wrong(r->command, r->path, &e);
	}
	return n == 0 ? GT_EXIT_GOOD : n > 0 ? GT_EXIT_TRUNCATED : GT_EXIT_NO;
}
