/*
 * The asymmetric fence: what stands between a thread's store and its next load where another thread
 * does the same the other way round, and does it rarely.
 *
 * A section makes its sequence number odd, then loads the generation; the advancer stores the
 * generation, then loads the numbers (thread.h, Protocol). Each needs its two steps in that order,
 * which costs a locked instruction. A section begins in every event and the advancer once a second,
 * so the advancer pays for both: membarrier(2) puts a full barrier into every running thread of the
 * process. A thread's store is then before that barrier, and the advancer sees it; or its load is
 * after it, and the thread sees the generation. (P. Boqun, M. Desnoyers, P. McKenney; the same in
 * liburcu and in folly's asymmetric_thread_fence.)
 *
 * Where the kernel has no such call, or a filter of the program's forbids it, threads go back to
 * the locked instruction, for good.
 */
#pragma once

#include "base/atomic.h"
#include "base/util.h"

/* Threads need no fence of their own. Written by who advances, and before the first thread. */
extern GT_HIDDEN _Atomic bool gt_fence_free;

/* A trace starts: asks the kernel. */
void gt_fence_start(void);
/* The rare half, between the store and the loads: the advancer. */
void gt_fence_all(void);
/* The call must not be made any more, from the calling thread's next system call on. */
void gt_fence_forbid(void);

/* The frequent half: stores value into the thread's own word, then a fence. */
GT_INLINE void gt_fence_store(_Atomic uint64_t *word, uint64_t value)
{
	if (gt_likely(gt_load_relaxed(&gt_fence_free))) {
		gt_store_release(word, value);
		gt_signal_fence();
	} else {
		gt_exchange_seq(word, value);
	}
}
