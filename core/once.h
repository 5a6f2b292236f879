/*
 * Sections that have nothing else to do, as most: what there might be is asked before anything is
 * written, and then their events are bytes one behind the other. Of calls and of the two ends of
 * waits; whoever finds that there is more opens another by gt_open.
 */
#pragma once

#include "emit.h"

struct gt_once {
	struct gt_thread *t;
	struct gt_buf *b;
	const struct gt_clock *clock;
	uint64_t gen;
	size_t parity;
	uint64_t tail; /* what is there already, and its times */
	struct gt_last last;
	uint64_t ticks; /* of its events: its owner's to say */
	uint32_t posts; /* so many are in the mailbox */
};

/* The most that one may write: posts and events, facts. */
enum { GT_ONCE_POSTS = 4, GT_ONCE_EVENTS = 4, GT_ONCE_FACTS = 3 };

/*
 * Begins one of the calling thread t. besides: what else it may have to do, 0: nothing. False: it
 * has, or its bytes may have no room; it is to be ended, and nothing is written.
 */
GT_INLINE bool gt_once_begin(struct gt_once *o, struct gt_thread *t, uint64_t besides)
{
	enum {
		EVENTS_MAX = GT_BUF_EVENTS - (GT_ONCE_POSTS + GT_ONCE_EVENTS) * GT_WIRE_EVENT_MAX,
		FACTS_MAX = GT_BUF_FACTS - GT_ONCE_FACTS * GT_WIRE_EVENT_MAX
	};
	struct gt_trace *const trace = gt_trace;
	const uint64_t gen = gt_section_begin(t, trace);
	const size_t parity = gen & 1;
	struct gt_mailbox *box = &t->mailbox[parity];
	uint32_t slot;

	if (gt_unlikely(!gen)) {
		return false;
	}
	/* Of what there may be to do each has a bit or more in here. In this order: as in
	 * gt_mailbox_wants. */
	besides |= gt_load_seq(&box->lock.word);
	o->posts = gt_mailbox_left(box);
	besides |= (gt_load_relaxed(&t->traced[parity]) ^ gen) | gt_load_relaxed(&trace->broken);
	/* Acquire: as in gt_load_buf. */
	slot = gt_load_acquire(&t->x_slot[parity]);
	if (gt_unlikely(besides) || gt_unlikely(!slot) || gt_unlikely(o->posts > GT_ONCE_POSTS)) {
		return false;
	}
	o->t = t;
	o->gen = gen;
	o->parity = parity;
	o->clock = &trace->clock[parity];
	o->b = (struct gt_buf *)(void *)((char *)trace + (uint64_t)slot * 64);
	GT_INVARIANT(2, o->b->gen == gen && o->b->m == gt_thread_tid(t));
	o->tail = gt_load_relaxed(&o->b->tail);
	o->last = o->b->last[gt_tail_side(o->tail)];
	return gt_likely(gt_tail_events(o->tail) <= EVENTS_MAX) &&
	       gt_likely(gt_tail_facts(o->tail) <= FACTS_MAX);
}

/* The time of its next event, behind that of the last one. */
GT_INLINE uint64_t gt_once_event_dt(struct gt_once *o)
{
	const uint64_t last = o->last.event;

	o->last.event = gt_not_before(o->ticks, last);
	return o->last.event - last;
}

/* The same of a fact. */
GT_INLINE uint64_t gt_once_fact_dt(struct gt_once *o)
{
	const uint64_t last = o->last.fact;

	o->last.fact = gt_not_before(o->ticks, last);
	return o->last.fact - last;
}

/* Where its events and its facts begin. */
GT_INLINE uint8_t *gt_once_events(const struct gt_once *o)
{
	return o->b->events + gt_tail_events(o->tail);
}

GT_INLINE uint8_t *gt_once_facts(const struct gt_once *o)
{
	return o->b->facts + gt_tail_facts(o->tail);
}

/* The posts in its mailbox are written, as by gt_mailbox_drain, and stay so. until: ticks. */
GT_INLINE void gt_once_drain(struct gt_once *o, uint64_t until)
{
	struct gt_thread *t = o->t;
	struct gt_mailbox *box = &t->mailbox[o->parity];
	uint32_t i, end;
	uint8_t *from, *at;

	if (!o->posts) {
		return;
	}
	i = gt_load_relaxed(&box->written);
	end = i + o->posts;
	at = from = gt_once_events(o);
	do {
		const struct gt_post *post = &t->posts[o->parity][i % GT_MAILBOX];
		const uint64_t ticks =
			gt_not_before(GT_MIN(post->ns >> GT_TICK_SHIFT, until), o->last.event);

		at = gt_bytes(at, ticks - o->last.event, GO_UNBLOCK, gt_g(post->g),
			      gt_seq(post->seq), gt_stack(post->stack));
		o->last.event = ticks;
	} while (++i != end);
	o->tail += gt_tail((uint32_t)(at - from), 0, 0);
	/* Until here it was nothing, and then there is no way back. */
	gt_signal_fence();
	t->undo.writes = GT_WRITES;
	gt_signal_fence();
	gt_store_tail(o->b, o->tail, o->last);
	o->tail ^= gt_tail(0, 0, 1);
	gt_signal_fence();
	/* Release: partner is post, which overwrites what was read. */
	gt_store_release(&box->written, end);
	gt_signal_fence();
	t->undo.writes = GT_WRITES_NOTHING;
}

/*
 * What is written from here on can be undone (gt_undoable_as). p: whose next numbers it takes;
 * GT_PROC_NONE: of none. Nothing can be undone yet, so the order of what is noted is all the same.
 */
GT_INLINE void gt_once_undoable(struct gt_once *o, uint32_t p, uint32_t writes)
{
	struct gt_thread *t = o->t;

	GT_INVARIANT(8, t->undo.writes == GT_WRITES_NOTHING);
	t->undo.tail = o->tail;
	t->undo.parity = (uint32_t)o->parity;
	t->undo.p = p;
	if (p != GT_PROC_NONE) {
		t->undo.p_seq = gt_trace->procs.proc[p].seq[o->parity];
		t->undo.p_listed = 0;
	}
	if (writes == GT_WRITES_UNDOABLE) {
		t->undo.own_p = gt_load_relaxed(&t->p);
		t->undo.spare_p = t->spare_p;
		t->undo.state = gt_load_relaxed(&t->x_state);
		t->undo.seq = t->seq[o->parity];
	}
	gt_signal_fence();
	t->undo.writes = writes;
	gt_signal_fence();
}

/* As gt_undoable_pause and _again. */
GT_INLINE void gt_once_pause(struct gt_once *o)
{
	o->t->undo.writes = GT_WRITES_PAUSED;
	gt_signal_fence();
}

GT_INLINE void gt_once_again(struct gt_once *o, bool posted)
{
	struct gt_thread *t = o->t;

	gt_signal_fence();
	if (gt_likely(posted)) {
		t->undo.seq = t->seq[o->parity];
		t->undo.state = gt_state(GT_GO_RUNNABLE, 0, 0);
		gt_signal_fence();
	}
	t->undo.writes = GT_WRITES_UNDOABLE;
	gt_signal_fence();
}

/* It ends: its events and facts are there up to that. */
GT_INLINE void gt_once_end(struct gt_once *o, const uint8_t *at, const uint8_t *facts_at)
{
	struct gt_buf *b = o->b;

	gt_signal_fence();
	gt_store_tail(b,
		      gt_tail((uint32_t)(at - b->events), (uint32_t)(facts_at - b->facts),
			      gt_tail_side(o->tail)),
		      o->last);
	o->t->last_ticks = o->last.event;
	gt_section_end(o->t);
}
