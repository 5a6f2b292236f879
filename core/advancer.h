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

	return state != 0 && state != 5; /* NONE, FAILED (advancer.c) */
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
/*
 * Makes it end, and waits until the kernel does not count it any more: the process has the threads
 * that it would have without us. for_good: it is not started again; else the next gt_advancer_start
 * does. False: it did not run, or is held up and goes later. With the guard set.
 */
bool gt_advancer_stop(bool for_good);
/* Where it has not been started yet, it never will. */
void gt_advancer_forbid(void);
/* Waits, at most a second, for one that is starting to run, with the file open. */
void gt_advancer_await(void);
/* The same for one that has finished the trace to be gone. */
void gt_advancer_await_end(void);
