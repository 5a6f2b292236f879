/*
 * The text view: deadlocks, and orders of locks that may end in one.
 */
#include "stat_format.h"

static void stuck_line(const struct gt_stat *st, FILE *out, const struct gt_model_stuck *s)
{
	const struct gt_span_object *o =
		s->object != GT_MODEL_NONE ? gt_spans_object(st->model->spans, s->object) : NULL;
	const struct gt_word who = gt_word_thread(st, s->thread, GT_COLUMNS_NAME);
	const struct gt_word owner = gt_word_thread(st, s->owner, GT_COLUMNS_NAME);

	fputs("   ", out);
	gt_stat_left(st, out, 20, who);
	if (o == NULL || o->kind == GT_OBJECT_THREAD) {
		fprintf(out, " waits for %s to end", owner.s);
	} else {
		fprintf(out, " waits for %s, which %s has", gt_word_lock(st, s->object).s,
			s->owner == s->thread ? "it itself" : owner.s);
	}
	fprintf(out, ": in %s\n", gt_word_stack(st, s->stack, 60, true).s);
}

void gt_stat_deadlocks(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;

	for (uint32_t cycle = 1; cycle <= model->cycles; cycle++) {
		uint64_t since = 0;
		size_t n = 0, more = 0;

		for (size_t i = 0; i < model->nstuck; i++) {
			if (model->stuck[i].cycle == cycle) {
				n++;
				since = GT_MAX(since, model->stuck[i].since);
			}
		}
		fputc('\n', out);
		gt_stat_style(st, out, "1;31");
		fprintf(out,
			n == 1 ? "Deadlock: %zu thread waits for itself"
			       : "Deadlock: %zu threads wait for each other",
			n);
		gt_stat_style(st, out, "0");
		fprintf(out, ", for %s, until the end of the trace\n",
			gt_word_duration(st, model->end - since).s);
		for (size_t i = 0; i < model->nstuck; i++) {
			if (model->stuck[i].cycle == cycle && (more < 8 || st->full)) {
				stuck_line(st, out, &model->stuck[i]);
				more++;
			}
		}
		if (more < n) {
			fprintf(out, "   and %zu more\n", n - more);
		}
	}
}

static void ring(const struct gt_stat *st, FILE *out, const struct gt_model_ring *ring)
{
	struct gt_model *model = st->model;

	for (size_t i = 0; i < ring->n; i++) {
		const struct gt_model_order *order = gt_model_order(model, ring, i);
		const uint32_t *held = gt_set_value(&model->locks, ring->locks[i]);
		const uint32_t *wanted =
			gt_set_value(&model->locks, ring->locks[(i + 1) % ring->n]);

		fprintf(out, "   %s %s, then %s: %s%s in %s, %s time%s\n", i ? "but" : "   ",
			gt_word_lock(st, *held).s, gt_word_lock(st, *wanted).s,
			gt_word_thread(st, order->thread, GT_COLUMNS_NAME).s,
			order->others ? " and others" : "",
			gt_word_stack(st, order->stack, 50, false).s, gt_word_number(order->sure).s,
			gt_word_plural(order->sure));
	}
}

/* Where there is a deadlock it says the same, and better. */
void gt_stat_orders(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	const size_t most = st->full ? st->top : 1;

	if (model->nrings == 0 || (model->cycles != 0 && !st->full)) {
		return;
	}
	gt_stat_title(st, out, 0, "Lock order");
	fputs(" that may end in a deadlock: a lock held while the next one was waited for\n", out);
	for (size_t i = 0; i < model->nrings && i < most; i++) {
		ring(st, out, &model->rings[i]);
	}
	if (model->nrings > most) {
		fprintf(out, "   and %zu more such circles\n", model->nrings - most);
	}
}
