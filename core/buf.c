/*
 * Buffers: the pool and the full lists.
 *
 * Order: the pool is a stack that many pop from, so its head carries a counter against reuse (a
 * head that was popped and pushed again in between differs). The full lists are only ever taken
 * whole, which needs none.
 */
#include "buf.h"

#include "base/check.h"

#include "shm.h"
#include "trace.h"

/* Head of the pool: counter in the upper half, ref in the lower. */
static uint64_t head(uint64_t old, uint32_t ref)
{
	return ((old >> 32) + 1) << 32 | ref;
}

static struct gt_buf *pop(void)
{
	uint64_t old = gt_load_acquire(&gt_trace->free_bufs);

	while ((uint32_t)old) {
		struct gt_buf *b = gt_ref_ptr((uint32_t)old);
		/* b may be popped and in use by now: then this is any value and the CAS fails. */
		uint32_t next = gt_load_relaxed(&b->next);

		/* Acquire: partner is the release in gt_buf_free. */
		if (gt_cas_weak_acq_rel(&gt_trace->free_bufs, &old, head(old, next))) {
			gt_add_relaxed(&gt_trace->free_bufs_count, (uint32_t)-1);
			return b;
		}
	}
	return NULL;
}

struct gt_buf *gt_buf_new(uint64_t gen, uint64_t m, uint64_t ticks)
{
	struct gt_buf *b = pop();

	if (!b) {
		b = gt_shm_alloc(sizeof(*b));
	}
	if (!b) {
		return NULL;
	}
	gt_store_relaxed(&b->next, 0);
	b->gen = gen;
	b->m = m;
	b->base = ticks;
	b->last = ticks;
	b->facts_last = ticks;
	gt_store_relaxed(&b->events_len, 0);
	gt_store_relaxed(&b->facts_len, 0);
	return b;
}

void gt_buf_seal(struct gt_buf *b)
{
	_Atomic uint32_t *list = &gt_trace->full[b->gen & 1];
	uint32_t old = gt_load_relaxed(list);

	/* Release: partner is the exchange in gt_buf_take_full. */
	do {
		gt_store_relaxed(&b->next, old);
	} while (!gt_cas_weak_acq_rel(list, &old, gt_ptr_ref(b)));
	gt_add_relaxed(&gt_trace->full_count[b->gen & 1], 1);
}

struct gt_buf *gt_buf_take_full(unsigned parity)
{
	/* Acquire: partner is the CAS in gt_buf_seal. */
	uint32_t ref = gt_exchange_acq_rel(&gt_trace->full[parity], 0);
	uint32_t before = 0;

	/* Newest first on the list; an M's batches must reach the file oldest first. */
	while (ref) {
		struct gt_buf *b = gt_ref_ptr(ref);
		uint32_t next = gt_load_relaxed(&b->next);

		gt_store_relaxed(&b->next, before);
		before = ref;
		ref = next;
		gt_add_relaxed(&gt_trace->full_count[parity], (uint32_t)-1);
	}
	return before ? gt_ref_ptr(before) : NULL;
}

struct gt_buf *gt_buf_next(const struct gt_buf *b)
{
	uint32_t ref = gt_load_relaxed(&b->next);

	return ref ? gt_ref_ptr(ref) : NULL;
}

void gt_buf_free(struct gt_buf *b)
{
	uint64_t old = gt_load_relaxed(&gt_trace->free_bufs);

	/* Release: partner is the CAS in pop. */
	do {
		gt_store_relaxed(&b->next, (uint32_t)old);
	} while (!gt_cas_weak_acq_rel(&gt_trace->free_bufs, &old, head(old, gt_ptr_ref(b))));
	gt_add_relaxed(&gt_trace->free_bufs_count, 1);
}
