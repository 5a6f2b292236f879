/*
 * The registry of waiters: who waits for what, and what is known of why they will wake.
 *
 * Private memory, no part of the trace: buckets by address, each a lock and two lists.
 * An unlock looks at its bucket's count first: one load of a line that is written only when
 * somebody blocks on an address of that bucket. Called by wait.c and wake.c, with the thread's
 * guard up; what hooks ask before that is the inline half.
 */
#pragma once

#include "object.h"
#include "thread.h"

enum { GT_BUCKETS = 1024 };

/* Oldest first; under the bucket's lock. */
struct gt_line {
	struct gt_wait *first;
	struct gt_wait *last;
};

struct gt_bucket {
	_Atomic uint32_t count;  /* waiters; written under lock, read by anybody */
	_Atomic uint32_t coming; /* those of them that are on their way to sleep; the same */
	_Atomic uint32_t asking; /* those of them in line[0]; the same */
	/* Of line[1]: how many were called, which a signaller counts; and of those, have left. */
	_Atomic uint32_t called;
	_Atomic uint32_t answered; /* written under lock */
	/*
	 * Waiters; and apart from them those who wait for a condition and will take a mutex of this
	 * bucket back: of these there may be many, and an unlock has little to ask of them.
	 */
	struct gt_line line[2];
	struct gt_lock lock;
	/* The last signal or broadcast: for what, and who makes that call. Under lock. */
	uintptr_t signalled;
	struct gt_hint signal;
} GT_ALIGNED(GT_LINE);

extern GT_HIDDEN struct gt_bucket gt_buckets[GT_BUCKETS];

GT_INLINE struct gt_bucket *gt_bucket_of(uintptr_t object)
{
	/* Multiplicative hash; objects are 8 bytes apart at least. */
	return &gt_buckets[((uint64_t)object >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 54];
}

/* Whether somebody who stands in line[1] was called. */
GT_INLINE bool gt_bucket_called(const struct gt_bucket *b)
{
	return gt_load_relaxed(&b->called) != gt_load_relaxed(&b->answered);
}

/* Whether somebody may wait for this object: the price of an uncontended unlock or signal. */
GT_INLINE bool gt_wake_wanted(const void *object)
{
	/* Relaxed: a waiter that registers at this moment ends its wait without a named waker. */
	return gt_load_relaxed(&gt_bucket_of((uintptr_t)object)->count) != 0;
}

/*
 * Of an object whose waiters stand in a queue: whether one of them has not slept yet. If not, an
 * unlock that reads an unmarked word after this wakes nobody, and nobody asks who made it.
 */
GT_INLINE bool gt_wake_coming(const void *object)
{
	/* Acquire: the caller's load of the word comes after it. A waiter marks the word, then
	 * sleeps (gt_waiters_sleep). */
	return gt_load_acquire(&gt_bucket_of((uintptr_t)object)->coming) != 0;
}

/* Of a mutex: whether somebody waits for it who may want to know from where it was set free. */
GT_INLINE bool gt_wake_asks(const void *object)
{
	const struct gt_bucket *b = gt_bucket_of((uintptr_t)object);

	/* Relaxed: who comes at this moment may find an unlock whose place is not known. */
	return gt_load_relaxed(&b->asking) != 0;
}

/*
 * Whether an unlock may concern anybody: not those who wait for a condition, and will take this
 * mutex back, before they are called.
 */
GT_INLINE bool gt_wake_concerns(const void *object)
{
	/* Relaxed: who is called at this moment by another thread has not come to the mutex yet. */
	return gt_wake_asks(object) || gt_bucket_called(gt_bucket_of((uintptr_t)object));
}

/*
 * w waits for object from that moment on; mask: of the wake-ups that concern it, 0: all.
 */
void gt_waiters_enter(struct gt_wait *w, const void *object, uint64_t since, uint32_t mask);
/* The same by w[0] for a condition and by w[1] for the mutex that it will take back. */
void gt_waiters_enter_both(struct gt_wait *w, const void *cond, const void *mutex, uint64_t since);
/*
 * Takes w out, if it stands anywhere; returns what ended it, as far as is known (NULL: it is not):
 * of a wait that ended by a wake-up its cause, else who interrupted or cancelled the thread. In w,
 * until that enters again.
 */
const struct gt_hint *gt_waiters_leave_listed(struct gt_wait *w, bool woken);

GT_INLINE const struct gt_hint *gt_waiters_leave(struct gt_wait *w, bool woken)
{
	return w->listed ? gt_waiters_leave_listed(w, woken) : NULL;
}

/*
 * An unlock is a cause for all that wait for object now; the last one counts, and one that is not
 * contended only if there is none that is. queue: it is for the next in the queue, if anybody in it
 * is asleep.
 */
void gt_waiters_tell_unlock(const void *object, const struct gt_hint *hint, bool queue);
/*
 * A cause by a call that signals one, which has none of its own yet, or (UINT32_MAX) all. Who
 * enters before the call is over, which its thread says in its wake stack, may be woken by it, and
 * has no other cause then. One call a bucket is known, the last.
 */
void gt_waiters_signal(const void *object, uint32_t count, const struct gt_hint *hint);
/* That unlock, by who and with its stack of this version, woke nobody. */
void gt_waiters_untell_unlock(const void *object, uint32_t who, uint32_t version);
/*
 * Wake-ups that concern a waiter, where they differ: those of a mutex, whose waiters stand here in
 * the kernel's order (preload/mutex.c), do not concern who waits for a condition and will take it
 * back; nor who will sleep, but not yet.
 */
enum { GT_MASK_QUEUE = 1, GT_MASK_RETAKE = 2, GT_MASK_ON_ITS_WAY = 4 };

/*
 * w is about to sleep in the queue of its object, for the first time or because others had the
 * mutex first: it goes to the end. woken: by the kernel since it slept last; then a cause is used
 * up, its own or, if the kernel took it out of the line, the oldest of another. Else its cause, if
 * it has one, was another's.
 */
void gt_waiters_sleep(struct gt_wait *w, uint64_t since, bool woken);
/* The same for one that sleeps no more: what ended its wait. Takes it out. */
const struct gt_hint *gt_waiters_leave_queue(struct gt_wait *w, bool woken);
/* w is about to make a call that sleeps and does not say so: it is not on its way any more. */
void gt_waiters_arrive(struct gt_wait *w);

/* One for each of the count longest that have none of their own and whose mask meets this one. */
void gt_waiters_tell(const void *object, uint32_t count, uint32_t mask, const struct gt_hint *hint);
/* w, if it waits and is still of the thread whose id is expected, is interrupted by that. */
void gt_waiters_tell_one(struct gt_wait *w, _Atomic uint64_t *id, uint64_t expected,
			 const struct gt_hint *hint);
/* The oldest cause that one of them has was taken by somebody who did not wait. */
void gt_waiters_spend(const void *object);
/* Up to count of the longest waiters of from that have no cause yet wait for to. */
void gt_waiters_requeue(const void *from, const void *to, uint32_t count);

/* In a child after fork: nobody waits. */
void gt_waiters_forget(void);
