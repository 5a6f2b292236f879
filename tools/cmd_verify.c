/*
 * gtrace verify: is this a valid trace?
 */
#include "cmd.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/spool.h"

#include "progress.h"
#include "sides.h"

enum { JOBS_MAX = 256 };

/* clang-format off */
static const char help[] =
	"usage: gtrace verify [--each] [--live] [--lenient] [--allow-truncated] [--jobs N] FILE...\n"
	"\n"
	"Reads traces and checks every rule of the format: batches, tables, clocks, and that the\n"
	"events can be ordered so that each may happen when it does. Prints one line a file:\n"
	"\n"
	"  FILE: ok: 12 generations, 34567 events, 8 Gs, 1.234 s\n"
	"  FILE: ok: ... 0.500 s; not all of 2 batches of facts is known to this gtrace\n"
	"  FILE: warning: recording ended early, 0.500 s after the start: no memory left (...)\n"
	"  FILE: truncated after 11 good generations: generation 12 is incomplete: ...\n"
	"  FILE: truncated after 12 good generations: process 4711 was killed in generation 13: ...\n"
	"  FILE: invalid: generation 3, M 4711, offset 815: GoStart g=7 g_seq=2: ...\n"
	"  FILE: unreadable: ...\n"
	"\n"
	"  --each     verify each generation also alone, as if the file had only that one\n"
	"  --live     also require what gtrace's own traces promise and Go's need not keep:\n"
	"             a status of every live G in every generation, one clock frequency, and\n"
	"             that no fact is unknown; without it a newer gtrace's facts are let pass\n"
	"  --lenient  accept what Go's reader accepts; by default the rules of its stricter\n"
	"             checker hold as well\n"
	"  --allow-truncated\n"
	"             a file whose last generation is missing or incomplete is good\n"
	"  -j, --jobs N  judge N generations at a time (as many as there are processors); they are\n"
	"             in memory together\n"
	"  -q, --quiet  print only what is not ok\n"
	"\n"
	"The file of a process that was killed may end between two generations, as a whole one does:\n"
	"that something is missing is known from FILE.spool, which a clean end removes.\n"
	"\n"
	"FILE - is standard input. Exit status: 0 all are valid, 1 one is not, 2 one cannot be\n"
	"read or is no trace at all, 3 one is truncated and nothing is worse.\n";
/* clang-format on */

static int report(const char *path, const struct gt_error *e, const char *how, uint64_t good)
{
	char text[sizeof(e->message) + 300];

	gt_error_text(e, text, sizeof(text));
	switch (e->kind) {
	case GT_ERROR_READ:
		printf("%s: unreadable: %s\n", path, e->message);
		return GT_EXIT_TROUBLE;
	case GT_ERROR_TRUNCATED:
		printf("%s: truncated after %" PRIu64
		       " good generation%s: %s; gtrace recover %s makes a whole trace of it\n",
		       path, good, good == 1 ? "" : "s", text, path);
		return GT_EXIT_TRUNCATED;
	default:
		printf("%s: invalid%s: %s\n", path, how, text);
		return GT_EXIT_NO;
	}
}

/*
 * Whether the spool beside a file says that a generation is missing from it: true, and that is
 * printed.
 */
static bool unfinished(const char *path, uint64_t good)
{
	char name[4096];
	struct gt_spool_head head;
	FILE *f;
	size_t n;
	bool alive;

	snprintf(name, sizeof(name), "%s" GT_SPOOL_SUFFIX, path);
	f = fopen(name, "rb");
	if (f == NULL) {
		return false;
	}
	n = fread(&head, 1, sizeof(head), f);
	fclose(f);
	if (n != sizeof(head) || memcmp(head.magic, GT_SPOOL_MAGIC, sizeof(head.magic)) != 0 ||
	    head.version != GT_SPOOL_VERSION || head.gen == 0) {
		return false;
	}
	alive = kill((pid_t)head.pid, 0) == 0 || errno == EPERM;
	printf("%s: truncated after %" PRIu64 " good generation%s: process %" PRIu32
	       " %s generation %" PRIu64 ": what it did in that one is missing here%s%s%s%s\n",
	       path, good, good == 1 ? "" : "s", head.pid,
	       alive ? "is still alive and writes" : "was killed in", head.gen,
	       alive ? "" : ", and is in ", alive ? "" : name,
	       alive ? "" : "; to put it together: gtrace recover ", alive ? "" : path);
	return true;
}

/* One pass over a file: 0, or -1 with *e. *good counts generations. */
static int pass(const char *path, unsigned flags, struct gt_tally *t, uint64_t *good,
		struct gt_error *e)
{
	const struct gt_event *ev;
	struct gt_merge *merge = gt_merge_open(path, flags, e);
	int n;

	*good = 0;
	if (merge == NULL) {
		return -1;
	}
	while ((n = gt_merge_skim(merge, &ev, &t->count, e)) > 0) {
		gt_tally_event(t, ev);
	}
	t->unread = gt_merge_unread(merge);
	*good = gt_merge_complete(merge);
	gt_merge_close(merge);
	return n;
}

/* As pass, by several threads where that works: 0 or -1. *alone: each generation is good alone. */
static int passes(const char *path, unsigned flags, unsigned jobs, struct gt_tally *t, bool *alone,
		  uint64_t *good, struct gt_error *e)
{
	*alone = jobs > 1 && strcmp(path, "-") != 0 && gt_sides_verify(path, flags, jobs, t);
	if (*alone) {
		return 0;
	}
	gt_tally_fini(t);
	*t = (struct gt_tally){0};
	return pass(path, flags, t, good, e);
}

/* What is valid and not the whole story. */
static void warn(const char *path, const struct gt_tally *t)
{
	for (size_t i = 0; i < t->broken.count; i++) {
		const struct gt_broken_off *b = &t->broken.array[i];
		const uint64_t ns = b->time - GT_MIN(b->time, t->count.first);
		struct gt_broken_words room;

		printf("%s: warning: recording ended early, %" PRIu64 ".%03" PRIu64
		       " s after the start: %s\n",
		       path, ns / 1000000000, ns / 1000000 % 1000, gt_broken_words(b, &room));
	}
}

static int verify(const char *path, unsigned flags, unsigned jobs, bool each, bool quiet)
{
	struct gt_tally t = {0};
	struct gt_error e = {0};
	const char *how = "";
	int status = GT_EXIT_GOOD;
	uint64_t good = 0, ns;
	bool alone;
	int n;

	gt_progress_begin("verify", path);
	n = passes(path, flags, jobs, &t, &alone, &good, &e);
	/* What is left of a truncated file is judged as well. */
	if (each && !alone && (n == 0 || e.kind == GT_ERROR_TRUNCATED)) {
		struct gt_tally ignored = {0};
		struct gt_error bad = {0};
		uint64_t n_good;

		if (pass(path, flags | GT_MERGE_ALONE, &ignored, &n_good, &bad) < 0 &&
		    bad.kind != GT_ERROR_TRUNCATED) {
			n = -1;
			e = bad;
			how = " where a generation is alone";
		}
		gt_tally_fini(&ignored);
	}
	gt_progress_end();
	ns = t.count.last - t.count.first;
	if (n < 0) {
		status = report(path, &e, how, good);
	} else if (unfinished(path, t.generations)) {
		status = GT_EXIT_TRUNCATED;
	} else if (!quiet) {
		printf("%s: ok: %" PRIu64 " generation%s, %" PRIu64 " events, %" PRIu64 " G%s, "
		       "%" PRIu64 ".%03" PRIu64 " s",
		       path, t.generations, t.generations == 1 ? "" : "s", t.count.events, t.gs,
		       t.gs == 1 ? "" : "s", ns / 1000000000, ns / 1000000 % 1000);
		if (t.unread != 0) {
			printf("; not all of %" PRIu64 " batch%s of facts is known to this gtrace",
			       t.unread, t.unread == 1 ? "" : "es");
		}
		putchar('\n');
		warn(path, &t);
	}
	gt_tally_fini(&t);
	return status;
}

/* 0 if it is no number of threads. */
static unsigned jobs_of(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	return *text >= '0' && *text <= '9' && *end == '\0' && n <= JOBS_MAX ? (unsigned)n : 0;
}

int gt_cmd_verify(int argc, char **argv)
{
	static const struct option options[] = {
		{"each", no_argument, NULL, 'e'},    {"live", no_argument, NULL, 'l'},
		{"lenient", no_argument, NULL, 'n'}, {"jobs", required_argument, NULL, 'j'},
		{"quiet", no_argument, NULL, 'q'},   {"allow-truncated", no_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},    {0},
	};
	unsigned flags = GT_MERGE_STRICT, jobs = 0;
	bool each = false, quiet = false, truncated_is_good = false;
	int c, worst = GT_EXIT_GOOD;

	while ((c = getopt_long(argc, argv, "j:qh", options, NULL)) != -1) {
		switch (c) {
		case 'e':
			each = true;
			break;
		case 'l':
			flags |= GT_MERGE_LIVE;
			break;
		case 't':
			truncated_is_good = true;
			break;
		case 'n':
			flags &= ~(unsigned)GT_MERGE_STRICT;
			break;
		case 'j':
			jobs = jobs_of(optarg);
			if (jobs == 0) {
				return gt_cmd_usage("verify", "--jobs %s: expected 1 to %u", optarg,
						    JOBS_MAX);
			}
			break;
		case 'q':
			quiet = true;
			break;
		case 'h':
			fputs(help, stdout);
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("verify", NULL);
		}
	}
	if (optind == argc) {
		return gt_cmd_usage("verify", "no file named");
	}
	if (jobs == 0) {
		long cpus = sysconf(_SC_NPROCESSORS_ONLN);

		jobs = (unsigned)GT_MAX(1, GT_MIN(cpus, JOBS_MAX));
	}
	for (int i = optind; i < argc; i++) {
		int status;

		if (each && strcmp(argv[i], "-") == 0) {
			return gt_cmd_usage("verify", "--each reads a file twice, which standard "
						      "input does not allow");
		}
		status = verify(argv[i], flags, jobs, each, quiet);
		if (status == GT_EXIT_TRUNCATED && truncated_is_good) {
			status = GT_EXIT_GOOD;
		}
		/* Truncated is the least that can be wrong, whatever its number. */
		if (worst == GT_EXIT_GOOD || worst == GT_EXIT_TRUNCATED ||
		    (status != GT_EXIT_GOOD && status != GT_EXIT_TRUNCATED && status > worst)) {
			worst = status != GT_EXIT_GOOD ? status : worst;
		}
	}
	return worst;
}
