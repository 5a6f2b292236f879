/*
 * gtrace stat: who ran, who waited where and for what, who woke whom.
 */
#include "cmd.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "stat_bytes.h"
#include "stat_view.h"

enum { TOP = 8 };

static const char help[] =
	"usage: gtrace stat [--full] [--json] [--from T] [--to T] [--thread X] [--object X]\n"
	"                   [--critical-path[=END]] [--top N] [--system] FILE...\n"
	"       gtrace stat --bytes [--json] FILE...\n"
	"\n"
	"Sums a trace up on one screen: deadlocks; the locks that threads waited for longest, who "
	"had\n"
	"them meanwhile, where and doing what, and what would help; where else threads waited; "
	"calls;\n"
	"and how long each thread ran and waited.\n"
	"\n"
	"  --full       all lists: every place, who held what, who woke whom\n"
	"  --top N      lines of a list; 0: all. By default 8, on the one screen less; with more\n"
	"               threads than that only their start routines are shown, and of waits what\n"
	"               counts: not those that all last until the end, nor those of less than a\n"
	"               thousandth of the time\n" //
	GT_WINDOW_HELP "  --object X   only waits for the object with this number (#3), address "
	"(0x5567), or name\n"
	"               of a global variable\n"
	"  --critical-path[=END]\n"
	"               what made END as late as it was, back through who was waited for. END:\n"
	"               longest-wait (if none is given), thread=X, or the name of a task\n"
	"  --system     also the tracer's or the Go runtime's own threads\n"
	"  --json       everything, as one JSON object a file, each in a line: docs/stat.md has "
	"the\n"
	"               keys\n"
	"  --bytes      instead of all this, where the bytes of the file are: by kind of event, "
	"fact\n"
	"               and table entry, and by field of each. Whether the events may happen is "
	"not\n"
	"               looked at; verify does that\n"
	"\n"
	"A wait lasts from the event that says that a thread blocks to the one that says that it "
	"may\n"
	"run again; from there to running it is runnable. A wait that is open at the end of the "
	"trace\n"
	"counts up to there. p50 and p99 are exact to 3 %. While threads wait for a lock the time "
	"is\n"
	"charged to who sets it free next, at the place of its unlock; the percentages of who held "
	"it\n"
	"are of the time waited. A lock that nobody waited for is not in a trace. System calls: "
	"with\n"
	"and without a processor. A call that was a wait, for the network or a child, stands among "
	"the\n"
	"waits and among the calls.\n"
	"\n"
	"FILE - is standard input. Exit status: 0 good, 1 a trace is not valid or truncated (what\n"
	"comes before is summed up), or what was asked for is not in it; 2 one cannot be read.\n";

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

static void watch_path(void *path, struct gt_model *model, const struct gt_span *span)
{
	gt_path_span(path, model, span);
}

/* Whether what was asked for is in the trace. */
static bool is_there(const struct gt_stat *st, const struct gt_path_found *path)
{
	const struct gt_model *model = st->model;
	const struct gt_model_cut *cut = &model->cut;
	bool thread = cut->window.thread == NULL, object = cut->object == NULL;

	for (uint32_t i = 0; !thread && i < gt_spans_threads(model->spans); i++) {
		thread = gt_window_thread(&cut->window, model->spans, i);
	}
	for (uint32_t i = 0; !object && i < gt_spans_objects(model->spans); i++) {
		object = gt_model_is_object(model, i, cut->object);
	}
	if (!thread) {
		fprintf(stderr, "gtrace stat: %s: no thread %s\n", st->path, cut->window.thread);
	} else if (!object) {
		fprintf(stderr, "gtrace stat: %s: nothing waited for an object %s\n", st->path,
			cut->object);
	} else if (path != NULL && path->error != 0) {
		fprintf(stderr, "gtrace stat: %s: critical path: temporary file: %s\n", st->path,
			strerror(path->error));
	} else if (path != NULL && !path->any) {
		fprintf(stderr, "gtrace stat: %s: critical path: no such end: %s\n", st->path,
			strcmp(st->path_end, "longest-wait") == 0 ? "no thread ended a wait"
								  : st->path_end);
	}
	return thread && object && (path == NULL || path->any);
}

/* Something is wrong with the file: says so, and keeps it for the view. The exit status. */
static int wrong(struct gt_stat *st, const struct gt_error *e)
{
	gt_error_text(e, st->message, sizeof(st->message));
	st->problem = st->message;
	st->truncated = e->kind == GT_ERROR_TRUNCATED;
	fprintf(stderr, "gtrace stat: %s: %s%s\n", st->path, st->truncated ? "truncated: " : "",
		st->message);
	return e->kind == GT_ERROR_READ ? GT_EXIT_TROUBLE : GT_EXIT_NO;
}

static int read_file(struct gt_stat *st)
{
	struct gt_error e = {0};
	struct gt_merge *merge = gt_merge_open(st->path, 0, &e);
	int status = GT_EXIT_GOOD, n;
	char spool[PATH_MAX];

	st->problem = NULL;
	st->truncated = false;
	gt_progress_begin("stat", st->path);
	n = merge != NULL ? gt_model_read(st->model, merge, &e) : -1;
	gt_progress_end();
	if (n < 0) {
		status = wrong(st, &e);
	}
	gt_merge_close(merge);
	snprintf(spool, sizeof(spool), "%s.spool", st->path);
	st->spool = access(spool, F_OK) == 0;
	return status;
}

/*
 * The address of a global by its name: the trace is read once for that, because what was mapped
 * where stands behind the events. NULL: there is none, or the file cannot be read.
 */
static const char *address_of(const char *path, const char *name, char *room, size_t size)
{
	struct gt_model *model = gt_model_create();
	struct gt_error e = {0};
	struct gt_merge *merge = gt_merge_open(path, 0, &e);
	const char *found = NULL, *global;

	if (merge != NULL) {
		gt_model_read(model, merge, &e);
	}
	for (uint32_t i = 0; i < gt_spans_objects(model->spans) && found == NULL; i++) {
		global = gt_model_global(model, i);
		if (global != NULL && strcmp(global, name) == 0) {
			snprintf(room, size, "0x%" PRIx64,
				 gt_spans_object(model->spans, i)->address);
			found = room;
		}
	}
	gt_merge_close(merge);
	gt_model_destroy(model);
	return found;
}

static int stat_file(struct gt_stat *st, const struct gt_model_cut *asked, bool json)
{
	struct gt_model_cut cut = *asked;
	char address[24];
	struct gt_path *path = NULL;
	struct gt_path_found found;
	int status;

	if (st->path_end != NULL && (path = gt_path_create(st->path_end)) == NULL) {
		fprintf(stderr, "gtrace stat: critical path: temporary file: %s\n",
			strerror(errno));
		return GT_EXIT_TROUBLE;
	}
	st->model = gt_model_create();
	if (cut.object != NULL && *cut.object != '#' && strncmp(cut.object, "0x", 2) != 0 &&
	    strcmp(st->path, "-") != 0) {
		cut.address = address_of(st->path, cut.object, address, sizeof(address));
	}
	gt_model_set_cut(st->model, &cut);
	if (path != NULL) {
		gt_model_set_watch(st->model, watch_path, path);
	}
	status = read_file(st);
	st->path_found = NULL;
	if (path != NULL && status != GT_EXIT_TROUBLE) {
		found = gt_path_find(path, st->model);
		st->path_found = &found;
	}
	if (status != GT_EXIT_TROUBLE) {
		(json ? gt_stat_json : gt_stat_text)(st, stdout);
	}
	if (status == GT_EXIT_GOOD && !is_there(st, st->path_found)) {
		status = GT_EXIT_NO;
	}
	gt_path_destroy(path);
	gt_model_destroy(st->model);
	return status;
}

static int bytes_file(struct gt_stat *st, bool json)
{
	struct gt_bytes *bytes = gt_alloc(sizeof(*bytes));
	struct gt_error e = {0};
	struct gt_reader *reader = gt_reader_open(st->path, &e);
	int status = GT_EXIT_GOOD, n;

	st->problem = NULL;
	st->truncated = false;
	gt_progress_begin("stat", st->path);
	n = reader != NULL ? gt_bytes_read(bytes, reader, &e) : -1;
	gt_progress_end();
	if (n < 0) {
		status = wrong(st, &e);
	}
	if (reader != NULL) {
		(json ? gt_stat_bytes_json : gt_stat_bytes_text)(st, bytes, stdout);
	}
	gt_reader_close(reader);
	free(bytes);
	return status;
}

int gt_cmd_stat(int argc, char **argv)
{
	static const struct option options[] = {
		{"top", required_argument, NULL, 't'},
		{"full", no_argument, NULL, 'f'},
		{"system", no_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"bytes", no_argument, NULL, 'b'},
		{"object", required_argument, NULL, 'o'},
		{"critical-path", optional_argument, NULL, 'c'},
		GT_WINDOW_OPTIONS,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct gt_stat st = {.top = TOP, .colour = wants_colour(), .utf8 = terminal_is_utf8()};
	struct gt_model_cut cut = {.window = GT_WINDOW_ALL};
	bool json = false, bytes = false, more = false;
	int c, worst = GT_EXIT_GOOD;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		char *end;

		more |= strchr("jbh", c) == NULL;
		switch (c) {
		case 't':
			errno = 0;
			st.top = strtoul(optarg, &end, 10);
			if (*optarg < '0' || *optarg > '9' || *end != '\0' || errno != 0) {
				return gt_cmd_usage("stat", "--top %s: expected a number", optarg);
			}
			st.top = st.top ? st.top : SIZE_MAX;
			break;
		case 'f':
			st.full = true;
			break;
		case 's':
			st.system = true;
			break;
		case 'j':
			json = true;
			break;
		case 'b':
			bytes = true;
			break;
		case 'o':
			cut.object = optarg;
			break;
		case 'c':
			st.path_end = optarg != NULL ? optarg : "longest-wait";
			break;
		case GT_WINDOW_FROM:
		case GT_WINDOW_TO:
		case GT_WINDOW_THREAD:
			if (!gt_window_take(&cut.window, c, optarg)) {
				return gt_cmd_usage("stat", "%s: expected a time: 1.5s, 200ms",
						    optarg);
			}
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
	if (bytes && more) {
		return gt_cmd_usage("stat", "--bytes goes with --json alone");
	}
	for (int i = optind; i < argc; i++) {
		int status;

		if (i > optind && !json) {
			fputs("\n\n", stdout);
		}
		st.path = argv[i];
		status = bytes ? bytes_file(&st, json) : stat_file(&st, &cut, json);
		worst = GT_MAX(worst, status);
	}
	return worst;
}
