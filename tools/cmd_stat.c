/*
 * gtrace stat: who ran, who waited where and for what, who woke whom.
 */
#include "cmd.h"

#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stat_view.h"

enum { TOP = 8 };

static const char help[] =
	"usage: gtrace stat [--top N] [--system] [--json] FILE...\n"
	"\n"
	"Sums a trace up: how long each thread ran and waited, the places where threads waited\n"
	"longest with the object, who had it and who ended the wait, and who woke whom.\n"
	"\n"
	"  --top N   lines of a list; 0: all. By default 8; with more threads than that only "
	"their\n"
	"            start routines are shown, and of waits what counts: not those that all last\n"
	"            until the end, nor those of less than a thousandth of the time\n"
	"  --system  also the tracer's or the Go runtime's own threads\n"
	"  --json    everything, as one JSON object a file, each in a line\n"
	"\n"
	"A wait lasts from the event that says that a thread blocks to the one that says that it\n"
	"may run again; from there to running it is runnable. A wait that is open at the end of "
	"the\n"
	"trace counts up to there. p50 and p99 are exact to 3 %. The percentages of who held it "
	"and\n"
	"who woke are of the time waited. System calls: with and without a processor. A call that\n"
	"was a wait, for the network or a child, stands among the waits and among the calls.\n"
	"\n"
	"Keys of the JSON, stable; times are integers of ns, points in time are since the "
	"beginning;\n"
	"threads are named by their id, null is nobody or not known:\n"
	"\n"
	"  file, format (\"1.26\"), writer (gtrace or go), truncated, problem (null: none),\n"
	"  duration_ns, generations, events, samples, cpus\n"
	"  losses[]    what, text, count\n"
	"  unread      batches of facts that a newer gtrace wrote and that are not wholly read\n"
	"  about[]     what, text, value, means: settings, and what the machine allowed\n"
	"  ended       waits by how they ended: open (not yet), waker, nobody, timeout, error,\n"
	"              cancelled, refused (the waker is known, but not in Go's own events), "
	"returned\n"
	"              (a call that no thread ends: network, time, a child)\n"
	"  threads[]   id, tid, routine, labels[], system, creator, created_ns, ended_ns, state,\n"
	"              running_ns, runnable_ns, syscall_ns, syscall_blocked_ns (without a "
	"processor),\n"
	"              blocked_ns, blocks, syscalls, waiting_ns and waits by reason, ended,\n"
	"              yields (calls of sched_yield), yields_long (over 20 us), yields_ns "
	"(others)\n"
	"  routines[]  routine, threads (how many), and the sums over them\n"
	"  sites[]     reason, stack[] (innermost first), system, waits, total_ns, max_ns, "
	"mean_ns,\n"
	"              p50_ns, p99_ns, runnable_ns (from their ends to running), ended, and each "
	"with\n"
	"              waits, total_ns, max_ns: threads[] (thread), objects[] (address, epoch, "
	"kind),\n"
	"              owners[] (thread that had it when the wait began), wakers[] (thread); "
	"retakes\n"
	"              (waits, total_ns, max_ns, owners[]: for the mutex after a condition)\n"
	"  objects[]   address, epoch, kind, waits, total_ns, max_ns, owners[], wakers[]\n"
	"  owners[]    thread, waits, total_ns, max_ns: of others, for what it had\n"
	"  wakes[]     waker, wakee, reason, stack[] (of the waker), waits, total_ns, max_ns\n"
	"  calls[]     call (null: not named in the trace), number, class, waits (how many), "
	"total_ns,\n"
	"              max_ns, mean_ns, p50_ns, p99_ns, blocked (those over 20 us), failed, "
	"errors[]\n"
	"              (error, number), threads[], sites[] (stack), untimed (known by name alone)\n"
	"  spins[]     address, epoch, kind, waits, total_ns (both estimates from samples), "
	"max_ns,\n"
	"              threads[], sites[]\n"
	"\n"
	"FILE - is standard input. Exit status: 0 good, 1 a trace is not valid or truncated (what\n"
	"comes before is summed up), 2 one cannot be read.\n";

static bool terminal_is_utf8(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool is;

	if (locale == (locale_t)0) {
		return false;
	}
	is = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
	freelocale(locale);
	return is;
}

static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
	       (term == NULL || strcmp(term, "dumb") != 0);
}

static int stat_file(struct gt_stat *st, bool json)
{
	struct gt_error e = {0};
	char text[sizeof(e.message) + 300];
	struct gt_merge *merge = gt_merge_open(st->path, 0, &e);
	int status = GT_EXIT_GOOD;

	st->model = gt_model_create();
	st->problem = NULL;
	st->truncated = false;
	if (merge == NULL || gt_model_read(st->model, merge, &e) < 0) {
		gt_error_text(&e, text, sizeof(text));
		st->problem = text;
		st->truncated = e.kind == GT_ERROR_TRUNCATED;
		status = e.kind == GT_ERROR_READ ? GT_EXIT_TROUBLE : GT_EXIT_NO;
		fprintf(stderr, "gtrace stat: %s: %s%s\n", st->path,
			st->truncated ? "truncated: " : "", text);
	}
	gt_merge_close(merge);
	if (status != GT_EXIT_TROUBLE && json) {
		gt_stat_json(st, stdout);
	} else if (status != GT_EXIT_TROUBLE) {
		gt_stat_text(st, stdout);
	}
	gt_model_destroy(st->model);
	return status;
}

int gt_cmd_stat(int argc, char **argv)
{
	static const struct option options[] = {
		{"top", required_argument, NULL, 't'},
		{"system", no_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct gt_stat st = {.top = TOP, .colour = wants_colour(), .utf8 = terminal_is_utf8()};
	bool json = false;
	int c, worst = GT_EXIT_GOOD;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		char *end;

		switch (c) {
		case 't':
			errno = 0;
			st.top = strtoul(optarg, &end, 10);
			if (*optarg < '0' || *optarg > '9' || *end != '\0' || errno != 0) {
				return gt_cmd_usage("stat", "--top %s: expected a number", optarg);
			}
			st.top = st.top ? st.top : SIZE_MAX;
			break;
		case 's':
			st.system = true;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("stat", NULL);
		}
	}
	if (optind == argc) {
		return gt_cmd_usage("stat", "no file named");
	}
	for (int i = optind; i < argc; i++) {
		int status;

		if (i > optind && !json) {
			fputs("\n\n", stdout);
		}
		st.path = argv[i];
		status = stat_file(&st, json);
		worst = GT_MAX(worst, status);
	}
	return worst;
}
