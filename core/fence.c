/*
 * The asymmetric fence: the rare half.
 */
#include "fence.h"

#include "base/clock.h"
#include "base/sys.h"

#include "trace.h"

/*
 * How long a thread may take between its look at gt_fence_free and the store after it, with the
 * store still on its way: far longer than any processor keeps one. Once, where a process that runs
 * loses its membarrier.
 */
#define SETTLE_NS 10000000
/* Who forbids waits no longer for a call that is being made: it may be in a handler above it. */
#define CALL_NS 1000000000

GT_OFTEN_READ _Atomic bool gt_fence_free;
/* By a filter, which a child of fork has as well. */
static bool forbidden;
/* [advancer] It may be about to make the call. */
static _Atomic bool calls;
/* [advancer] A section that has not seen it change may still be on its way. */
static _Atomic bool unsettled;

void gt_fence_start(void)
{
	gt_store_relaxed(&unsettled, false);
	gt_store_relaxed(&calls, false);
	gt_store_relaxed(&gt_fence_free, !forbidden && gt_sys_membarrier_register() == 0);
}

/* Threads take their own from now on; who has not seen that is waited for in gt_fence_all. */
static void give_up(void)
{
	if (gt_load_relaxed(&gt_fence_free)) {
		gt_store_relaxed(&unsettled, true);
		gt_store_seq(&gt_fence_free, false);
	}
}

void gt_fence_forbid(void)
{
	uint64_t until = gt_clock_monotonic() + CALL_NS;

	forbidden = true;
	give_up();
	/*
	 * Partner: gt_fence_all, which marks and then looks again. It ends with that one call. In a
	 * child that is not traced the mark is its parent's, and nobody takes it away.
	 */
	while (gt_trace_mine() && gt_load_seq(&calls) && gt_clock_monotonic() < until) {
		gt_sys_yield();
	}
}

void gt_fence_all(void)
{
	gt_store_seq(&calls, true);
	if (gt_load_seq(&gt_fence_free) && gt_sys_membarrier() != 0) {
		give_up();
	}
	gt_store_release(&calls, false);
	/* Who forbids may still be on the way from the one to the other (give_up): then next time.
	 */
	if (gt_unlikely(gt_load_relaxed(&unsettled)) && !gt_load_seq(&gt_fence_free)) {
		gt_sys_sleep(SETTLE_NS);
		gt_store_relaxed(&unsettled, false);
	}
}
