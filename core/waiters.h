/*
 * The registry of waiters: who waits for what, and what is known of why they will wake.
 *
 * Private memory, no part of the trace: buckets by address, each a lock and a line of waiters.
 * An unlock looks at its bucket's counts first: one load of a line that is written only when
 * somebody blocks on an address of that bucket, or is called back to a mutex of it.
 *
 * Who waits for a condition stands in its line alone, and not in that of the mutex that it will
 * take back: that it wants once it is called, and then it only asks who set it free last. So the
 * mutex' bucket counts those who are called, and keeps the last two unlocks meanwhile. Called by
 * wait.c and wake.c, with the thread's guard up; what hooks ask before that is the inline half.
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
	/* Read by anybody, also both at once. */
	union {
		struct {
			/* Waiters; written under lock. */
			_Atomic uint32_t count;
			/* Those who waited for a condition, were called, and will take a mutex of
			 * this bucket back. */
			_Atomic uint32_t called;
		};
		_Atomic uint64_t either;
	};
	_Atomic uint32_t coming; /* waiters that are on their way to sleep; written under lock */
	struct gt_lock lock;
	struct gt_line line;
	/* When the first of those who are called was. */
	_Atomic uint64_t called_at;
	/* Under lock: the last signal or broadcast: for what, and who makes that call. */
	uintptr_t signalled;
	struct gt_hint signal;
	/* The same of the last two unlocks that found somebody asleep while one was called: which
	 * of the two was the last, and of what (0: none). */
	uint32_t last;
	struct {
		uintptr_t mutex;
		struct gt_hint by;
	} freed[2];
} GT_ALIGNED(4 * GT_LINE); /* a power of two: each unlock looks for its bucket */
_Static_assert(sizeof(struct gt_bucket) == 4 * GT_LINE, "three lines and some");

extern GT_HIDDEN struct gt_bucket gt_buckets[GT_BUCKETS];

GT_INLINE struct gt_bucket *gt_bucket_of(uintptr_t object)
{
	/* Multiplicative hash; objects are 8 bytes apart at least. */
	return &gt_buckets[((uint64_t)object >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 54];
}

/*
 * Whether somebody may wait for this object, or will take it back: the price of an uncontended
 * unlock or signal.
 */
GT_INLINE bool gt_wake_wanted(const void *object)
{
	/* Relaxed: a waiter that registers at this moment ends its wait without a named waker; who
	 * is called at this moment by another thread has not come to the mutex yet. */
	return gt_load_relaxed(&gt_bucket_of((uintptr_t)object)->either) != 0;
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
	/* Relaxed: who comes at this moment may find an unlock whose place is not known. */
	return gt_load_relaxed(&gt_bucket_of((uintptr_t)object)->count) != 0;
}

/*
 * w waits for object from that moment on; mask: of the wake-ups that concern it, 0: all.
 */
void gt_waiters_enter(struct gt_wait *w, const void *object, uint64_t since, uint32_t mask);
/* The same for a condition, and it will take that mutex back. */
void gt_waiters_enter_cond(struct gt_wait *w, const void *cond, const void *mutex, uint64_t since);
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
 * w, which has left the line of a condition, and was called, has its mutex back: the last unlock of
 * that (NULL: it is not known), as above. has: else it only stops to want it.
 */
const struct gt_hint *gt_waiters_back_called(struct gt_wait *w, bool has);

GT_INLINE const struct gt_hint *gt_waiters_back(struct gt_wait *w, bool has)
{
	return w->called ? gt_waiters_back_called(w, has) : NULL;
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
 * the kernel's order (preload/mutex.c), do not concern who will sleep, but not yet.
 */
enum { GT_MASK_QUEUE = 1, GT_MASK_ON_ITS_WAY = 2 };

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
