/*
 * The model, span by span.
 */
#include "model.h"

#include <string.h>

static void wait_for(struct gt_model_object *object, const struct gt_span *span)
{
	const uint64_t ns = span->end - span->begin;

	gt_model_share_add(&object->share, ns);
	gt_hist_add(&object->hist, ns);
	object->how[span->how]++;
}

static void retake(struct gt_model *model, const struct gt_span *span, uint32_t index,
		   struct gt_model_site *site)
{
	const uint32_t mutex =
		gt_set_put(&model->objects, &span->retake_object, sizeof(span->retake_object));

	gt_model_share_add(&site->retakes, span->retake);
	gt_model_pair_add(&model->object_retaker, mutex, span->thread, span->retake);
	gt_model_pair_add(&model->object_retake_site, mutex, index, span->retake);
	gt_model_pair_add(&model->site_retake, index, span->retake_owner, span->retake);
	gt_model_locks_retake(model, span);
}

/* waker: GT_MODEL_NONE where it should have one, and none is known. */
static void wake(struct gt_model *model, const struct gt_span *span, uint32_t site, uint32_t object)
{
	const uint64_t ns = span->end - span->begin;
	const struct gt_model_wake_key key = {span->waker, span->thread, span->reason,
					      gt_model_stack_of(model, span->waker_stack)};

	gt_model_pair_add(&model->site_waker, site, span->waker, ns);
	if (object != GT_MODEL_NONE) {
		gt_model_pair_add(&model->object_waker, object, span->waker, ns);
	}
	gt_model_share_add(gt_set_get(&model->wakes, &key, sizeof(key)), ns);
}

static void wait(struct gt_model *model, const struct gt_span *span)
{
	const struct gt_model_site_key key = {span->reason, gt_model_stack_of(model, span->stack)};
	const uint64_t ns = span->end - span->begin;
	const uint32_t index = gt_set_put(&model->sites, &key, sizeof(key));
	struct gt_model_site *site = gt_set_value(&model->sites, index);
	struct gt_model_thread *t = gt_model_thread(model, span->thread);
	uint32_t object = GT_MODEL_NONE;

	t->waiting += ns;
	t->blocks += !span->found;
	t->how[span->how]++;
	if (span->counted) {
		gt_model_share_add(&t->counted, ns + span->ready);
		t->on_cpu += span->on_cpu;
	}
	site->how[span->how]++;
	site->runnable += span->ready;
	gt_model_share_add(&site->share, ns);
	gt_hist_add(&site->hist, ns);
	gt_model_pair_add(&model->site_thread, index, span->thread, ns);
	if (span->object != GT_MODEL_NONE) {
		object = gt_set_put(&model->objects, &span->object, sizeof(span->object));
		wait_for(gt_set_value(&model->objects, object), span);
		gt_model_pair_add(&model->site_object, index, object, ns);
		gt_model_pair_add(&model->object_site, object, index, ns);
		gt_model_pair_add(&model->object_thread, object, span->thread, ns);
	}
	if (span->owner != GT_MODEL_NONE) {
		gt_model_pair_add(&model->site_owner, index, span->owner, ns);
		gt_model_pair_add(&model->object_owner, object, span->owner, ns);
	}
	if (span->retakes) {
		retake(model, span, index, site);
	}
	/* What nobody ends stands in no set of wakers. */
	if (span->how != GT_SPAN_OPEN && span->how != GT_SPAN_RETURNED) {
		wake(model, span, index, object);
	}
	if (span->named) {
		gt_model_call(model, span);
	}
}

static void runnable(struct gt_model *model, const struct gt_span *span)
{
	struct gt_model_thread *t = gt_model_thread(model, span->thread);

	t->runnable += span->end - span->begin;
	if (span->reason != GT_SPAN_NONE &&
	    strcmp(gt_model_name(model, span->reason), gt_reason_text(GT_REASON_YIELD)) == 0) {
		t->yields++;
		t->yields_long++;
	}
}

static void syscall(struct gt_model *model, const struct gt_span *span)
{
	struct gt_model_thread *t = gt_model_thread(model, span->thread);
	const uint64_t lost = span->lost ? span->lost : span->end;

	t->syscall += lost - span->begin;
	t->syscall_blocked += span->end - lost;
	t->syscalls += !span->found;
	if (!span->died) {
		gt_model_call(model, span);
	}
}

/* --- Events ----------------------------------------------------------------------------------- */

static void fact(struct gt_model *model, const struct gt_event *ev)
{
	/* A fact that names no G is about the thread on its M. */
	const uint32_t on = gt_spans_by_m(model->spans, ev->m);

	switch (ev->number) {
	case GT_FACT_YIELDS:
		if (on != GT_SPAN_NONE) {
			struct gt_model_thread *t = gt_model_thread(model, on);

			t->yields += ev->args[0];
			t->yields_ns += ev->args[1];
		}
		break;
	case GT_FACT_SPIN:
		if (on != GT_SPAN_NONE) {
			gt_model_spin(model, on, ev);
		}
		break;
	case GT_FACT_MAPPING:
		gt_globals_map(model->globals, ev->args[0], ev->args[1], ev->args[2],
			       gt_model_name(model, gt_spans_string_of(model->spans, ev->args[3])),
			       gt_model_name(model, gt_spans_string_of(model->spans, ev->args[4])));
		break;
	case GT_FACT_ABOUT:
		*(uint64_t *)gt_set_get(&model->about, &ev->args[0], sizeof(ev->args[0])) =
			ev->args[1];
		break;
	case GT_FACT_BROKEN:
		gt_broken_note(&model->broken, ev);
		break;
	case GT_FACT_BUDGET: {
		struct gt_model_budget *b = &model->budget;

		b->depth_min = b->steps ? GT_MIN(b->depth_min, ev->args[3]) : ev->args[3];
		b->steps++;
		b->cpu += ev->args[0];
		b->cost += ev->args[1];
		b->held += ev->args[2];
		break;
	}
	case GT_FACT_LEFT_OUT:
		*(ev->args[0] == GT_LOSS_BUDGET_CALLS ? &model->budget.calls_ns
						      : &model->budget.waits_ns) += ev->args[2];
		break;
	case GT_FACT_LOSS:
		/* Counted since the trace began: the last one counts. */
		if (ev->args[0] < GT_LOSS_END) {
			model->loss[ev->args[0]] = ev->args[1];
		} else {
			model->loss_unknown = GT_MAX(model->loss_unknown, ev->args[1]);
		}
		break;
	default:
		break;
	}
}

static void event(struct gt_model *model, const struct gt_event *ev)
{
	if (ev->kind == GT_FACT) {
		fact(model, ev);
	} else if (ev->kind == GT_STRUCT) {
		model->generations += ev->number == GT_EV_SYNC;
		model->samples += ev->number == GT_EV_CPU_SAMPLE;
	} else {
		model->events += !ev->implied;
		if (ev->kind == GT_TIMED && ev->number == GT_EV_PROCS_CHANGE) {
			model->cpus = ev->args[0];
		}
	}
}

static void entry(struct gt_model *model, uint32_t thread, uint32_t stack)
{
	struct gt_model_thread *t = gt_model_thread(model, thread);
	const struct gt_span_frame *frames;
	size_t n;

	if (stack == 0 || t->entry != GT_MODEL_NONE) {
		return;
	}
	frames = gt_spans_stack(model->spans, stack, &n);
	while (n > 0 && gt_name_is_plumbing(gt_model_name(model, frames[n - 1].func))) {
		n--;
	}
	if (n > 0) {
		t->entry = frames[n - 1].func;
	}
}

void gt_model_entry(struct gt_model *model, const struct gt_span *span)
{
	entry(model, span->thread, span->stack);
	if (span->kind == GT_SPAN_WAIT && span->waker != GT_SPAN_NONE) {
		entry(model, span->waker, span->waker_stack);
	}
}

void gt_model_span(struct gt_model *model, const struct gt_span *span)
{
	switch (span->kind) {
	case GT_SPAN_RUNNING:
		gt_model_thread(model, span->thread)->running += span->end - span->begin;
		break;
	case GT_SPAN_RUNNABLE:
		runnable(model, span);
		break;
	case GT_SPAN_WAIT:
		wait(model, span);
		break;
	case GT_SPAN_SYSCALL:
		syscall(model, span);
		break;
	case GT_SPAN_CALL:
		gt_model_call(model, span);
		break;
	case GT_SPAN_EVENT:
		event(model, span->event);
		break;
	default:
		break;
	}
}
