/*
 * Advancing: from generation N to N + 1 without suspending anybody, and N into the file.
 */
#pragma once

#include "base/spec.h"

#include "advancer.h"

/*
 * Finishes the current generation and opens the next; last: opens none, recording ends. self: the
 * calling thread's record, running and with no section open (its guard set), NULL for none. keep:
 * the caller has a descriptor table of its own (the advancer).
 *
 * Returns when the generation is wholly in the file (invariant 3). One at a time; a second caller
 * waits. False where nothing is recorded any more.
 */
bool gt_advance(struct gt_thread *self, bool last, bool keep);

/* Recording has ended, and the file is whole: it is to say that this was before the program did. */
void gt_advance_amend(enum gt_broken why);

/* Writes the sealed batches of the current generation early, so that their buffers are free again.
 */
void gt_advance_stream(bool keep);

/*
 * A program without an advancer (it has one thread, or none could be made) is advanced from its own
 * events: called where a wait or a call has ended, with no section open. self: as above.
 */
GT_COLD void gt_advance_alone(struct gt_thread *self); /* slow half: it seems to be due */

GT_INLINE void gt_advance_if_due(struct gt_thread *self)
{
	/* Where there is an advancer this is hardly ever so, either: it sees to that. Relaxed: one
	 * event sooner or later is all the same. */
	if (gt_unlikely(self->last_ticks >= gt_load_relaxed(&gt_trace->due)) &&
	    !gt_advancer_there()) {
		gt_advance_alone(self);
	}
}
