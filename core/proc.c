/*
 * Ps: the pool of slots.
 */
#include "proc.h"

#include "shm.h"
#include "trace.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first of eight is the lowest byte");

/*
 * Memory for the place of p, and of some behind it. Two threads may see to the same step; that is
 * harmless. The mark only grows over what has memory, since each begins at the mark that it read.
 */
static GT_COLD bool back(struct gt_procs *ps, uint32_t p)
{
	enum { STEP = 1024 };
	/* Acquire: partner is the exchange below. */
	uint32_t from = gt_load_acquire(&ps->backed);

	while (from <= p && !gt_load_relaxed(&gt_trace->broken)) {
		uint32_t to = GT_MIN(from + STEP, (uint32_t)GT_PROCS_MAX);

		if (!gt_shm_back(&ps->proc[from], (to - from) * sizeof(ps->proc[0]))) {
			gt_trace_break(GT_BROKEN_MEMORY);
			return false;
		}
		if (gt_cas_acq_rel(&ps->backed, &from, to)) {
			from = to;
		}
	}
	return from > p;
}

/* The lowest one that is free of the eight from p on. */
GT_INLINE uint32_t take_of_eight(struct gt_procs *ps, uint32_t p)
{
	/* Relaxed: a look, which the exchange decides. */
	uint64_t free = ~gt_load_relaxed(&ps->eight[p / 8]) & UINT64_C(0x0101010101010101);

	for (; free; free &= free - 1) {
		uint32_t one = p + (uint32_t)__builtin_ctzll(free) / 8;
		uint32_t most = gt_load_relaxed(&ps->most);

		/* Acquire: partner is the release in gt_proc_give. */
		if (gt_unlikely(gt_exchange_acq_rel(&ps->taken[one], 1))) {
			continue;
		}
		if (gt_unlikely(one >= GT_PROCS_FIRST) && !back(ps, one)) {
			gt_proc_give(one);
			return GT_PROC_NONE;
		}
		while (gt_unlikely(most <= one) &&
		       !gt_cas_weak_acq_rel(&ps->most, &most, one + 1)) {
		}
		return one;
	}
	return GT_PROC_NONE;
}

/* The first eight are all taken, or were. */
static GT_NOINLINE uint32_t take_of_more(struct gt_procs *ps)
{
	uint32_t p = GT_PROC_NONE;

	for (uint32_t from = 0; p == GT_PROC_NONE && from < GT_PROCS_MAX; from += 8) {
		p = take_of_eight(ps, from);
	}
	return p;
}

uint32_t gt_proc_take(void)
{
	uint32_t p = take_of_eight(&gt_trace->procs, 0);

	return gt_likely(p != GT_PROC_NONE) ? p : take_of_more(&gt_trace->procs);
}

void gt_proc_give(uint32_t p)
{
	/* Release: partner is the acquire in gt_proc_take. */
	gt_store_release(&gt_trace->procs.taken[p], 0);
}

void gt_proc_reserve(void)
{
	gt_store_relaxed(&gt_trace->procs.backed, GT_PROCS_FIRST);
	gt_store_relaxed(&gt_trace->procs.taken[0], 1);
}
