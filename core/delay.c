/*
 * For tests only: see delay.h.
 */
#include "delay.h"

#include "base/clock.h"
#include "base/sys.h"

#include "thread.h"
#include "trace.h"

#ifdef GT_DELAYS
void gt_delay(void)
{
	uint64_t r = gt_clock_counter() * UINT64_C(0x9e3779b97f4a7c15);

	if ((r >> 40) % 64 == 0) {
		gt_sys_sleep((r >> 20) % 4000000);
	}
}
#endif

#ifdef GT_STALLS
void gt_stall(enum gt_stall place)
{
	enum { STALL_NS = 200000000 };
	static uint64_t stalled;
	uint64_t generation;

	if (!gt_tls.advancer) {
		return;
	}
	generation = gt_load_relaxed(&gt_trace->head.generations) + 1;
	if (generation % GT_STALL_END == place && stalled != generation) {
		stalled = generation;
		gt_sys_sleep(STALL_NS);
	}
}
#endif
