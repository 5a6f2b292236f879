/*
 * Locks from within: who waits for what. For model_lock.c and model_order.c alone.
 */
#pragma once

#include "model.h"

enum {
	GT_PARTY_RECENT = 32, /* spans of a thread that are remembered, for long holdings */
	GT_PARTY_WANTED = 4,  /* locks that are known to be held at once */
};

struct gt_party_recent {
	uint64_t begin, end;
	uint64_t what;
	uint32_t object; /* of a wait */
	uint8_t kind;
};

/* A thread as one that waits, and as one that others wait for. */
struct gt_party {
	uint32_t object; /* what it waits for, if that has a holder; GT_SPAN_NONE */
	uint64_t since;
	bool counts;                  /* this wait is asked for */
	uint32_t owner;               /* who had it then */
	uint32_t told;                /* a fact has named this waker already */
	uint32_t waiters;             /* the first of those that wait for what this one has; */
	uint32_t waiter_before, next; /* and this one's place in such a list */
	/* While it waits its owner wanted these: in its wait with this number, at this stack. */
	struct gt_party_wanted {
		uint32_t lock, wait, stack;
	} wanted[GT_PARTY_WANTED];
	unsigned nwanted;
	uint32_t waits; /* how many it has begun */
	struct gt_party_recent recent[GT_PARTY_RECENT];
	unsigned nrecent; /* ever */
};

/* The waiters of an object. */
struct gt_lock_queue {
	uint64_t waiters;
	uint64_t starts; /* the sum of the times from which on each is not yet charged */
	uint64_t first;  /* the least of them */
	uint32_t lock;   /* in model->locks, plus one; 0: not yet looked up */
};

struct gt_model_locks {
	uint32_t *mutexes; /* by object, of conditions: the mutex that goes with it, plus one */
	size_t nmutexes;
	struct gt_party *parties; /* by thread */
	size_t nparties;
	struct gt_lock_queue *queues; /* by the spans' index of the object */
	size_t nqueues;
	uint32_t *owners; /* by lock: who had it last, as far as known */
	size_t nowners;
};

struct gt_party *gt_party_of(struct gt_model_locks *l, uint32_t thread);
/* The queue of an object of the spans, and the last known owner of its lock. */
struct gt_lock_queue *gt_lock_queue_of(struct gt_model *model, uint32_t object);
uint32_t *gt_lock_owner_of(struct gt_model *model, uint32_t object);

/* A thread begins to wait for a lock: what it has meanwhile, and what that lock's owner wants. */
void gt_model_order_begin(struct gt_model *model, uint32_t thread, const struct gt_span *now);
/* Its wait is over by its owner's unlock at this stack of the spans; GT_SPAN_NONE: it lasts. */
void gt_model_order_end(struct gt_model *model, const struct gt_party *waiter, uint32_t unlock);
