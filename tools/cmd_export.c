/*
 * gtrace export: a trace in the form of another tool.
 */
#include "cmd.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "export.h"
#include "output.h"
#include "progress.h"

#ifdef GT_SQLITE
#define SQLITE gt_export_sqlite
#else
#define SQLITE NULL /* built without libsqlite3-dev */
#endif

/* To add a format: a row here, its declaration in export.h, its file in meson.build. */
static const struct format {
	const char *name;
	gt_export_run *run; /* NULL: its library is missing */
	const char *doc;
	bool binary;  /* not for a terminal */
	bool by_name; /* it writes to a file of its own */
} formats[] = {
	{"chrome", gt_export_chrome, "JSON for chrome://tracing and others: for small cuts", false,
	 false},
	{"collapsed", gt_export_collapsed, "stacks for flamegraph.pl, inferno, speedscope: text",
	 false, false},
	{"csv", gt_export_csv, "a row for each state, wait and call of each thread: RFC 4180",
	 false, false},
	{"perfetto", gt_export_perfetto, "for ui.perfetto.dev and trace_processor", true, false},
	{"sqlite", SQLITE, "a database to ask own questions: docs/sqlite.md", true, true},
};

static void help(void)
{
	fputs("usage: gtrace export --to FORMAT [-o OUT] [OPTION]... FILE\n"
	      "\n"
	      "Writes a trace in the form of another tool. FORMAT:\n"
	      "\n",
	      stdout);
	for (size_t i = 0; i < GT_LEN(formats); i++) {
		printf("  %-9s    %s\n", formats[i].name, formats[i].doc);
	}
	fputs("\n"
	      "  -o OUT       the file to write; - is standard output, as without it\n" //
	      GT_WINDOW_HELP "  --system     also the tracer's or the Go runtime's own threads\n"
	      "  --weight W   collapsed: ns of block (the default), mutex, net, wait, syscall, "
	      "sched; or\n"
	      "               cpu, a number of samples: as gtrace pprof --type\n"
	      "  --events     sqlite: also a table of all events\n"
	      "\n"
	      "--to FORMAT and --to T can both be given.\n"
	      "\n"
	      "In perfetto and chrome a thread has a row of its waits and calls, and one of its "
	      "states. An\n"
	      "arrow leads from the moment at which a thread ended a wait, on its row, to the "
	      "state "
	      "in which\n"
	      "the other could run again. perfetto is of any size; viewers of chrome's JSON hold "
	      "all of it.\n"
	      "\n",
	      stdout);
	gt_export_csv_help(stdout);
	fputs("\n"
	      "FILE - is standard input. Exit status: 0 good, 1 the trace is not valid, 2 bad "
	      "usage, or\n"
	      "something cannot be read or written, 3 the trace is truncated: what is there is in "
	      "OUT.\n",
	      stdout);
}

static const struct format *format_named(const char *name)
{
	for (size_t i = 0; i < GT_LEN(formats); i++) {
		if (strcmp(formats[i].name, name) == 0) {
			return &formats[i];
		}
	}
	return NULL;
}

static int export_file(struct gt_export *x, const struct format *format, const char *to)
{
	struct gt_output out;
	struct gt_error e = {0};
	int status = GT_EXIT_GOOD;
	bool keep;
	int n;

	if (gt_output_open(&out, to) < 0) {
		return gt_cmd_trouble("export", to);
	}
	x->out = out.file;
	x->name = out.name;
	if (strcmp(to, "-") != 0) { /* or it could stand between the lines of the export */
		gt_progress_begin("export", x->path);
	}
	n = format->run(x, &e);
	gt_progress_end();
	if (n < 0) {
		status = gt_cmd_wrong("export", x->path, &e);
	}
	keep = status == GT_EXIT_GOOD || status == GT_EXIT_TRUNCATED;
	if (gt_output_close(&out, keep) < 0) {
		status = gt_cmd_trouble("export", to);
	}
	return status;
}

/* --to names a format, or is a time. */
static bool take_to(struct gt_export *x, const struct format **format)
{
	const struct format *named = format_named(optarg);

	if (named != NULL) {
		*format = named;
		return true;
	}
	return gt_window_take(&x->window, GT_WINDOW_TO, optarg);
}

/* Whether there is such a format (NULL: none was named) and it can go there; or it is said. */
static bool format_goes(const struct format *format, const char *to)
{
	if (format == NULL) {
		gt_cmd_usage("export", "no format named: --to FORMAT");
	} else if (format->run == NULL) {
		gt_cmd_usage("export", "this gtrace was built without SQLite; it is to be built "
				       "again where libsqlite3-dev is");
	} else if (strcmp(to, "-") == 0 &&
		   (format->by_name || (format->binary && isatty(STDOUT_FILENO)))) {
		gt_cmd_usage("export", "%s goes to a file: -o OUT", format->name);
	} else {
		return true;
	}
	return false;
}

int gt_cmd_export(int argc, char **argv)
{
	static const struct option options[] = {
		GT_WINDOW_OPTIONS,
		{"weight", required_argument, NULL, 'w'},
		{"system", no_argument, NULL, 's'},
		{"events", no_argument, NULL, 'e'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	const struct format *format = NULL;
	struct gt_export x = {.window = GT_WINDOW_ALL, .weight = gt_profile_type("block")};
	const char *to = "-";
	int c;

	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case GT_WINDOW_TO:
			if (!take_to(&x, &format)) {
				return gt_cmd_usage("export",
						    "--to %s: neither a format nor a time", optarg);
			}
			break;
		case GT_WINDOW_FROM:
		case GT_WINDOW_THREAD:
			if (!gt_window_take(&x.window, c, optarg)) {
				return gt_cmd_usage("export", "%s: expected a time, as 200ms",
						    optarg);
			}
			break;
		case 'w':
			x.weight = gt_profile_type(optarg);
			if (x.weight == NULL) {
				return gt_cmd_usage("export", "no weight \"%s\"", optarg);
			}
			break;
		case 's':
			x.system = true;
			break;
		case 'e':
			x.events = true;
			break;
		case 'o':
			to = optarg;
			break;
		case 'h':
			help();
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("export", NULL);
		}
	}
	if (argc - optind != 1) {
		return gt_cmd_usage("export", "expected one FILE");
	}
	if (!format_goes(format, to)) {
		return GT_EXIT_TROUBLE;
	}
	x.path = argv[optind];
	return export_file(&x, format, to);
}
