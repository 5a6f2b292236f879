/*
 * gtrace dump: a trace as text.
 */
#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "input.h"
#include "text.h"
#include "views.h"

/* clang-format off */
static const char help[] =
	"usage: gtrace dump [--facts] FILE\n"
	"       gtrace dump --events [--stacks] FILE\n"
	"       gtrace dump --normal FILE\n"
	"\n"
	"Prints a trace as text. Without an option: what is in the file, event by event, in the\n"
	"form of `go tool trace -d=wire`, which gtrace assemble turns into a trace again.\n"
	"\n"
	"  --facts   after each batch of gtrace's own facts, what they say, as comments\n"
	"  --events  the events of all threads in order, with names instead of ids, times in\n"
	"            seconds since the trace began, and the M, P and G before the event\n"
	"  --stacks  with the frames of each stack\n"
	"  --normal  what each thread did, without what differs from run to run: for comparing\n"
	"\n"
	"FILE - is standard input. Exit status: 0 good, 1 the trace is not valid or truncated\n"
	"(what comes before is printed), 2 it cannot be read.\n";
/* clang-format on */

static int report(const char *path, const struct gt_error *e)
{
	char text[sizeof(e->message) + 300];

	gt_error_text(e, text, sizeof(text));
	fflush(stdout);
	fprintf(stderr, "gtrace dump: %s: %s\n", path, text);
	return e->kind == GT_ERROR_READ ? GT_EXIT_TROUBLE : GT_EXIT_NO;
}

static int dump_wire(const char *path, bool facts, struct gt_error *e)
{
	const int fd = strcmp(path, "-") == 0 ? dup(0) : open(path, O_RDONLY | O_CLOEXEC);
	struct gt_error bad = {0};
	FILE *in;
	int n;

	in = fd >= 0 ? gt_input_stream(gt_input_open(fd, NULL, 0), &bad) : NULL;
	if (in == NULL) {
		return gt_error_set(e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
				    "cannot open: %s", strerror(errno));
	}
	n = gt_text_dump(in, stdout, facts, e);
	fclose(in);
	if (bad.kind != GT_ERROR_NONE) { /* of that the rest follows */
		*e = bad;
		n = -1;
	}
	return n;
}

int gt_cmd_dump(int argc, char **argv)
{
	static const struct option options[] = {
		{"facts", no_argument, NULL, 'f'},  {"events", no_argument, NULL, 'e'},
		{"stacks", no_argument, NULL, 's'}, {"normal", no_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},   {0},
	};
	bool facts = false, stacks = false;
	struct gt_error e = {0};
	struct gt_merge *t;
	int c, mode = 'w', n;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			facts = true;
			break;
		case 's':
			stacks = true;
			break;
		case 'e':
		case 'n':
			if (mode != 'w') {
				return gt_cmd_usage("dump", "--events or --normal, not both");
			}
			mode = c;
			break;
		case 'h':
			fputs(help, stdout);
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("dump", NULL);
		}
	}
	if (optind + 1 != argc) {
		return gt_cmd_usage("dump", "expected one file");
	}
	if ((facts && mode != 'w') || (stacks && mode != 'e')) {
		return gt_cmd_usage("dump", facts ? "--facts goes with neither --events, which "
						    "shows them anyway, nor --normal"
						  : "--stacks goes with --events");
	}
	if (mode == 'w') {
		n = dump_wire(argv[optind], facts, &e);
	} else {
		t = gt_merge_open(argv[optind], 0, &e);
		n = t == NULL     ? -1
		    : mode == 'e' ? gt_view_events(t, stdout, stacks, &e)
				  : gt_view_normal(t, stdout, &e);
		gt_merge_close(t);
	}
	return n < 0 ? report(argv[optind], &e) : GT_EXIT_GOOD;
}
