/*
 * gtrace diff: what got slower from one trace to another.
 */
#include "cmd.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diff.h"
#include "json.h"
#include "progress.h"
#include "stat_format.h"

/* clang-format off */
static const char help[] =
	"usage: gtrace diff [--json] [--top N] BEFORE AFTER\n"
	"\n"
	"What threads waited for in two traces, a second of each: by site (what for, and the functions\n"
	"on the stack), by object (told by where most waited for it, as addresses differ from run to\n"
	"run) and by start routine. What has grown most comes first, what has shrunk most last.\n"
	"\n"
	"  --top N  rows of a list at most, of each end of it (8)\n"
	"  --json   one line of JSON, with all rows and with sums of the whole traces\n"
	"\n"
	"Exit status: 0 good, 1 a trace is not valid or truncated (what comes before is compared), 2\n"
	"one cannot be read.\n";
/* clang-format on */

static const char *const titles[GT_DIFF_TABLES] = {"Sites", "Objects", "Routines"};
static const char *const keys[GT_DIFF_TABLES] = {"sites", "objects", "routines"};

static bool terminal_is_utf8(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	const bool is =
		locale != (locale_t)0 && strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;

	if (locale != (locale_t)0) {
		freelocale(locale);
	}
	return is;
}

/* --- Text --------------------------------------------------------------------------------- */

static uint64_t a_second(const struct gt_diff *d, unsigned side, uint64_t n)
{
	return d->duration[side] != 0
		       ? (uint64_t)((double)n * 1e9 / (double)d->duration[side] + 0.5)
		       : 0;
}

static void print_row(const struct gt_diff *d, const struct gt_diff_row *row,
		      const struct gt_stat *st)
{
	const uint64_t size = (uint64_t)(row->grown < 0 ? -row->grown : row->grown);
	struct gt_word w = gt_word_duration(st, size);

	gt_stat_right(st, stdout, 11, gt_word("%c%s", row->grown < 0 ? '-' : '+', w.s));
	for (unsigned k = 0; k < 2; k++) {
		gt_stat_right(st, stdout, 10,
			      gt_word_duration(st, a_second(d, k, row->side[k].total)));
	}
	for (unsigned k = 0; k < 2; k++) {
		gt_stat_right(st, stdout, 10, gt_word_number(a_second(d, k, row->side[k].times)));
	}
	for (unsigned k = 0; k < 2; k++) {
		gt_stat_right(st, stdout, 10,
			      gt_word_duration(st, gt_hist_part(&row->side[k].hist, 0.99)));
	}
	printf("   %s\n", gt_word_clip(st, row->name, 300).s);
}

static bool is_shown(const struct gt_diff_row *row)
{
	return row->side[0].times != 0 || row->side[1].times != 0;
}

static void print_table(const struct gt_diff *d, enum gt_diff_table table, size_t top,
			const struct gt_stat *st)
{
	const struct gt_diff_rows *rows = &d->rows[table];
	size_t shown = 0, left = 0;

	printf("\n%-8s grown  time/s before     after  waits before     after p99 before     "
	       "after\n",
	       titles[table]);
	for (size_t i = 0; i < rows->n; i++) {
		if (!is_shown(&rows->array[i])) {
			continue;
		}
		if (i >= top && i + top < rows->n) {
			left++;
			continue;
		}
		if (left != 0) {
			printf("   ... %zu more\n", left);
			left = 0;
		}
		print_row(d, &rows->array[i], st);
		shown++;
	}
	if (shown == 0) {
		printf("   nothing was waited for\n");
	}
}

static void print_text(const struct gt_diff *d, char *const *paths, size_t top)
{
	const struct gt_stat st = {.utf8 = terminal_is_utf8()};

	for (unsigned k = 0; k < 2; k++) {
		printf("%-7s %s  %s, %" PRIu64 " threads\n",
		       k == 0 ? "before:" : "after:", paths[k],
		       gt_word_duration(&st, d->duration[k]).s, d->threads[k]);
	}
	printf("Waits and calls, a second of each trace.\n");
	for (enum gt_diff_table t = 0; t < GT_DIFF_TABLES; t++) {
		print_table(d, t, top, &st);
	}
}

/* --- JSON --------------------------------------------------------------------------------- */

static void put_pair(struct gt_json *j, const char *name, uint64_t before, uint64_t after)
{
	gt_json_key(j, name);
	gt_json_begin(j, '[');
	gt_json_put_number(j, before);
	gt_json_put_number(j, after);
	gt_json_end(j, ']');
}

static void put_row(struct gt_json *j, const struct gt_diff_row *row, enum gt_diff_table table)
{
	const struct gt_diff_side *a = &row->side[0], *b = &row->side[1];
	char number[32];

	gt_json_begin(j, '{');
	gt_json_string(j, "name", row->name);
	snprintf(number, sizeof(number), "%.0f", row->grown);
	gt_json_word(j, "grown_ns_per_s", number);
	put_pair(j, "times", a->times, b->times);
	put_pair(j, "total_ns", a->total, b->total);
	put_pair(j, "p99_ns", gt_hist_part(&a->hist, 0.99), gt_hist_part(&b->hist, 0.99));
	if (table == GT_DIFF_ROUTINES) {
		put_pair(j, "threads", a->threads, b->threads);
		put_pair(j, "running_ns", a->running, b->running);
		put_pair(j, "runnable_ns", a->runnable, b->runnable);
	} else if (table == GT_DIFF_OBJECTS) {
		put_pair(j, "objects", a->threads, b->threads);
	}
	gt_json_end(j, '}');
}

static void print_json(const struct gt_diff *d, char *const *paths)
{
	struct gt_json j = {.out = stdout};

	gt_json_begin(&j, '{');
	gt_json_key(&j, "traces");
	gt_json_begin(&j, '[');
	for (unsigned k = 0; k < 2; k++) {
		gt_json_begin(&j, '{');
		gt_json_string(&j, "path", paths[k]);
		gt_json_number(&j, "duration_ns", d->duration[k]);
		gt_json_number(&j, "threads", d->threads[k]);
		gt_json_end(&j, '}');
	}
	gt_json_end(&j, ']');
	for (enum gt_diff_table t = 0; t < GT_DIFF_TABLES; t++) {
		gt_json_key(&j, keys[t]);
		gt_json_begin(&j, '[');
		for (size_t i = 0; i < d->rows[t].n; i++) {
			put_row(&j, &d->rows[t].array[i], t);
		}
		gt_json_end(&j, ']');
	}
	gt_json_end(&j, '}');
	putchar('\n');
}

/* --- The command -------------------------------------------------------------------------- */

static int diff(char *const *paths, bool json, size_t top)
{
	struct gt_diff d = {0};
	int status = GT_EXIT_GOOD;

	for (unsigned k = 0; k < 2; k++) {
		struct gt_error e = {0};
		int n;

		gt_progress_begin("diff", paths[k]);
		n = gt_diff_add(&d, k, paths[k], &e);
		gt_progress_end();
		if (n < 0) {
			const int wrong = gt_cmd_wrong("diff", paths[k], &e);

			status = GT_MAX(status, wrong == GT_EXIT_TROUBLE ? wrong : GT_EXIT_NO);
		}
	}
	if (status != GT_EXIT_TROUBLE) {
		gt_diff_finish(&d);
		if (json) {
			print_json(&d, paths);
		} else {
			print_text(&d, paths, top);
		}
	}
	gt_diff_fini(&d);
	return status;
}

int gt_cmd_diff(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"top", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	unsigned long top = 8;
	bool json = false;
	char *end;
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 't':
			errno = 0;
			top = strtoul(optarg, &end, 10);
			if (*optarg < '0' || *optarg > '9' || *end != '\0' || errno != 0) {
				return gt_cmd_usage("diff", "--top: \"%s\" is no number", optarg);
			}
			break;
		case 'h':
			fputs(help, stdout);
			return GT_EXIT_GOOD;
		default:
			return gt_cmd_usage("diff", NULL);
		}
	}
	if (optind + 2 != argc) {
		return gt_cmd_usage("diff", "expected two traces");
	}
	return diff(argv + optind, json, top);
}
