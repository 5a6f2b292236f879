/*
 * The frontier: the next event of each M, by time.
 *
 * They stand in a heap. The earliest is tried; one that cannot happen yet is parked under the key
 * of what it waits for, and comes back when that changes. So the choice is always the earliest
 * event that can happen, as in Go's reader, which instead tries all others again and again.
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
};

struct gt_frontier {
	struct gt_frontier_entry *heap; /* heap[0] is the earliest */
	size_t nheap, heap_cap;
	struct gt_frontier_parked *parked; /* in no order */
	size_t nparked, parked_cap;
};

void gt_frontier_clear(struct gt_frontier *f);
void gt_frontier_fini(struct gt_frontier *f);

void gt_frontier_push(struct gt_frontier *f, uint64_t time, size_t id);
/* The earliest goes; or gets a new time, that of its M's next event. */
void gt_frontier_pop(struct gt_frontier *f);
void gt_frontier_replace(struct gt_frontier *f, uint64_t time);

/* The earliest waits for key from now on. */
void gt_frontier_park(struct gt_frontier *f, struct gt_key key);
/* Those who wait for one of these may try again; or all. */
void gt_frontier_unpark(struct gt_frontier *f, const struct gt_key *changed, unsigned n);
void gt_frontier_unpark_all(struct gt_frontier *f);
/* For a message. */
void gt_frontier_sort_parked(struct gt_frontier *f);
/* The earliest time of all, parked ones included; false if there is none. */
bool gt_frontier_earliest(const struct gt_frontier *f, uint64_t *time);
