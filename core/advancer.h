/*
 * The advancer: the background thread that moves the generation forward.
 */
#pragma once

#include "thread.h"
#include "trace.h"

/*
 * Starts it, once; called when the program makes its first thread, never before (unshare, setns
 * and glibc's single-threaded fast paths behave as without us). creator: the calling thread,
 * running, with its guard set.
 */
void gt_advancer_start(struct gt_thread *creator);
/* Whether it runs, or will. */
GT_INLINE bool gt_advancer_there(void)
{
	uint32_t state = gt_load_relaxed(&gt_trace->advancer);

	return state != 0 && state != 5; /* NONE, FAILED */
}
/* Wakes it before its time: a pool runs low. Any thread, inside a section too. */
void gt_advancer_nudge(void);
/*
 * The calling thread has changed its user: the advancer, which glibc does not know, follows. Waits
 * for that, at most a second.
 */
void gt_advancer_follow(void);
/* Asks it to finish the last generation and waits at most ns. False: it did not (or never ran). */
bool gt_advancer_finish(uint64_t ns);
