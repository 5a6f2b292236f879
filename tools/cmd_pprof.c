/*
 * gtrace pprof: a trace as a profile that pprof reads.
 */
#include "cmd.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "output.h"
#include "pprof.h"
#include "progress.h"

static void help(void)
{
	fputs("usage: gtrace pprof --type TYPE -o OUT [--from T] [--to T] [--thread X] [--system] "
	      "FILE\n"
	      "\n"
	      "Sums times up by call stack, in the format of pprof, compressed with gzip:\n"
	      "go tool pprof -top OUT, or -http=: for a browser. TYPE:\n"
	      "\n",
	      stdout);
	for (size_t i = 0; i < gt_profile_types_count; i++) {
		printf("  %-9s    %s\n", gt_profile_types[i].name, gt_profile_types[i].doc);
	}
	fputs("\n"
	      "  -o OUT       the file to write, by custom NAME.pb.gz; - is standard output\n" //
	      GT_WINDOW_HELP "  --system     also the tracer's or the Go runtime's own threads\n"
	      "\n"
	      "Values are contentions/count and delay/nanoseconds; of CPU samples samples/count, "
	      "since a\n"
	      "trace does not say how much time one stands for. The totals are those of gtrace "
	      "stat: a\n"
	      "wait that is open at the end counts up to there. Labels: thread, routine, tid (of "
	      "who is\n"
	      "to blame), what (mutex, read, ...), object, waiter (mutex: who waited). mutex "
	      "blames "
	      "who\n"
	      "ended the wait, at the place of its unlock; where that is not known, who had the "
	      "lock when\n"
	      "the wait began, and [unlock not seen] stands for the stack. It counts too what "
	      "waits "
	      "on a\n"
	      "condition took at their ends for its mutex. Comments (go tool pprof -comments) name "
	      "the\n"
	      "trace and its losses.\n"
	      "\n"
	      "FILE - is standard input. Exit status: 0 good, 1 the trace is not valid, 2 bad "
	      "usage, or\n"
	      "something cannot be read or written, 3 the trace is truncated: what is there is in "
	      "OUT.\n",
	      stdout);
}

static int write_profile(struct gt_pprof *in, const char *to)
{
	struct gt_output out;

	if (gt_output_open(&out, to) == 0) {
		gt_pprof_write(in, out.file);
		if (gt_output_close(&out, true) == 0) {
			return GT_EXIT_GOOD;
		}
	}
	return gt_cmd_trouble("pprof", to);
}

static int profile_file(struct gt_pprof *in, const struct gt_profile_type *type,
			const struct gt_window *window, const char *to)
{
	struct gt_profile p;
	struct gt_error e = {0};
	char text[sizeof(e.message) + 300];
	int status = GT_EXIT_GOOD, written, n;

	in->profile = &p;
	gt_progress_begin("pprof", in->path);
	n = gt_profile_read(&p, in->path, type, window, &e);
	gt_progress_end();
	if (n < 0) {
		gt_error_text(&e, text, sizeof(text));
		in->problem = text;
		status = gt_cmd_wrong("pprof", in->path, &e);
	}
	if (status == GT_EXIT_GOOD || status == GT_EXIT_TRUNCATED) {
		written = write_profile(in, to);
		status = written ? written : status;
	}
	gt_profile_fini(&p);
	return status;
}

int gt_cmd_pprof(int argc, char **argv)
{
	static const struct option options[] = {
		GT_WINDOW_OPTIONS,
		{"type", required_argument, NULL, 't'},
		{"system", no_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const struct gt_profile_type *type = NULL;
	struct gt_window window = GT_WINDOW_ALL;
	struct gt_pprof in = {0};
	const char *to = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case 't':
			type = gt_profile_type(optarg);
			if (type == NULL) {
				return gt_cmd_usage("pprof", "no type \"%s\"", optarg);
			}
			break;
		case 'o':
			to = optarg;
			break;
		case 's':
			in.system = true;
			break;
		case GT_WINDOW_FROM:
		case GT_WINDOW_TO:
		case GT_WINDOW_THREAD:
			if (!gt_window_take(&window, c, optarg)) {
				return gt_cmd_usage("pprof", "%s: expected a time, as 200ms",
						    optarg);
			}
			break;
		case 'h':
			help();
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("pprof", NULL);
		}
	}
	if (type == NULL || to == NULL) {
		return gt_cmd_usage("pprof", type == NULL ? "no --type named" : "no -o named");
	}
	if (argc - optind != 1) {
		return gt_cmd_usage("pprof", "expected one FILE");
	}
	in.path = argv[optind];
	return profile_file(&in, type, &window, to);
}
