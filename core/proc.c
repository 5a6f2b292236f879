/*
 * Ps: the pool of slots.
 */
#include "proc.h"

#include "trace.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first of eight is the lowest byte");

uint32_t gt_proc_take(void)
{
	struct gt_procs *ps = &gt_trace->procs;

	for (uint32_t i = 0; i < GT_LEN(ps->eight); i++) {
		/* Relaxed: a look, which the exchange decides. */
		uint64_t free = ~gt_load_relaxed(&ps->eight[i]) & UINT64_C(0x0101010101010101);

		for (; free; free &= free - 1) {
			uint32_t p = i * 8 + (uint32_t)__builtin_ctzll(free) / 8;

			/* Acquire: partner is the release in gt_proc_give. */
			if (gt_likely(!gt_exchange_acq_rel(&ps->taken[p], 1))) {
				uint32_t most = gt_load_relaxed(&ps->most);

				while (gt_unlikely(most <= p) &&
				       !gt_cas_weak_acq_rel(&ps->most, &most, p + 1)) {
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
	gt_store_release(&gt_trace->procs.taken[p], 0);
}

void gt_proc_reserve(void)
{
	gt_store_relaxed(&gt_trace->procs.taken[0], 1);
}
