/*
 * The text view: one screen with the answer, or all lists.
 */
#include "stat_format.h"

#include <inttypes.h>

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
	uint64_t running = 0;

	for (size_t i = 0; i < model->groups.count; i++) {
		running += ((struct gt_model_group *)gt_set_value(&model->groups, i))->running;
	}
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
	fprintf(out, " %s %.2f running on average\n", dot, ns ? (double)running / (double)ns : 0.0);
	fprintf(out, "%s events in %s generation%s, written by %s", gt_word_number(model->events).s,
		gt_word_number(model->generations).s, gt_word_plural(model->generations),
		model->by_gtrace ? "gtrace" : "Go's runtime");
	if (st->problem == NULL && !gt_stat_lost(model)) {
		fprintf(out, "; whole%s", model->by_gtrace ? ", nothing lost" : "");
	}
	fputc('\n', out);
	if (st->problem) {
		gt_stat_style(st, out, "31");
		fprintf(out, "%s: %s\n",
			st->truncated ? "Cut off: what follows is about what came before"
				      : "Not valid: what follows is about what came before",
			st->problem);
		gt_stat_style(st, out, "0");
	}
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

void gt_stat_text(const struct gt_stat *st, FILE *out)
{
	head(st, out);
	gt_stat_deadlocks(st, out);
	gt_stat_path(st, out);
	if (st->path_end != NULL && !st->full) {
		return; /* that was the question */
	}
	gt_stat_locks(st, out);
	gt_stat_orders(st, out);
	gt_stat_sites(st, out);
	gt_stat_calls(st, out);
	gt_stat_spins(st, out);
	gt_stat_threads(st, out);
	if (st->full) {
		gt_stat_owners(st, out);
		gt_stat_wakes(st, out);
	}
	gt_stat_ends(st, out);
	if (!st->full) {
		fputs("\nMore: --full, --critical-path, --from --to --thread --object; gtrace stat "
		      "--help\n",
		      out);
	}
}
