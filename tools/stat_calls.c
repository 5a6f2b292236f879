/*
 * The text view: calls by name, and spin locks.
 */
#include "stat_format.h"

#include <inttypes.h>
#include <stdlib.h>

#include "facts.h"

/* The stack with the largest share, and how many others there are. */
static uint32_t main_stack(const struct gt_model_pairs *pairs, uint32_t a, size_t *others)
{
	size_t n;
	const uint32_t *order = gt_model_pairs_of(pairs, a, &n);

	*others = n ? n - 1 : 0;
	return n ? gt_model_pair(pairs, order[0])->b : 0;
}

static void who(struct gt_details *d, const struct gt_model_pairs *pairs, uint32_t a,
		uint64_t whole)
{
	size_t n;
	const uint32_t *order = gt_model_pairs_of(pairs, a, &n);

	if (n == 1) {
		gt_details_add(
			d, gt_word("by %s",
				   gt_word_thread(d->st, gt_model_pair(pairs, order[0])->b, 40).s));
	} else {
		gt_details_parts(d, "by", pairs, a, whole);
	}
}

static void places(struct gt_details *d, size_t others)
{
	if (others != 0) {
		gt_details_add(d, gt_word("and from %s other place%s", gt_word_number(others).s,
					  gt_word_plural(others)));
	}
}

/* "12 failed: EAGAIN 10, EINTR 2" */
static void errors(struct gt_details *d, uint32_t index, const struct gt_model_call *call)
{
	enum { MOST = 3 };
	const struct gt_model_pairs *pairs = &d->st->model->call_error;
	size_t n;
	const uint32_t *order = gt_model_pairs_of(pairs, index, &n);
	struct gt_word w = gt_word("%s failed", gt_word_number(call->failed).s);

	for (size_t i = 0; i < n && i < MOST; i++) {
		const uint32_t error = gt_model_pair(pairs, order[i])->b;
		const char *name = gt_errno_name(error);

		w = gt_word("%.200s%s %s", w.s, i ? "," : ":",
			    name ? name : gt_word("error %" PRIu32, error).s);
		if (n > 1) {
			w = gt_word("%.250s %s", w.s,
				    gt_word_number(gt_model_share(pairs, order[i])->waits).s);
		}
	}
	if (n > MOST) {
		w = gt_word("%.250s, ...", w.s);
	}
	gt_details_add(d, w);
}

static void call_details(const struct gt_stat *st, FILE *out, uint32_t index, size_t others)
{
	const struct gt_model *model = st->model;
	const struct gt_model_call *call = gt_set_value(&model->calls, index);
	struct gt_details d = {.st = st, .out = out};

	who(&d, &model->call_thread, index, call->share.total);
	if (call->blocked.waits != 0 && call->blocked.waits != call->share.waits) {
		gt_details_add(
			&d, gt_word("%s took long, %s of it", gt_word_number(call->blocked.waits).s,
				    gt_word_percent(call->blocked.total, call->share.total).s));
	}
	if (call->failed != 0) {
		errors(&d, index, call);
	}
	if (call->untimed != 0) {
		gt_details_add(&d, gt_word("%s more, not timed", gt_word_number(call->untimed).s));
	}
	places(&d, others);
	gt_details_end(&d);
}

static void call_row(const struct gt_stat *st, FILE *out, uint32_t index, uint64_t number)
{
	const struct gt_model_call *call = gt_set_value(&st->model->calls, index);
	size_t others;
	const uint32_t stack = main_stack(&st->model->call_stack, index, &others);
	struct gt_call_name room;
	const char *const name = number ? gt_call_name(number, &room) : "(not ended)";

	gt_stat_fill(out, 3);
	gt_stat_time(st, out, call->share.total);
	gt_stat_right(st, out, GT_COLUMNS_TIME, gt_word_number(call->share.waits));
	gt_stat_time(st, out, call->share.waits ? call->share.total / call->share.waits : 0);
	gt_stat_time(st, out, gt_hist_part(&call->hist, 0.5));
	gt_stat_time(st, out, gt_hist_part(&call->hist, 0.99));
	gt_stat_time(st, out, call->share.max);
	fputs("   ", out);
	gt_stat_style(st, out, "1");
	fputs(name, out);
	if (stack != 0) {
		fprintf(out, ": %s", gt_word_stack(st, stack, gt_columns_behind(st, name), true).s);
	}
	gt_stat_style(st, out, "0");
	fputc('\n', out);
	if (st->full) {
		call_details(st, out, index, others);
	}
}

void gt_stat_calls(const struct gt_stat *st, FILE *out, size_t rows)
{
	const struct gt_model *model = st->model;
	uint32_t *order;
	const size_t most = st->full ? st->top : GT_MIN(st->top, rows);
	size_t shown = 0, hidden = 0;
	uint64_t whole = 0, hidden_times = 0;

	/* The system calls of Go's runtime have no names, and a table of the column "syscalls". */
	if (!model->by_gtrace || model->calls.count == 0) {
		return;
	}
	order = gt_model_longest(&model->calls);
	gt_stat_title(st, out, 5, "Calls");
	gt_stat_heads(st, out, GT_COLUMNS_TIME - 2, (const char *const[]){"total", NULL});
	gt_stat_heads(st, out, GT_COLUMNS_TIME,
		      (const char *const[]){"times", "mean", "p50", "p99", "max", NULL});
	fputs("   what, from where\n", out);
	for (size_t i = 0; i < model->calls.count; i++) {
		const struct gt_model_call *call = gt_set_value(&model->calls, order[i]);

		whole += call->share.total;
		if (shown++ < most &&
		    (st->top == SIZE_MAX || shown <= 3 || call->share.total * 1000 >= whole)) {
			call_row(st, out, order[i],
				 *(const uint64_t *)gt_set_key(&model->calls, order[i], NULL));
		} else {
			hidden++;
			hidden_times += call->share.waits + call->untimed;
		}
	}
	if (hidden) {
		fprintf(out, "   and %s other%s, %s times\n", gt_word_number(hidden).s,
			gt_word_plural(hidden), gt_word_number(hidden_times).s);
	}
	free(order);
}

void gt_stat_spins(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	uint32_t *order;

	if (model->spins.count == 0) {
		return;
	}
	order = gt_model_longest(&model->spins);
	gt_stat_title(st, out, 0, "Spinning");
	fputs(" for locks that were held, estimated from samples; the threads ran all the time\n",
	      out);
	for (size_t i = 0; i < model->spins.count && i < st->top; i++) {
		const struct gt_model_share *share = gt_set_value(&model->spins, order[i]);
		const struct gt_span_object *key = gt_set_key(&model->spins, order[i], NULL);
		struct gt_details d = {.st = st, .out = out};
		size_t others;
		const uint32_t stack = main_stack(&model->spin_stack, order[i], &others);

		gt_stat_fill(out, 3);
		gt_stat_time(st, out, share->total);
		gt_stat_right(st, out, GT_COLUMNS_TIME, gt_word_number(share->waits));
		fprintf(out, "   spin lock 0x%" PRIx64 ": %s\n", key->address,
			gt_word_stack(st, stack, GT_COLUMNS_STACK, true).s);
		who(&d, &model->spin_thread, order[i], share->total);
		places(&d, others);
		gt_details_end(&d);
	}
	free(order);
}
