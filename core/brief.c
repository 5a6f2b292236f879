/*
 * Facts in full, for those after them in the batch to be brief.
 */
#include "brief.h"

/* Whether there is a batch, which the next fact will stand in, and whose memory is used. */
static bool remembers(struct gt_w *w)
{
	if (w->b && !gt_fact_fits(w)) {
		gt_buf_refill(w);
	}
	return w->b && !w->t->brief_off;
}

void gt_put_block_full(struct gt_w *w, uint64_t object, uint64_t epoch, uint64_t kind,
		       uint32_t owner)
{
	uint64_t g = gt_thread_id(w->t);

	if (remembers(w)) {
		gt_brief_block(&w->t->brief, g, object, epoch, kind);
	}
	gt_event(w, FACT_BLOCK, gt_g(g), gt_addr(object), gt_value(epoch), gt_value(kind),
		 gt_m(owner));
}

void gt_put_wait_end_full(struct gt_w *w, enum gt_ended ended, uint32_t result, uint64_t waker)
{
	uint64_t g = gt_thread_id(w->t);

	if (remembers(w)) {
		w->t->brief.g = g;
	}
	gt_event(w, FACT_WAIT_END, gt_g(g), gt_value(ended), gt_value(result), gt_g(waker));
}

void gt_put_retake_full(struct gt_w *w, uint64_t mutex, uint64_t owner, uint64_t ns)
{
	if (remembers(w)) {
		gt_brief_retake(&w->t->brief, mutex);
	}
	gt_event(w, FACT_RETAKE, gt_g(gt_thread_id(w->t)), gt_addr(mutex), gt_g(owner),
		 gt_value(ns));
}

void gt_put_call_other(struct gt_w *w, uint64_t call, uint64_t arg, uint64_t result)
{
	struct gt_brief *b = &w->t->brief;

	if (remembers(w)) {
		const uint64_t done = gt_brief_done(call, result);
		uint32_t i = GT_BRIEF_CALLS;

		if (done != GT_BRIEF_UNFIT) {
			/* There may be one, beside which the argument has no room. */
			i = gt_brief_fits(arg) ? i : gt_brief_find(b, done);
			i = i < GT_BRIEF_CALLS ? i : gt_brief_other(b, call);
		}
		/* A result that fits beside a number does beside a slot. */
		if (i < GT_BRIEF_CALLS) {
			gt_brief_differ(b, i, arg, result);
			gt_event(w, FACT_DIFFERING, gt_value(gt_brief_beside(i, result)),
				 gt_value(arg));
			return;
		}
		gt_brief_call(b, call, arg, result);
	}
	gt_event(w, FACT_CALL, gt_value(call), gt_value(arg), gt_value(result));
}
