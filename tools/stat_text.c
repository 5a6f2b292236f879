/*
 * The text view: one screen with the answer, or all lists.
 */
#include "stat_format.h"

#include <inttypes.h>
#include <stdlib.h>

/* --- The head --------------------------------------------------------------------------------- */

/* Since the beginning: "1.234 s". */
static struct gt_word point(const struct gt_stat *st, uint64_t time)
{
	return gt_word_duration(st, time - st->model->begin);
}

static void cut(const struct gt_stat *st, FILE *out)
{
	const struct gt_model_cut *cut = &st->model->cut;
	const char *const dot = st->utf8 ? " · " : " - ", *sep = " ";

	if (cut->window.from != 0 || cut->window.to != UINT64_MAX) {
		fprintf(out, "Only from %s to %s", point(st, st->model->from).s,
			point(st, GT_MIN(st->model->to, st->model->end)).s);
		sep = dot;
	} else if (cut->window.thread != NULL || cut->object != NULL) {
		fputs("Only", out);
	} else {
		return;
	}
	if (cut->window.thread != NULL) {
		fprintf(out, "%sthread %s", sep, gt_word_clip(st, cut->window.thread, 40).s);
		sep = dot;
	}
	if (cut->object != NULL) {
		fprintf(out, "%sobject %s", sep, gt_word_clip(st, cut->object, 40).s);
	}
	fputc('\n', out);
}

static void head(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	const char *const who = model->by_gtrace ? "thread" : "goroutine";
	const char *const dot = st->utf8 ? "·" : "-";
	const uint64_t ns = GT_MIN(model->to, model->end) - GT_MAX(model->from, model->begin);
	const double running = gt_stat_running(model);

	gt_stat_style(st, out, "1");
	fputs(st->path, out);
	gt_stat_style(st, out, "0");
	fprintf(out, "  %" PRIu64 ".%03" PRIu64 " s %s %s %s%s", ns / 1000000000,
		ns / 1000000 % 1000, dot, gt_word_number(model->users).s, who,
		gt_word_plural(model->users));
	if (model->cpus) {
		fprintf(out, " %s %" PRIu64 " CPU%s", dot, model->cpus,
			gt_word_plural(model->cpus));
	}
	fprintf(out, " %s %.2f running on average\n", dot, running);
	fprintf(out, "%s events in %s generation%s, written by %s", gt_word_number(model->events).s,
		gt_word_number(model->generations).s, gt_word_plural(model->generations),
		model->by_gtrace ? "gtrace" : "Go's runtime");
	if (st->problem == NULL && model->broken.count == 0 && !gt_stat_lost(model)) {
		fprintf(out, "; whole%s", model->by_gtrace ? ", nothing lost" : "");
	}
	fputc('\n', out);
	gt_stat_problem(st, out);
	if (st->spool) {
		fprintf(out,
			"Note: %s.spool is there: the program still runs, or was killed, and "
			"gtrace "
			"recover has its end\n",
			st->path);
	}
	cut(st, out);
	gt_stat_notes(st, out);
}

/* --- The end -----------------------------------------------------------------------------------
 */

/* Items after a title, with a separator between them, in lines that are not too wide. */
struct items {
	FILE *out;
	size_t at;
	const char *before; /* the next one */
};

static void item(const struct gt_stat *st, struct items *items, struct gt_word w)
{
	const size_t n = gt_word_columns(st, w.s) + 2;

	fputs(items->before, items->out);
	if (items->at + n > GT_COLUMNS) {
		fputs("\n  ", items->out);
		items->at = 2;
	}
	fprintf(items->out, " %s", w.s);
	items->at += n;
	items->before = ",";
}

static void ends(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	static const char title[] = "What ended the waits";
	static const struct {
		unsigned how;
		const char *text, *go;
	} kinds[] = {
		{GT_ENDED_WAKER, "a named thread", "a goroutine"},
		{GT_ENDED_REFUSED, "a named one without an arrow", ""},
		{GT_ENDED_NOBODY, "nobody seen", "the runtime (timer, network)"},
		{GT_ENDED_TIMEOUT, "timeout", ""},
		{GT_ENDED_CANCELLED, "cancellation", ""},
		{GT_ENDED_ERROR, "an error", ""},
	};
	struct items items = {.out = out, .at = sizeof(title), .before = ":"};
	uint64_t whole = 0;

	for (unsigned i = GT_SPAN_OPEN + 1; i < GT_ENDED_END; i++) {
		whole += model->how[i];
	}
	if (whole + model->how[GT_SPAN_OPEN] + model->how[GT_SPAN_RETURNED] == 0) {
		return;
	}
	gt_stat_title(st, out, 0, title);
	for (size_t i = 0; i < GT_LEN(kinds); i++) {
		const uint64_t n = model->how[kinds[i].how];

		if (n) {
			item(st, &items,
			     gt_word("%s %s (%s)", model->by_gtrace ? kinds[i].text : kinds[i].go,
				     gt_word_percent(n, whole).s, gt_word_number(n).s));
		}
	}
	items.before = whole ? ";" : items.before;
	if (model->how[GT_SPAN_RETURNED]) {
		item(st, &items,
		     gt_word("network or time %s", gt_word_number(model->how[GT_SPAN_RETURNED]).s));
	}
	if (model->how[GT_SPAN_OPEN]) {
		item(st, &items,
		     gt_word("not ended %s", gt_word_number(model->how[GT_SPAN_OPEN]).s));
	}
	fputc('\n', out);
}

/* --- Both views --------------------------------------------------------------------------------
 */

enum {
	LINES = 40,
	AROUND = 8, /* lines of the screen behind calls, without the rows of threads */
};

/* How many rows fit where around them so many lines more are to come. */
static size_t rows_left(const char *text, size_t around, size_t least, size_t most)
{
	for (; *text; text++) {
		around += *text == '\n';
	}
	return around + least > LINES ? least : GT_MIN(LINES - around, most);
}

static void screen(const struct gt_stat *st, FILE *out)
{
	char *text = NULL;
	size_t size = 0;
	FILE *room = open_memstream(&text, &size);

	if (room == NULL) {
		abort();
	}
	head(st, room);
	gt_stat_deadlocks(st, room);
	gt_stat_path(st, room);
	if (st->path_end == NULL) { /* else that was the question */
		gt_stat_locks(st, room);
		gt_stat_orders(st, room);
		gt_stat_sites(st, room);
		fflush(room);
		gt_stat_calls(st, room, rows_left(text, 3 + 1 + AROUND, 1, 3));
		gt_stat_spins(st, room);
		fflush(room);
		gt_stat_threads(st, room, rows_left(text, AROUND, 1, 6));
		ends(st, room);
		fputs("\nMore: --full, --critical-path, --from --to --thread --object; gtrace stat "
		      "--help\n",
		      room);
	}
	fclose(room);
	fputs(text, out);
	free(text);
}

void gt_stat_text(const struct gt_stat *st, FILE *out)
{
	if (!st->full) {
		screen(st, out);
		return;
	}
	head(st, out);
	gt_stat_deadlocks(st, out);
	gt_stat_path(st, out);
	gt_stat_locks(st, out);
	gt_stat_orders(st, out);
	gt_stat_sites(st, out);
	gt_stat_calls(st, out, SIZE_MAX);
	gt_stat_spins(st, out);
	gt_stat_threads(st, out, SIZE_MAX);
	gt_stat_owners(st, out);
	gt_stat_wakes(st, out);
	ends(st, out);
}
