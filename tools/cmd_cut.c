/*
 * gtrace cut: a part of a trace as a trace of its own.
 */
#include "cmd.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/env.h"
#include "cut.h"
#include "pack.h"
#include "remake.h"

/* clang-format off */
static const char help[] =
	"usage: gtrace cut [--from T] [--to T] [--threads X[,X]...] FILE -o OUT\n"
	"                  [--zstd[=LEVEL]]\n"
	"\n"
	"Writes a part of a trace as a trace of its own, which begins with what every thread was\n"
	"doing then. Events keep their order and their times, threads their names.\n"
	"\n"
	"  --from T, --to T   times since the first event: 1.5s, 200ms; without unit seconds\n"
	"  --threads X        only threads with this tid, number (#3), name or start routine (*\n"
	"                     and ? as in a shell), and those that have created them; of others,\n"
	"                     what they did to these. In a trace of a Go program: goroutines,\n"
	"                     without the collector\n"
	"  -o, --output OUT   the trace; - is standard output\n"
	"      --zstd[=LEVEL]\n"
	"                     compress it, 1 to 19 (3 is usual), as FILE.zst does by its name\n"
	"\n"
	"What stands behind the part, and far before it in traces that gtrace has written, is read for\n"
	"--threads alone. FILE - is standard input. Exit status: 0 good, 1 nothing lies there or FILE\n"
	"is not valid, 2 trouble with a file, 3 FILE ends before the part does, which is written as\n"
	"far as it goes.\n";
/* clang-format on */

struct cutting {
	struct gt_cut what;
	struct gt_cut_done done;
};

static int make(void *arg, const struct gt_again *file, FILE *out, struct gt_error *e)
{
	struct cutting *c = arg;

	return gt_cut(file, &c->what, out, &c->done, e);
}

static void report(const char *path, const struct cutting *c)
{
	fprintf(stderr, "%s: %" PRIu64 " events", path, c->done.events);
	if (c->what.threads != NULL) {
		fprintf(stderr, ", %" PRIu64 " of %" PRIu64 " threads", c->done.threads,
			c->done.of_threads);
	}
	fputc('\n', stderr);
}

int gt_cmd_cut(int argc, char **argv)
{
	static const struct option options[] = {
		{"from", required_argument, NULL, 'f'},
		{"to", required_argument, NULL, 't'},
		{"threads", required_argument, NULL, 'T'},
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		GT_PACK_OPTION,
		{0},
	};
	struct cutting cutting = {.what.to = UINT64_MAX};
	struct gt_remake remake = {.command = "cut", .make = make, .arg = &cutting};
	struct gt_cut *what = &cutting.what;
	int c, status;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case 'f':
		case 't':
			if (!gt_env_time(optarg, c == 'f' ? &what->from : &what->to)) {
				return gt_cmd_usage("cut", "\"%s\" is no time; 1.5s, 200ms are",
						    optarg);
			}
			break;
		case 'T':
			what->threads = optarg;
			break;
		case 'o':
			remake.output = optarg;
			break;
		case GT_PACK_LETTER:
			remake.zstd = gt_pack_level(optarg);
			if (remake.zstd == 0) {
				return gt_cmd_usage("cut", "--zstd=%s: expected 1 to 19", optarg);
			}
			break;
		case 'h':
			fputs(help, stdout);
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("cut", NULL);
		}
	}
	if (optind + 1 != argc || remake.output == NULL) {
		return gt_cmd_usage("cut", "expected one trace, and -o OUT");
	}
	remake.path = argv[optind];
	status = gt_remake(&remake);
	if (status == GT_EXIT_GOOD || status == GT_EXIT_TRUNCATED) {
		report(remake.output, &cutting);
	}
	return status;
}
