/*
 * Buffers: the pool and the full lists.
 *
 * Order: the pool is a stack that many pop from, so its head carries a counter against reuse (a
 * head that was popped and pushed again in between differs). The full lists are only ever taken
 * whole, which needs none.
 */
#include "buf.h"

#include <string.h>

#include "base/check.h"

#include "advancer.h"
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
			/* The last but few of memory that does not grow much further: see make. */
			if (gt_add_relaxed(&gt_trace->free_bufs_count, (uint32_t)-1) ==
				    GT_BUF_BURST &&
			    gt_load_relaxed(&gt_trace->brk) >
				    gt_load_relaxed(&gt_trace->bytes) / 2) {
				gt_advancer_nudge();
			}
			return b;
		}
	}
	return NULL;
}

/* One more. On the list of all before it is used. */
static struct gt_buf *make(void)
{
	uint64_t step = gt_load_relaxed(&gt_trace->bytes) / 16;
	uint64_t used = gt_load_relaxed(&gt_trace->brk);
	struct gt_buf *b = gt_shm_alloc(sizeof(*b));
	uint32_t old = gt_load_relaxed(&gt_trace->bufs);

	if (b) {
		do {
			b->all = old;
		} while (!gt_cas_weak_acq_rel(&gt_trace->bufs, &old, gt_ptr_ref(b)));
	}
	/* Past the half, each further step of memory wakes the advancer: it frees some. */
	if (used > gt_load_relaxed(&gt_trace->bytes) / 2 &&
	    used / step != (used + sizeof(*b)) / step) {
		gt_advancer_nudge();
	}
	return b;
}

struct gt_buf *gt_buf_get(void)
{
	struct gt_buf *b = pop();

	return b ? b : make();
}

bool gt_buf_plenty(void)
{
	return gt_load_relaxed(&gt_trace->free_bufs_count) >= GT_BUF_BURST ||
	       gt_load_relaxed(&gt_trace->brk) < gt_load_relaxed(&gt_trace->bytes) / 4 * 3;
}

struct gt_buf *gt_buf_new(uint64_t gen, uint64_t m, uint64_t ticks)
{
	struct gt_buf *b = gt_buf_get();

	if (b) {
		gt_buf_begin(b, gen, m, ticks);
	}
	return b;
}

void gt_buf_begin(struct gt_buf *b, uint64_t gen, uint64_t m, uint64_t ticks)
{
	gt_store_relaxed(&b->next, 0);
	b->m = m;
	b->base = ticks;
	b->last[0] = (struct gt_last){ticks, ticks};
	gt_store_relaxed(&b->tail, gt_tail(0, 0, 0));
	b->packed_len = 0;
	b->number = gt_add_relaxed(&gt_trace->buf_number, 1);
	/* A death stops a thread between two instructions: a compiler's order is all that counts.
	 */
	gt_signal_fence();
	b->gen = gen;
}

/* Pushes a finished buffer on its generation's full list. */
static void push_full(struct gt_buf *b)
{
	_Atomic uint32_t *list = &gt_trace->full[b->gen & 1];
	uint32_t old = gt_load_relaxed(list);

	/* Release: partner is the exchange in gt_buf_take_full. */
	do {
		gt_store_relaxed(&b->next, old);
	} while (!gt_cas_weak_acq_rel(list, &old, gt_ptr_ref(b)));
	/* A burst of batches: the advancer writes them before its time. */
	if (gt_add_relaxed(&gt_trace->full_count[b->gen & 1], 1) % GT_BUF_BURST ==
	    GT_BUF_BURST - 1) {
		gt_advancer_nudge();
	}
}

/* With packed_lock: the buffer of copies is finished. */
static void close_packed_locked(unsigned parity)
{
	if (gt_trace->packed[parity]) {
		push_full(gt_ref_ptr(gt_trace->packed[parity]));
		gt_trace->packed[parity] = 0;
	}
}

void gt_buf_close_packed(unsigned parity)
{
	gt_lock_take(&gt_trace->packed_lock[parity]);
	close_packed_locked(parity);
	gt_lock_drop(&gt_trace->packed_lock[parity]);
}

void gt_buf_seal(struct gt_buf *b)
{
	/*
	 * The copies that are there come first: an older thread with our tid may be among them, and
	 * the batches of one M stand in the file in the order of its events.
	 */
	gt_buf_close_packed(b->gen & 1);
	push_full(b);
}

/* A batch of b, with its header, behind the n bytes in to. */
static uint32_t copy(struct gt_buf *to, uint32_t n, uint8_t *payload, unsigned experiment,
		     const struct gt_buf *b, uint32_t bytes)
{
	uint8_t *head;

	if (!bytes) {
		return n;
	}
	head = gt_wire_batch_head(payload, experiment, b->gen, b->m, b->base, bytes);
	memcpy(to->events + n, head, (size_t)(payload - head) + bytes);
	return n + (uint32_t)(payload - head) + bytes;
}

bool gt_buf_seal_last(struct gt_buf *b)
{
	unsigned parity = b->gen & 1;
	uint32_t events = gt_buf_events(b);
	uint32_t facts = gt_buf_facts(b);
	uint32_t need = events + facts + 2 * GT_BUF_HEAD;
	struct gt_buf *to;

	if (need > GT_BUF_SMALL) {
		gt_buf_seal(b);
		return false;
	}
	gt_lock_take(&gt_trace->packed_lock[parity]);
	to = gt_trace->packed[parity] ? gt_ref_ptr(gt_trace->packed[parity]) : NULL;
	if (to && to->packed_len + need > GT_BUF_EVENTS) {
		close_packed_locked(parity);
		to = NULL;
	}
	if (!to) {
		to = gt_buf_new(b->gen, GT_WIRE_NO_M, b->base);
		if (!to) {
			gt_lock_drop(&gt_trace->packed_lock[parity]);
			gt_buf_seal(b);
			return false;
		}
		gt_trace->packed[parity] = gt_ptr_ref(to);
	}
	events = copy(to, to->packed_len, b->events, 0, b, events);
	facts = copy(to, events, b->facts, GT_FACT_EXPERIMENT, b, facts);
	/* Whole before it is counted: see gt_buf_new. */
	gt_signal_fence();
	to->packed_len = facts;
	gt_lock_drop(&gt_trace->packed_lock[parity]);
	/* Nothing in it is to be recovered any more. */
	b->gen = 0;
	return true;
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

	b->gen = 0;
	/* Release: partner is the CAS in pop. */
	do {
		gt_store_relaxed(&b->next, (uint32_t)old);
	} while (!gt_cas_weak_acq_rel(&gt_trace->free_bufs, &old, head(old, gt_ptr_ref(b))));
	gt_add_relaxed(&gt_trace->free_bufs_count, 1);
}
