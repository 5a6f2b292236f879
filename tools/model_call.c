/*
 * The model: calls by name, and spinning.
 */
#include "facts.h"
#include "model.h"

void gt_model_call(struct gt_model *model, const struct gt_span *span)
{
	const uint64_t number = span->call; /* 0: not named */
	const uint64_t ns = span->end - span->begin;
	const uint32_t index = gt_set_put(&model->calls, &number, sizeof(number));
	struct gt_model_call *call = gt_set_value(&model->calls, index);

	/* Errors are counted with the time that they took. */
	if (gt_call_failed(span->result)) {
		call->failed++;
		gt_model_pair_add(&model->call_error, index, (uint32_t)-span->result, ns);
	}
	if (span->kind == GT_SPAN_CALL) {
		call->untimed++;
		return;
	}
	gt_model_share_add(&call->share, ns);
	gt_hist_add(&call->hist, ns);
	if (span->kind == GT_SPAN_WAIT || span->lost != 0) {
		gt_model_share_add(&call->blocked, ns);
	}
	gt_model_pair_add(&model->call_thread, index, span->thread, ns);
	gt_model_pair_add(&model->call_stack, index, gt_model_stack_of(model, span->stack), ns);
}

/* Each sample stands for as many as its weight says. */
void gt_model_spin(struct gt_model *model, uint32_t thread, const struct gt_event *ev)
{
	const struct gt_span_object key = {ev->args[0], ev->args[1], GT_OBJECT_SPIN};
	const struct gt_model_share share = {ev->args[3], ev->args[2] * ev->args[3], ev->args[2]};
	const uint32_t spin = gt_set_put(&model->spins, &key, sizeof(key));
	const uint32_t stack = gt_spans_stack_of(model->spans, ev->args[4]);

	gt_model_share_join(gt_set_value(&model->spins, spin), &share);
	gt_model_pair_join(&model->spin_thread, spin, thread, &share);
	gt_model_pair_join(&model->spin_stack, spin, gt_model_stack_of(model, stack), &share);
}
