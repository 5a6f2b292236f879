/*
 * Hand-offs: the beginnings of the calls that threads are in when a generation ends, written by the
 * advancer, which gives their Ps back. No thread waits for it (docs/adr/0017-drafts.md).
 *
 * Used by advance.c, under x_advance; the thread's side is in call.c.
 */
#pragma once

#include "thread.h"

/* Before the bump: drafts the beginning of every call that a thread is in. */
void gt_hand_off_draft(uint64_t gen);
/* After the last section of that generation: writes the drafts that still count. */
void gt_hand_off_write(uint64_t gen);

/* The stack of a thread that is in a call whose beginning the advancer has written. */
unsigned gt_hand_off_stack(const struct gt_thread *t, uint64_t *pcs);

/*
 * The generation of the draft is over, so the thread is in that state. By the advancer, and by the
 * thread itself if it comes first; while the claim is TAKEN, so that this P is not given back yet,
 * and is no other that the thread runs in since.
 */
GT_INLINE void gt_hand_off_settle(struct gt_thread *t)
{
	uint64_t running = gt_state(GT_GO_RUNNING, GT_PROC_RUNNING, t->draft.p);

	gt_cas_acq_rel(&t->x_state, &running,
		       gt_state(t->draft.waits ? GT_GO_WAITING : GT_GO_SYSCALL, 0, 0));
}
