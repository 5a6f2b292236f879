/*
 * gtrace cut: a part of a trace as a trace of its own.
 */
#include "cmd.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"
#include "cut.h"
#include "mapped.h"
#include "output.h"
#include "progress.h"

/* clang-format off */
static const char help[] =
	"usage: gtrace cut [--from T] [--to T] [--threads X[,X]...] FILE -o OUT\n"
	"\n"
	"Writes a part of a trace as a trace of its own, which begins with what every thread was\n"
	"doing then. Events keep their order and their times.\n"
	"\n"
	"  --from T, --to T   times since the first event: 1.5s, 200ms; without unit seconds\n"
	"  --threads X        only threads with this tid, number (#3), name or start routine (*\n"
	"                     and ? as in a shell), and those that have created them; of others,\n"
	"                     what they did to these. Only for traces that gtrace has written\n"
	"  -o, --output OUT   the trace; - is standard output\n"
	"\n"
	"FILE - is standard input. Exit status: 0 good, 1 nothing lies there or FILE is not valid,\n"
	"2 trouble with a file.\n";
/* clang-format on */

static int cut(const char *path, const char *output, const struct gt_cut *what)
{
	struct gt_cut_done done;
	struct gt_mapped file;
	struct gt_output out;
	struct gt_error e = {0};
	char text[1200];
	int n;

	if (gt_mapped_open(&file, path) < 0) {
		fprintf(stderr, "gtrace cut: %s: %s\n", path, strerror(errno));
		return GT_EXIT_TROUBLE;
	}
	if (gt_output_open(&out, output) < 0) {
		fprintf(stderr, "gtrace cut: %s: %s\n", output, strerror(errno));
		gt_mapped_close(&file);
		return GT_EXIT_TROUBLE;
	}
	gt_progress_begin("cut", path);
	n = gt_cut(file.data, file.size, what, out.file, &done, &e);
	gt_progress_end();
	gt_mapped_close(&file);
	if (gt_output_close(&out, n == 0) < 0) {
		fprintf(stderr, "gtrace cut: %s: %s\n", output, strerror(errno));
		return GT_EXIT_TROUBLE;
	}
	if (n < 0) {
		gt_error_text(&e, text, sizeof(text));
		fprintf(stderr, "gtrace cut: %s: %s\n", path, text);
		return GT_EXIT_NO;
	}
	fprintf(stderr, "%s: %" PRIu64 " of %" PRIu64 " events", output, done.events,
		done.of_events);
	if (what->threads != NULL) {
		fprintf(stderr, ", %" PRIu64 " of %" PRIu64 " threads", done.threads,
			done.of_threads);
	}
	fputc('\n', stderr);
	return GT_EXIT_GOOD;
}

int gt_cmd_cut(int argc, char **argv)
{
	static const struct option options[] = {
		{"from", required_argument, NULL, 'f'},    {"to", required_argument, NULL, 't'},
		{"threads", required_argument, NULL, 'T'}, {"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},          {0},
	};
	struct gt_cut what = {.to = UINT64_MAX};
	const char *output = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case 'f':
		case 't':
			if (!gt_env_time(optarg, c == 'f' ? &what.from : &what.to)) {
				return gt_cmd_usage("cut", "\"%s\" is no time; 1.5s, 200ms are",
						    optarg);
			}
			break;
		case 'T':
			what.threads = optarg;
			break;
		case 'o':
			output = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("cut", NULL);
		}
	}
	if (optind + 1 != argc || output == NULL) {
		return gt_cmd_usage("cut", "expected one trace, and -o OUT");
	}
	return cut(argv[optind], output, &what);
}
