/*
 * Ps: the pool of slots.
 */
#include "proc.h"

#include "trace.h"

uint32_t gt_proc_take(void)
{
	struct gt_procs *ps = &gt_trace->procs;

	for (uint32_t w = 0; w < GT_LEN(ps->used); w++) {
		uint64_t used = gt_load_relaxed(&ps->used[w]);

		while (~used) {
			uint32_t bit = (uint32_t)__builtin_ctzll(~used);

			/* Acquire: partner is the release in gt_proc_give. */
			if (gt_cas_weak_acq_rel(&ps->used[w], &used, used | UINT64_C(1) << bit)) {
				uint32_t p = w * 64 + bit;
				uint32_t most = gt_load_relaxed(&ps->most);

				while (most <= p && !gt_cas_weak_acq_rel(&ps->most, &most, p + 1)) {
				}
				return p;
			}
		}
	}
	return GT_PROC_NONE;
}

void gt_proc_give(uint32_t p)
{
	/* Release: partner is the acquire in gt_proc_take. */
	gt_and_acq_rel(&gt_trace->procs.used[p / 64], ~(UINT64_C(1) << (p % 64)));
}

void gt_proc_reserve(void)
{
	gt_or_acq_rel(&gt_trace->procs.used[0], 1);
}
