/*
 * The critical path as text and as JSON.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "facts.h"
#include "stat_format.h"
#include "stat_json.h"

enum { PARTS = 8, STEPS = 8 };

/* --- Text ------------------------------------------------------------------------------------- */

static struct gt_word what(const struct gt_stat *st, const struct gt_path_part *part)
{
	const struct gt_word where =
		part->stack ? gt_word_stack(st, part->stack, GT_COLUMNS_STACK, true)
			    : gt_word("%s", "");
	struct gt_call_name room;

	switch (part->kind) {
	case GT_SPAN_RUNNING:
		return part->stack ? gt_word("ran, up to %.250s", where.s) : gt_word("ran");
	case GT_SPAN_RUNNABLE:
		return gt_word("was ready, but had no CPU");
	case GT_SPAN_SYSCALL:
		return gt_word("was in %s: %.250s",
			       part->what ? gt_call_name(part->what, &room) : "a call", where.s);
	default:
		return gt_word("waited (%s), ended by no thread seen: %.220s",
			       gt_word_reason(st, (uint32_t)part->what).s, where.s);
	}
}

/* The same, by start routines: the key's thread is a group. */
static struct gt_set by_group(const struct gt_stat *st, const struct gt_set *parts)
{
	struct gt_set sums = gt_set_of(sizeof(struct gt_model_share));

	for (size_t i = 0; i < parts->count; i++) {
		struct gt_path_part key = *(const struct gt_path_part *)gt_set_key(parts, i, NULL);

		key.thread = gt_model_group(st->model, key.thread);
		gt_model_share_join(gt_set_get(&sums, &key, sizeof(key)), gt_set_value(parts, i));
	}
	return sums;
}

static void parts(const struct gt_stat *st, FILE *out, const struct gt_path_found *p)
{
	struct gt_set sums = by_group(st, p->parts);
	uint32_t *order = gt_model_longest(&sums);
	const size_t most = st->full ? SIZE_MAX : PARTS;
	uint64_t rest = 0;

	for (size_t i = 0; i < sums.count; i++) {
		const struct gt_path_part *part = gt_set_key(&sums, order[i], NULL);
		const struct gt_model_share *share = gt_set_value(&sums, order[i]);

		if (i >= most) {
			rest += share->total;
			continue;
		}
		gt_stat_right(st, out, 10, gt_word_percent(share->total, p->end - p->begin));
		gt_stat_time(st, out, share->total);
		fprintf(out, "   %s %s\n", gt_word_group(st, part->thread, GT_COLUMNS_NAME).s,
			what(st, part).s);
	}
	if (rest != 0) {
		gt_stat_right(st, out, 10, gt_word_percent(rest, p->end - p->begin));
		gt_stat_time(st, out, rest);
		fprintf(out, "   %zu others (--full)\n", sums.count - most);
	}
	gt_set_fini(&sums);
	free(order);
}

/* "reader #3 1.20 ms" and how it came to the one before. */
static void steps(const struct gt_stat *st, FILE *out, const struct gt_path_found *p)
{
	const size_t most = st->full ? SIZE_MAX : STEPS;

	fputs("   Back from its end, who was waited for:\n", out);
	for (size_t i = 0; i < p->kept && i < most; i++) {
		const struct gt_path_step *s = &p->steps[i];

		fputs("      ", out);
		gt_stat_left(st, out, GT_COLUMNS_NAME,
			     gt_word_thread(st, s->thread, GT_COLUMNS_NAME));
		gt_stat_time(st, out, s->end - s->begin);
		if (s->created) {
			fputs("   made the thread above", out);
		} else if (s->reason != GT_SPAN_NONE) {
			fprintf(out, "   ended a wait (%s)", gt_word_reason(st, s->reason).s);
			if (s->object != GT_SPAN_NONE &&
			    gt_spans_object(st->model->spans, s->object)->kind !=
				    GT_OBJECT_THREAD) {
				fprintf(out, " for %s", gt_word_lock(st, s->object).s);
			}
		}
		if (s->stack != 0) {
			fprintf(out, ", in %s",
				gt_word_stack(st, gt_model_stack_of(st->model, s->stack), 40, false)
					.s);
		}
		fputc('\n', out);
	}
	if (p->nsteps > most || p->nsteps > p->kept) {
		fprintf(out, "      and %s more\n",
			gt_word_number(p->nsteps - GT_MIN(most, p->kept)).s);
	}
}

void gt_stat_path(const struct gt_stat *st, FILE *out)
{
	const struct gt_path_found *p = st->path_found;

	if (p == NULL || !p->any) {
		return;
	}
	gt_stat_title(st, out, 0, "Critical path");
	if (p->reason != GT_SPAN_NONE) {
		fprintf(out, " of the longest wait that a thread ended: %s waited %s (%s) in %s\n",
			gt_word_thread(st, p->thread, GT_COLUMNS_NAME).s,
			gt_word_duration(st, p->end - p->begin).s, gt_word_reason(st, p->reason).s,
			gt_word_stack(st, p->stack, GT_COLUMNS_STACK, true).s);
	} else {
		fprintf(out, " to what %s did last, %s from %s on\n",
			gt_word_thread(st, p->thread, GT_COLUMNS_NAME).s,
			gt_word_duration(st, p->end - p->begin).s,
			gt_word_duration(st, p->begin - st->model->begin).s);
	}
	parts(st, out, p);
	steps(st, out, p);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_part(struct gt_json *j, const struct gt_model *model,
		      const struct gt_path_part *part, uint64_t ns)
{
	static const char *const states[] = {
		[GT_SPAN_RUNNING] = "running",
		[GT_SPAN_RUNNABLE] = "runnable",
		[GT_SPAN_WAIT] = "waiting",
		[GT_SPAN_SYSCALL] = "call",
	};
	struct gt_call_name room;

	gt_json_begin(j, '{');
	gt_stat_json_thread(j, model, "thread", part->thread);
	gt_json_string(j, "state", states[part->kind]);
	if (part->kind == GT_SPAN_WAIT) {
		gt_json_string(j, "reason", gt_model_name(model, (uint32_t)part->what));
	} else if (part->kind == GT_SPAN_SYSCALL && part->what != 0) {
		gt_json_string(j, "call", gt_call_name(part->what, &room));
	}
	gt_stat_json_stack(j, model, part->stack);
	gt_json_number(j, "total_ns", ns);
	gt_json_end(j, '}');
}

static void json_step(struct gt_json *j, struct gt_model *model, const struct gt_path_step *s)
{
	gt_json_begin(j, '{');
	gt_stat_json_thread(j, model, "thread", s->thread);
	gt_json_number(j, "begin_ns", s->begin - model->begin);
	gt_json_number(j, "end_ns", s->end - model->begin);
	gt_json_string(j, "reason",
		       s->reason == GT_SPAN_NONE ? NULL : gt_model_name(model, s->reason));
	if (s->object == GT_SPAN_NONE) {
		gt_json_word(j, "object", "null");
	} else {
		gt_json_number(j, "object", s->object + 1);
	}
	gt_json_boolean(j, "created", s->created);
	gt_stat_json_stack(j, model, gt_model_stack_of(model, s->stack));
	gt_json_end(j, '}');
}

void gt_stat_json_path(struct gt_json *j, struct gt_model *model, const struct gt_path_found *p)
{
	uint32_t *order;

	if (p == NULL || !p->any) {
		gt_json_word(j, "critical_path", "null");
		return;
	}
	gt_json_key(j, "critical_path");
	gt_json_begin(j, '{');
	gt_stat_json_thread(j, model, "thread", p->thread);
	gt_json_number(j, "begin_ns", p->begin - model->begin);
	gt_json_number(j, "end_ns", p->end - model->begin);
	gt_json_key(j, "parts");
	gt_json_begin(j, '[');
	order = gt_model_longest(p->parts);
	for (size_t i = 0; i < p->parts->count; i++) {
		const struct gt_model_share *share = gt_set_value(p->parts, order[i]);

		json_part(j, model, gt_set_key(p->parts, order[i], NULL), share->total);
	}
	free(order);
	gt_json_end(j, ']');
	gt_json_number(j, "steps_in_all", p->nsteps);
	gt_json_key(j, "steps");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < p->kept; i++) {
		json_step(j, model, &p->steps[i]);
	}
	gt_json_end(j, ']');
	gt_json_end(j, '}');
}
