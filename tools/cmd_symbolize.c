/*
 * gtrace symbolize: functions, files and lines for the stacks of a trace.
 */
#include "cmd.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "pack.h"
#include "progress.h"
#include "spool.h"
#include "symbolize.h"
#include "views.h"

/* clang-format off */
static const char help[] =
	"usage: gtrace symbolize [-o OUT] [-d PATH] [-p MAP] [-v]\n"
	"                        [--zstd[=LEVEL]] FILE\n"
	"\n"
	"Gives the stacks of a trace source files and lines, frames for inlined functions, and\n"
	"names of C++ and Rust as people write them, so that go tool trace and all other views\n"
	"show them. gtrace run does it at its end. Nothing else in the trace changes; done again,\n"
	"it stays as it is.\n"
	"\n"
	"  -o, --output OUT      write there; default: FILE is replaced, once all is written\n"
	"  -d, --debug-path PATH where separate debug files are, as elfutils takes it: folders\n"
	"                        with colons; an absolute one also holds .build-id/. Default:\n"
	"                        beside the program, .debug there, and /usr/lib/debug\n"
	"  -p, --perf-map MAP    names of code made at run time; default: /tmp/perf-PID.map of the\n"
	"                        traced process, if its owner wrote it and it is not older than\n"
	"                        the trace (node --perf-basic-prof, python -X perf, Java's agents)\n"
	"      --zstd[=LEVEL]    compress it, 1 to 19 (3 is usual), as FILE.zst does by its name; what\n"
	"                        replaces a compressed FILE is compressed\n"
	"  -v, --verbose         also say of each program and library what was found\n"
	"  -h, --help            this text\n"
	"\n"
	"The programs and libraries are looked for where they were, and compared by build id: of\n"
	"one that has changed since, the frames are left as they are. Its debug information may be\n"
	"in the file, in a separate one found by build id or .gnu_debuglink (packages NAME-dbg,\n"
	"NAME-dbgsym), or with a debuginfod server: where DEBUGINFOD_URLS names one, it is asked,\n"
	"and files are fetched into debuginfod's cache. Without that variable nothing goes over a\n"
	"network.\n"
	"\n"
	"A frame of an inlined function has the pc of the code plus, in bits 56 to 63, its depth.\n"
	"\n"
	"FILE - is standard input, and OUT - standard output. Exit status: 0 good (what was not\n"
	"found is said), 1 the trace is not valid, 2 it cannot be read or written, or gtrace was\n"
	"built without elfutils, 3 it is truncated: its whole generations are done, the rest is\n"
	"kept as it is.\n";
/* clang-format on */

struct symbolize {
	const char *path, *output;
	unsigned zstd;
	bool verbose;
	struct gt_symbolize_options options;
};

static void put_count(FILE *out, size_t n, const char *what)
{
	fprintf(out, "%zu %s%s", n, what, n == 1 ? "" : "s");
}

/* A path out of the trace: it may hold anything, and a terminal obeys some of it. */
static void put_path(FILE *out, const char *path)
{
	const struct gt_text text = {path, strlen(path)};

	gt_view_name(out, &text);
}

static void put_file(FILE *out, const char *path, const struct gt_sym_file *f)
{
	fputs("  ", out);
	put_path(out, path);
	fputs(": ", out);
	put_count(out, f->places, "place");
	if (f->lines > 0) {
		fprintf(out, ", %zu with file and line", f->lines);
	}
	if (f->inlined > 0) {
		fputs(", ", out);
		put_count(out, f->inlined, "inlined frame");
	}
	if (*f->reason != '\0') {
		fprintf(out, ": %s", f->reason);
	} else if (f->debug != NULL && strcmp(f->debug, path) != 0) {
		fprintf(out, ", from %s", f->debug);
	}
	fputc('\n', out);
}

static void report(const struct symbolize *o, const struct gt_symbolizer *s, FILE *out)
{
	const struct gt_symbolize_sum *sum = gt_symbolizer_sum(s);
	const struct gt_sym_file *f;
	const char *path;
	size_t places = 0, lines = 0, inlined = 0, without = 0;

	for (size_t i = 0; (f = gt_symbolizer_file(s, i, &path)) != NULL; i++) {
		places += f->places;
		lines += f->lines;
		inlined += f->inlined;
		without += f->places > 0 && f->lines == 0;
		if (f->state == GT_SYM_CHANGED && !o->verbose) {
			fputs("gtrace symbolize: ", stderr);
			put_path(stderr, path);
			fprintf(stderr, ": left as it is: %s\n", f->reason);
		}
	}
	if (*sum->perf != '\0') {
		fprintf(stderr, "gtrace symbolize: %s\n", sum->perf);
	}
	fprintf(out, "%s: ", o->path);
	if (!sum->mappings) {
		fputs(sum->generations > 0 ? "says of no code where it was mapped from: only names "
					     "could be told better\n"
					   : "holds nothing\n",
		      out);
		return;
	}
	put_count(out, places, "place");
	fprintf(out, " in code of files, %zu with file and line", lines);
	if (inlined > 0) {
		fprintf(out, ", ");
		put_count(out, inlined, "inlined frame");
	}
	if (sum->jit > 0 || sum->jit_lost > 0) {
		fprintf(out, "; in code made at run time %zu named, %zu not", sum->jit,
			sum->jit_lost);
	}
	if (without > 0 && !o->verbose) {
		fprintf(out, "; no lines for ");
		put_count(out, without, "file");
		fputs(" (-v says why)", out);
	}
	fputc('\n', out);
	for (size_t i = 0; o->verbose && (f = gt_symbolizer_file(s, i, &path)) != NULL; i++) {
		if (f->places > 0) {
			put_file(out, path, f);
		}
	}
}

/* Symbolizes into *out, and closes it: the exit status. */
static int write_out(const struct symbolize *o, struct gt_symbolizer *s, struct gt_output *out)
{
	struct gt_error e = {0};
	int status = GT_EXIT_GOOD;
	int n, reason;

	gt_progress_begin("symbolize", o->path);
	n = gt_symbolize(s, o->path, out->file, &e);
	reason = errno;
	gt_progress_end();
	if (n < 0 && e.kind == GT_ERROR_NONE) { /* it could not be written */
		gt_output_close(out, false);
		errno = reason;
		return gt_cmd_trouble("symbolize", o->output);
	}
	if (n < 0) {
		status = gt_cmd_wrong("symbolize", o->path, &e);
	}
	if (gt_output_close(out, status == GT_EXIT_GOOD || status == GT_EXIT_TRUNCATED) < 0) {
		return gt_cmd_trouble("symbolize", o->output);
	}
	return status;
}

static int run(const struct symbolize *o)
{
	struct gt_symbolizer *s;
	struct gt_output out;
	int status;

	if (gt_output_open_trace(&out, o->output, o->zstd) < 0) {
		return gt_cmd_trouble("symbolize", o->output);
	}
	s = gt_symbolizer_new(&o->options);
	status = write_out(o, s, &out);
	if (status == GT_EXIT_GOOD || status == GT_EXIT_TRUNCATED) {
		report(o, s, strcmp(o->output, "-") == 0 ? stderr : stdout);
	}
	gt_symbolizer_free(s);
	return status;
}

int gt_cmd_symbolize(int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"debug-path", required_argument, NULL, 'd'},
		{"perf-map", required_argument, NULL, 'p'},
		{"verbose", no_argument, NULL, 'v'},
		GT_PACK_OPTION,
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct symbolize o = {0};
	int c;

	while ((c = getopt_long(argc, argv, "o:d:p:vh", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			o.output = optarg;
			break;
		case 'd':
			o.options.debug_path = optarg;
			break;
		case 'p':
			o.options.perf_map = optarg;
			break;
		case 'v':
			o.verbose = true;
			break;
		case GT_PACK_LETTER:
			o.zstd = gt_pack_level(optarg);
			if (o.zstd == 0) {
				return gt_cmd_usage("symbolize", "--zstd=%s: expected 1 to 19",
						    optarg);
			}
			break;
		case 'h':
			fputs(help, stdout);
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("symbolize", NULL);
		}
	}
	if (optind + 1 != argc) {
		return gt_cmd_usage("symbolize", "expected one trace");
	}
	o.path = argv[optind];
	if (gt_sym_missing() != NULL) {
		fprintf(stderr, "gtrace symbolize: this gtrace was built without %s\n",
			gt_sym_missing());
		return GT_EXIT_TROUBLE;
	}
	if (isatty(STDERR_FILENO)) {
		setenv("DEBUGINFOD_PROGRESS", "1",
		       0); /* says what it fetches, which may take long */
	}
	if (o.output == NULL) {
		o.output = o.path;
		if (gt_spool_is_beside(o.path)) {
			fprintf(stderr,
				"gtrace symbolize: %s: %s.spool stands beside it: it is being "
				"written, or gtrace recover has to finish it; or name an OUT\n",
				o.path, o.path);
			return GT_EXIT_TROUBLE;
		}
	}
	return run(&o);
}
