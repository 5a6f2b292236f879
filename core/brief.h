/*
 * Writing the facts that come with every wait and call, as briefly as their batch allows
 * (base/brief.h). Inside a section of the thread's own; who writes in another's name writes none of
 * these facts.
 *
 * The thread's memory of its batch begins with the batch (gt_buf_refill). Where a section is left
 * for good, what it has written is not in the batch, but was remembered: the memory is emptied, and
 * stays so until the next batch (gt_section_undo).
 */
#pragma once

#include "base/brief.h"

#include "emit.h"

/* In full, and remembered. */
void gt_put_block_full(struct gt_w *w, uint64_t object, uint64_t epoch, uint64_t kind,
		       uint32_t owner);
void gt_put_wait_end_full(struct gt_w *w, enum gt_ended ended, uint32_t result, uint64_t waker);
void gt_put_retake_full(struct gt_w *w, uint64_t mutex, uint64_t owner, uint64_t ns);
/* As another result of the same call, or in full. */
void gt_put_call_other(struct gt_w *w, uint64_t call, uint64_t arg, uint64_t result);

/* Where a Block of that has been said; false: nowhere. */
GT_INLINE bool gt_brief_place(const struct gt_brief *b, uint64_t object, uint64_t epoch,
			      uint64_t kind, uint32_t *place)
{
	const uint32_t n = gt_brief_used(b->blocks, GT_BRIEF_SLOTS);

	for (uint32_t i = 0; i < n; i++) {
		if (b->block[i].object == object && b->block[i].kind == kind &&
		    b->block[i].epoch == epoch) {
			*place = i;
			return true;
		}
	}
	return false;
}

/* Whether the last Block or Wait had that mutex to take back before. */
GT_INLINE bool gt_brief_retakes(const struct gt_brief *b, uint64_t mutex)
{
	return b->wait != GT_BRIEF_NONE && b->block[b->wait].mutex == mutex && mutex;
}

/* A FACT_BLOCK of the section's thread. */
GT_INLINE void gt_put_block(struct gt_w *w, uint64_t object, uint64_t epoch, uint64_t kind,
			    uint32_t owner)
{
	struct gt_brief *b = &w->t->brief;
	uint32_t place;

	/* Where there is no room now, the next batch is another, which has said nothing. */
	if (gt_fact_fits(w) && gt_brief_place(b, object, epoch, kind, &place)) {
		b->wait = place;
		gt_event(w, FACT_WAIT,
			 gt_value(gt_brief_owner(w->b->m, owner) << GT_BRIEF_BITS | place));
		return;
	}
	GT_RARELY(w, gt_put_block_full(&rare, object, epoch, kind, owner));
}

/* A FACT_WAIT_END of it. */
GT_INLINE void gt_put_wait_end(struct gt_w *w, enum gt_ended ended, uint32_t result, uint64_t waker)
{
	if (ended == GT_ENDED_WAKER && result == 0 && gt_fact_fits(w) && w->t->brief.g) {
		gt_event(w, FACT_WOKEN, gt_g(waker));
		return;
	}
	GT_RARELY(w, gt_put_wait_end_full(&rare, ended, result, waker));
}

/* A FACT_RETAKE of it. */
GT_INLINE void gt_put_retake(struct gt_w *w, uint64_t mutex, uint64_t owner, uint64_t ns)
{
	if (gt_fact_fits(w) && gt_brief_retakes(&w->t->brief, mutex)) {
		gt_event(w, FACT_RETAKEN, gt_g(owner), gt_value(ns));
		return;
	}
	GT_RARELY(w, gt_put_retake_full(&rare, mutex, owner, ns));
}

/* A FACT_CALL of its M; arg and result as they stand there. */
GT_INLINE void gt_put_call(struct gt_w *w, uint64_t call, uint64_t arg, uint64_t result)
{
	struct gt_brief *b = &w->t->brief;
	const uint32_t i = gt_brief_find(b, gt_brief_done(call, result));

	if (gt_likely(gt_fact_fits(w)) && i < GT_BRIEF_CALLS && gt_brief_fits(arg)) {
		b->call[i].came = true;
		gt_brief_follow(b, i, arg);
		gt_event(w, FACT_REPEATING, gt_value(gt_brief_beside(i, arg)));
		return;
	}
	GT_RARELY(w, gt_put_call_other(&rare, call, arg, result));
}
