/*
 * The frontier: the next event of each M, by time.
 *
 * The earliest is tried; one that cannot happen yet is parked under the key of what it waits for,
 * and comes back when that changes. So the choice is always the earliest event that can happen, as
 * in Go's reader, which instead tries all others again and again.
 *
 * The two earliest stand apart from the heap of the others. An M often has several events in a row,
 * and then one comparison shows that it stays the earliest; and where two run at a time, they take
 * turns without a look at those that sleep.
 *
 * Knows times, ids that the caller gives, and keys; nothing of events. For merge.c.
 */
#pragma once

#include "order.h"

struct gt_frontier_entry {
	uint64_t time;
	size_t id;
};

struct gt_frontier_parked {
	struct gt_frontier_entry entry;
	struct gt_key waits;
	uint64_t seq; /* that it waits for; GT_ANY_SEQ */
};

#define GT_FRONTIER_NONE SIZE_MAX /* as an id; the time is then the last that there is */

struct gt_frontier {
	struct gt_frontier_entry first, second; /* the earliest that are not parked, or none */
	struct gt_frontier_entry *heap;         /* the others; heap[0] is the earliest of them */
	size_t nheap, heap_cap;
	struct gt_frontier_parked *parked; /* in no order */
	size_t nparked, parked_cap;
};

void gt_frontier_clear(struct gt_frontier *f);
void gt_frontier_fini(struct gt_frontier *f);

void gt_frontier_push(struct gt_frontier *f, uint64_t time, size_t id);
/* The earliest goes. */
void gt_frontier_pop(struct gt_frontier *f);
/* The second is not earlier than all in the heap any more. */
void gt_frontier_sink(struct gt_frontier *f);

GT_INLINE bool gt_frontier_any(const struct gt_frontier *f)
{
	return f->first.id != GT_FRONTIER_NONE;
}

/* Go's times are signed. Of equal times the M that came first in the file is first. */
GT_INLINE bool gt_frontier_before(const struct gt_frontier_entry *a,
				  const struct gt_frontier_entry *b)
{
	return ((int64_t)a->time < (int64_t)b->time) | ((a->time == b->time) & (a->id < b->id));
}

/* The earliest gets a new time, that of its M's next event. */
GT_INLINE void gt_frontier_replace(struct gt_frontier *f, uint64_t time)
{
	struct gt_frontier_entry e = {.time = time, .id = f->first.id};

	if (gt_frontier_before(&e, &f->second)) {
		f->first = e;
		return;
	}
	f->first = f->second;
	f->second = e;
	if (f->nheap > 0 && gt_frontier_before(&f->heap[0], &e)) {
		gt_frontier_sink(f);
	}
}

/* The earliest waits for key from now on, and for this sequence number of it. */
void gt_frontier_park(struct gt_frontier *f, struct gt_key key, uint64_t seq);
/* Those who wait for this, whose next sequence number is that one now, may try again; or all. */
void gt_frontier_unpark(struct gt_frontier *f, struct gt_key changed, uint64_t seq);
void gt_frontier_unpark_all(struct gt_frontier *f);
/* For a message. */
void gt_frontier_sort_parked(struct gt_frontier *f);
/* The earliest time of all, parked ones included; false if there is none. */
bool gt_frontier_earliest(const struct gt_frontier *f, uint64_t *time);
