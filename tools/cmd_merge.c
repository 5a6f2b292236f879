/*
 * gtrace merge: the traces of several processes as one.
 */
#include "cmd.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "combine.h"
#include "mapped.h"
#include "output.h"
#include "pack.h"

/* clang-format off */
static const char help[] =
	"usage: gtrace merge FILE... -o OUT [--zstd[=LEVEL]]\n"
	"\n"
	"Puts the traces of several processes into one, on one clock: those that GTRACE_OUT with %p\n"
	"makes of a process and its children. They must have been made on one machine since it was\n"
	"started. The names of start routines get the process behind them: main [4711].\n"
	"\n"
	"  -o, --output OUT  the trace; - is standard output\n"
	"      --zstd[=LEVEL]\n"
	"                    compress it, 1 to 19 (3 is usual), as FILE.zst does by its name\n"
	"\n"
	"Exit status: 0 good, 1 a FILE is not valid or was not written by gtrace, 2 trouble with a\n"
	"file.\n";
/* clang-format on */

static int merge(const struct gt_combine_input *inputs, size_t n, const char *output, unsigned zstd)
{
	struct gt_combine_done done;
	struct gt_output out;
	struct gt_error e = {0};
	size_t which = 0;
	int status;

	if (gt_output_open_trace(&out, output, zstd) < 0) {
		return gt_cmd_trouble("merge", output);
	}
	status = gt_combine(inputs, n, out.file, &done, &which, &e);
	if (gt_output_close(&out, status == 0) < 0) {
		return gt_cmd_trouble("merge", output);
	}
	if (status < 0) {
		gt_cmd_wrong("merge", inputs[which].path, &e);
		return GT_EXIT_NO;
	}
	fprintf(stderr, "%s: %" PRIu64 " events of %zu traces\n", output, done.events, n);
	if (done.pid_unknown != 0) {
		fprintf(stderr,
			"%s: %" PRIu64 " of them do not say of which process they are: they have "
			"the number of the file, as in main [#2]\n",
			output, done.pid_unknown);
	}
	return GT_EXIT_GOOD;
}

int gt_cmd_merge(int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		GT_PACK_OPTION,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct gt_combine_input *inputs;
	struct gt_mapped *files;
	const char *output = NULL;
	unsigned zstd = 0;
	int c, status = GT_EXIT_GOOD;
	size_t n;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			output = optarg;
			break;
		case GT_PACK_LETTER:
			zstd = gt_pack_level(optarg);
			if (zstd == 0) {
				return gt_cmd_usage("merge", "--zstd=%s: expected 1 to 19", optarg);
			}
			break;
		case 'h':
			fputs(help, stdout);
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("merge", NULL);
		}
	}
	if (optind >= argc || output == NULL) {
		return gt_cmd_usage("merge", "expected traces, and -o OUT");
	}
	n = (size_t)(argc - optind);
	inputs = calloc(n, sizeof(*inputs));
	files = calloc(n, sizeof(*files));
	for (size_t i = 0; i < n && status == GT_EXIT_GOOD; i++) {
		const char *path = argv[optind + (int)i];

		if (inputs == NULL || files == NULL) {
			status = gt_cmd_trouble("merge", path);
		} else if (gt_mapped_open(&files[i], path) < 0) {
			status = gt_cmd_unmapped("merge", path, &files[i]);
		} else if (files[i].torn.kind != GT_ERROR_NONE) {
			status = gt_cmd_wrong("merge", path, &files[i].torn);
		} else {
			inputs[i] = (struct gt_combine_input){path, files[i].data, files[i].size};
		}
	}
	if (status == GT_EXIT_GOOD) {
		status = merge(inputs, n, output, zstd);
	}
	for (size_t i = 0; files != NULL && i < n; i++) {
		gt_mapped_close(&files[i]);
	}
	free(inputs);
	free(files);
	return status;
}
