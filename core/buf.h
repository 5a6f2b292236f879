/*
 * Buffers: 64 KiB of the shared mapping, with one batch of events and one of facts of one M in one
 * generation.
 *
 * Facts (what Go's events have no place for, base/events.def) are a quarter to a third of the bytes
 * and always come with events, so they share the buffer: one slot, one seal, one pool.
 *
 * Owner: the M, inside a section, while the buffer is in its slot; the advancer once it has taken
 * it (from the slot, after it saw the M even, or from the full list). Free: the pool.
 */
#pragma once

#include "base/atomic.h"
#include "base/util.h"
#include "base/wire.h"

enum {
	GT_BUF_BYTES = 1 << 16,
	GT_BUF_HEAD = 48, /* room for the batch header just before its payload */
	GT_BUF_FACTS = 20 << 10,
	GT_BUF_SMALL = 8 << 10, /* a last batch up to this is copied */
	GT_BUF_BURST = 16,      /* sealed buffers that wake the advancer */
	GT_BUF_EVENTS = GT_BUF_BYTES - 128 - 2 * GT_BUF_HEAD - GT_BUF_FACTS,
};

/* Times of the last event and of the last fact, ticks. */
struct gt_last {
	uint64_t event, fact;
};

struct gt_buf {
	_Atomic uint32_t next; /* the next on a list: ref */
	uint32_t all;          /* the next of all buffers that there are: ref */
	/* Last to be set when the buffer is taken, first to be cleared when it is given back, so
	 * that a recovery knows whose it is. */
	uint64_t gen;
	uint64_t m;
	uint64_t base; /* time of the batch, ticks */
	/* A buffer of copies (gt_buf_seal_last): bytes of whole batches from events on; else 0. */
	uint32_t packed_len;
	uint32_t number; /* by it the batches of one M follow each other; modulo 2^32 */
	/*
	 * What is whole (gt_tail): stored at the end of each section (release), read by the
	 * advancer and, after a death, by whoever finishes the trace: what stands behind it is
	 * torn. One word, so that a section is there as a whole or not at all, whatever ends it;
	 * the times that it ends at are written beside those that count, which the word chooses.
	 */
	_Atomic uint64_t tail GT_ALIGNED(GT_LINE);
	struct gt_last last[2];
	uint8_t events_head[GT_BUF_HEAD];
	uint8_t events[GT_BUF_EVENTS];
	uint8_t facts_head[GT_BUF_HEAD];
	uint8_t facts[GT_BUF_FACTS];
};
_Static_assert(sizeof(struct gt_buf) == GT_BUF_BYTES, "a buffer is 64 KiB");
_Static_assert(GT_BUF_EVENTS <= GT_WIRE_BATCH_MAX, "a batch is not larger than the reader allows");

/* A tail: bytes of events, bytes of facts, and which of last[] belongs to them. */
GT_INLINE uint64_t gt_tail(uint32_t events, uint32_t facts, unsigned side)
{
	return events | (uint64_t)facts << 32 | (uint64_t)side << 63;
}

GT_INLINE uint32_t gt_tail_events(uint64_t tail)
{
	return (uint32_t)tail;
}

GT_INLINE uint32_t gt_tail_facts(uint64_t tail)
{
	return (uint32_t)(tail >> 32) & INT32_MAX;
}

GT_INLINE unsigned gt_tail_side(uint64_t tail)
{
	return (unsigned)(tail >> 63);
}

/* Where a batch ends, for who may look: its owner, or the advancer that has taken it. */
GT_INLINE uint32_t gt_buf_events(const struct gt_buf *b)
{
	return gt_tail_events(gt_load_relaxed(&b->tail));
}

GT_INLINE uint32_t gt_buf_facts(const struct gt_buf *b)
{
	return gt_tail_facts(gt_load_relaxed(&b->tail));
}

/*
 * Any buffer, of no generation: its first 64 bytes stay as they are. NULL where memory is
 * exhausted. Any thread.
 */
struct gt_buf *gt_buf_get(void);
/* Whether there is more than what batches need: a quarter of all memory, or a burst of buffers. */
bool gt_buf_plenty(void);
/* An empty buffer for that M and generation; NULL where memory is exhausted. Any thread. */
struct gt_buf *gt_buf_new(uint64_t gen, uint64_t m, uint64_t ticks);
/* The same for one that is the caller's already, and empty. */
void gt_buf_begin(struct gt_buf *b, uint64_t gen, uint64_t m, uint64_t ticks);
/* Puts a finished batch on the full list of its generation. The owner, then nobody's. */
void gt_buf_seal(struct gt_buf *b);
/*
 * The last batch of a thread that ends: copied behind those of others if it is small, so that
 * short-lived threads cost bytes and not buffers. Inside the thread's last section, with its
 * lengths stored. True: b is empty, and the caller's.
 */
bool gt_buf_seal_last(struct gt_buf *b);
/* Advancer, after the last section of the generation: closes the buffer of such copies. */
void gt_buf_close_packed(unsigned parity);
/* Advancer: takes the whole full list of a parity, oldest first, linked by next. */
struct gt_buf *gt_buf_take_full(unsigned parity);
struct gt_buf *gt_buf_next(const struct gt_buf *b);
/* Advancer: back to the pool. */
void gt_buf_free(struct gt_buf *b);
