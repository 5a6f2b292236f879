/*
 * What the model says of locks beyond sums: who had what others waited for, what it did meanwhile,
 * in which order locks were taken, and who waits for whom at the end.
 *
 * Blame. While threads wait for a lock, the time until it is next set free is the holder's: each
 * moment of each wait is charged to who ended the holding that it fell into, at the stack of its
 * unlock. So the charges of a lock's waits add up to their sum, and a thread that waits through
 * three holdings blames three. Where no unlock was seen the charge is nobody's. The wait for the
 * mutex at the end of one on a condition is charged in the same way, but it is told of only when it
 * is over: model_blame.c remembers the unlocks for that. What is no lock (a condition, a semaphore,
 * a join) has no holder: there a wait is charged to who ended it.
 *
 * Order. That T held A while it wanted B is seen where a thread waited for A with T as its owner
 * before, during, or at the beginning of T's wait for B, and T's unlock of A ended that wait after
 * T's own: only locks that were waited for are in a trace. T may have set A free and taken it again
 * in between, unnoticed; so it counts as sure only where the stacks agree: T's wait for B was in
 * the function that set A free later, called from the same places, or in one that this one called.
 * What lasts at the end of the trace needs no unlock, and is sure.
 *
 * For model.c; views read the result in struct gt_model.
 */
#pragma once

#include "model_set.h"
#include "span.h"

struct gt_model;

struct gt_model_share {
	uint64_t waits;
	uint64_t total, max; /* ns */
};

/* Who set an object free, from where. Key of a struct gt_model_hold. */
struct gt_model_hold_key {
	uint32_t object; /* in model->objects */
	uint32_t thread; /* GT_SPAN_NONE */
	uint32_t stack;  /* in model->stacks */
};

struct gt_model_hold {
	struct gt_model_share share; /* how often somebody was let go, and what all had waited */
	uint64_t held, longest; /* ns of holdings in which somebody waited, from his coming on */
};

/* What holders of an object did while it was waited for. Key of a struct gt_model_share. */
struct gt_model_doing_key {
	uint32_t object; /* in model->objects */
	uint32_t kind;   /* enum gt_span_kind; 0: not known */
	uint64_t what;   /* SYSCALL: the call; WAIT: string, the reason; else 0 */
};

/* A lock held while another was wanted. Key: both as indices in model->locks. */
struct gt_model_order_key {
	uint32_t held, wanted;
};

struct gt_model_order {
	uint64_t sure, unsure; /* how often */
	uint32_t thread;       /* the first that did so, for sure if any did, */
	uint32_t stack;        /* and where it wanted it; in model->stacks */
	bool others;           /* other threads did so too */
};

/* Identity of a lock. Key in model->locks; the value is the index of an object of it. */
struct gt_model_lock_key {
	uint64_t address, epoch;
};

/* Locks each of which was held while the next was wanted, and the first while the last. */
struct gt_model_ring {
	uint32_t *locks;
	size_t n;
};

/* A thread that waits at the end. */
struct gt_model_stuck {
	uint32_t thread;
	uint32_t reason, stack; /* stack in model->stacks */
	uint32_t object;        /* of the spans; GT_SPAN_NONE */
	uint32_t owner;         /* the last that is known to have had it; GT_SPAN_NONE */
	uint64_t since;
	uint32_t cycle; /* 1, 2, ...: it is part of that circle of waits; 0: of none */
};

struct gt_model_locks;

struct gt_model_locks *gt_model_locks_create(void);
void gt_model_locks_destroy(struct gt_model_locks *locks);
/* What came out of the stream, before the model takes it. */
void gt_model_locks_span(struct gt_model *model, const struct gt_span *span);
/* A wait for a mutex at the end of one on a condition. */
void gt_model_locks_retake(struct gt_model *model, const struct gt_span *span);
/* The end: charges what is still waited for. */
void gt_model_locks_end(struct gt_model *model);
/* model_ring.c: finds the circles. */
void gt_model_rings(struct gt_model *model);
/* How lock i of a ring was held while the next one was wanted. */
const struct gt_model_order *gt_model_order(struct gt_model *model,
					    const struct gt_model_ring *ring, size_t i);

/* Whether an object of this kind is held by a thread while others wait. */
bool gt_object_has_holder(uint64_t kind);
