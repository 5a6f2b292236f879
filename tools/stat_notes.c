/*
 * The text view: what is not in the trace, and settings that are not the usual ones.
 */
#include "stat_format.h"

#include "facts.h"

/* Left out because somebody chose so: that is no loss. */
static bool by_choice(unsigned loss)
{
	return loss == GT_LOSS_SHORT || loss == GT_LOSS_BUDGET_CALLS ||
	       loss == GT_LOSS_BUDGET_WAITS;
}

bool gt_stat_lost(const struct gt_model *model)
{
	bool lost = model->loss_unknown != 0 || model->unread != 0;

	for (unsigned i = 1; i < GT_LOSS_END; i++) {
		lost |= !by_choice(i) && model->loss[i] != 0;
	}
	return lost;
}

static void losses(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;

	for (unsigned i = 1; i < GT_LOSS_END; i++) {
		if (model->loss[i] && !by_choice(i)) {
			fprintf(out, "Lost: %s: %s\n", gt_loss_text(i),
				gt_word_number(model->loss[i]).s);
		}
	}
	if (model->loss_unknown) {
		fprintf(out, "Lost: something that this gtrace has no word for: %s\n",
			gt_word_number(model->loss_unknown).s);
	}
	if (model->unread) {
		fprintf(out, "Not read: facts of a newer gtrace, in %s batch%s\n",
			gt_word_number(model->unread).s, model->unread == 1 ? "" : "es");
	}
}

/* What was said about the trace: whether it was, and *value. */
static bool about(const struct gt_model *model, uint64_t what, uint64_t *value)
{
	for (size_t i = 0; i < model->about.count; i++) {
		if (*(const uint64_t *)gt_set_key(&model->about, i, NULL) == what) {
			*value = *(const uint64_t *)gt_set_value(&model->about, i);
			return true;
		}
	}
	return false;
}

bool gt_stat_over_budget(const struct gt_model *model)
{
	uint64_t share = 0;

	/* A tenth of it is measured no better than that. */
	return model->budget.steps != 0 && about(model, GT_ABOUT_BUDGET, &share) &&
	       (double)model->budget.cost * 1e6 > 1.1 * (double)share * (double)model->budget.cpu;
}

/* Calls that somebody chose not to trace. */
static void left_out(const struct gt_stat *st, FILE *out)
{
	static const uint64_t usual = 0
#define GT_CLASS(id, NAME, name, on, doc) | (uint64_t)(on) << (id)
#include "base/calls.def"
		;
	const struct gt_model *model = st->model;
	const uint64_t known = (UINT64_C(1) << GT_CLASS_END) - 1;
	struct gt_about_words room;
	uint64_t value;

	if (about(model, GT_ABOUT_CLASSES, &value) && (usual & ~value) != 0) {
		fprintf(out, "Left out: calls of class %s (GTRACE_EVENTS)\n",
			gt_class_words(usual & ~value & known, &room));
	}
	if (about(model, GT_ABOUT_MIN, &value) && value != 0) {
		fprintf(out, "Left out: %s call%s shorter than %s (GTRACE_MIN)\n",
			gt_word_number(model->loss[GT_LOSS_SHORT]).s,
			gt_word_plural(model->loss[GT_LOSS_SHORT]), gt_word_duration(st, value).s);
	} else if (model->loss[GT_LOSS_SHORT] != 0) {
		fprintf(out, "Left out: %s short call%s (GTRACE_MIN)\n",
			gt_word_number(model->loss[GT_LOSS_SHORT]).s,
			gt_word_plural(model->loss[GT_LOSS_SHORT]));
	}
}

/* What the overhead governor measured, and what it left out. */
static void budget(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	const struct gt_model_budget *b = &model->budget;
	const uint64_t calls = model->loss[GT_LOSS_BUDGET_CALLS];
	const uint64_t waits = model->loss[GT_LOSS_BUDGET_WAITS];
	struct gt_about_words room;
	uint64_t share;

	if (b->steps == 0 || !about(model, GT_ABOUT_BUDGET, &share)) {
		return;
	}
	fprintf(out,
		"GTRACE_BUDGET %s%s: tracing took %s of %s of processor time, %s of that with a "
		"lock held\n",
		gt_about_words(GT_ABOUT_BUDGET, share, &room),
		gt_stat_over_budget(model) ? " not kept" : "", gt_word_percent(b->cost, b->cpu).s,
		gt_word_duration(st, b->cpu).s, gt_word_duration(st, b->held).s);
	if (calls != 0 || waits != 0) {
		fprintf(out,
			"Left out for it: %s call%s (%s or so), %s wait%s (%s), all of which seem "
			"to run; stacks had %s frames\n",
			gt_word_number(calls).s, gt_word_plural(calls),
			gt_word_duration(st, b->calls_ns).s, gt_word_number(waits).s,
			gt_word_plural(waits), gt_word_duration(st, b->waits_ns).s,
			gt_word_number(b->depth_min).s);
	}
}

double gt_stat_running(const struct gt_model *model)
{
	const uint64_t ns = GT_MIN(model->to, model->end) - GT_MAX(model->from, model->begin);
	uint64_t running = 0;

	for (size_t i = 0; i < model->groups.count; i++) {
		running += ((struct gt_model_group *)gt_set_value(&model->groups, i))->running;
	}
	return ns != 0 ? (double)running / (double)ns : 0;
}

bool gt_stat_crowded(const struct gt_model *model)
{
	return model->by_gtrace && model->cpus != 0 &&
	       gt_stat_running(model) > 1.1 * (double)model->cpus;
}

/* Time that waits have from their threads' own work, where the trace says it. */
static void on_cpu(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	uint64_t waits = 0;
	uint64_t ns = 0;
	uint64_t used = 0;

	for (size_t i = 0; i < model->nthreads; i++) {
		waits += model->threads[i].counted.waits;
		ns += model->threads[i].counted.total;
		used += model->threads[i].on_cpu;
	}
	if (waits != 0) {
		fprintf(out,
			"Note: of %s in %s wait%s, until their threads ran again, these were on a "
			"processor for %s (GTRACE_CPU)\n",
			gt_word_duration(st, ns).s, gt_word_number(waits).s, gt_word_plural(waits),
			gt_word_duration(st, used).s);
	}
}

/* Nothing is there of what came later, and the file looks whole otherwise. */
static void broken(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	uint64_t pid;

	for (size_t i = 0; i < model->broken.count; i++) {
		const struct gt_broken_off *b = &model->broken.array[i];
		const uint32_t first = gt_spans_by_id(model->spans, b->first);
		struct gt_broken_words room;

		gt_stat_style(st, out, "31");
		fputs("Tracing ended early", out);
		/* A merged trace is of no one process. */
		if (!about(model, GT_ABOUT_PROCESS, &pid) && first != GT_SPAN_NONE) {
			fprintf(out, " in %s", gt_word_thread(st, first, 40).s);
		}
		fprintf(out, ": %s, ", gt_broken_words(b, &room));
		fprintf(out, "%s after the start; the program ran on\n",
			gt_word_duration(st, b->time - GT_MIN(b->time, model->begin)).s);
		gt_stat_style(st, out, "0");
	}
}

void gt_stat_notes(const struct gt_stat *st, FILE *out)
{
	static const struct {
		uint64_t what, value;
		const char *text;
	} unusual[] = {
		{GT_ABOUT_DEPTH, 0, "no stacks were taken (GTRACE_STACKS)"},
		{GT_ABOUT_TSC, 0, "time is the kernel's clock, which costs more than the TSC"},
		{GT_ABOUT_OWN_DESCRIPTORS, 0,
		 "gtrace's descriptors were in the program's own table"},
		{GT_ABOUT_FIND_OBJECT, 0, "code that was loaded late was found with a lock"},
		{GT_ABOUT_THREAD, 0, "gtrace's background thread could not be started"},
		{GT_ABOUT_SECCOMP, 1, "the program put itself under a seccomp filter"},
	};
	uint64_t value;

	broken(st, out);
	losses(st, out);
	left_out(st, out);
	budget(st, out);
	on_cpu(st, out);
	for (size_t i = 0; i < GT_LEN(unusual); i++) {
		if (about(st->model, unusual[i].what, &value) && value == unusual[i].value) {
			fprintf(out, "Note: %s\n", unusual[i].text);
		}
	}
	if (gt_stat_crowded(st->model)) {
		fputs("Note: more ran than there are CPUs: who is kept from running by the kernel "
		      "seems to run\n",
		      out);
	}
}
