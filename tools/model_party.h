/*
 * Locks from within: who waits for what, and who let go when. For model_lock.c, model_blame.c and
 * model_order.c alone.
 */
#pragma once

#include "model.h"

enum {
	GT_PARTY_SPANS = 32,    /* the last spans of a thread, and the last long ones */
	GT_PARTY_LONG = 200000, /* ns */
	GT_PARTY_WANTED = 4,    /* locks that are known to be held at once */
	GT_LOCK_RELEASES = 16,  /* of a lock, the last that are remembered */
};

struct gt_party_recent {
	uint64_t begin, end;
	uint64_t what;
	uint32_t object; /* of a wait */
	uint8_t kind;
};

/* The last so many; room is taken as it is needed, for most threads are short. */
struct gt_party_ring {
	struct gt_party_recent *spans;
	unsigned room, count; /* room: 0 or a power of 2; count: ever */
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
	/*
	 * What it did last. That a wait was over is written some time after the unlock: of what
	 * lies further back than all of recent, longer has what takes long.
	 */
	struct gt_party_ring recent, longer;
};

/* A holding of a lock: its end. */
struct gt_lock_release {
	uint64_t time;
	uint64_t since;         /* the begin, as far as somebody waited from then on */
	uint32_t thread, stack; /* of the unlock; stack in model->stacks, 0: not known */
};

/* The waiters of an object. */
struct gt_lock_queue {
	uint64_t waiters;
	uint64_t starts; /* the sum of the times from which on each is not yet charged */
	uint64_t first;  /* the least of them */
	uint32_t lock;   /* in model->locks, plus one; 0: not yet looked up */
	struct gt_lock_release *releases; /* by time */
	unsigned nreleases;
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

/* A thread did that; to be told in the order of time. */
void gt_blame_remember(struct gt_party *p, const struct gt_span *span);

struct gt_blame {
	uint32_t object;        /* of the spans */
	uint64_t begin, end;    /* waits that together lasted ns, none of them longer than this, */
	uint64_t ns;            /* are over, or so many of them: */
	uint64_t times;         /* at the end */
	uint32_t thread, stack; /* set it free, there; GT_SPAN_NONE: not seen */
};

/* Charges each part of the time to who set the lock free at its end. */
void gt_blame(struct gt_model *model, const struct gt_blame *blame);

/* A thread begins to wait for a lock: what it has meanwhile, and what that lock's owner wants. */
void gt_model_order_begin(struct gt_model *model, uint32_t thread, const struct gt_span *now);
/* Its wait is over by its owner's unlock at this stack of the spans; GT_SPAN_NONE: it lasts. */
void gt_model_order_end(struct gt_model *model, const struct gt_party *waiter, uint32_t unlock);
