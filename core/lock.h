/*
 * A lock of our own: never a pthread mutex, so never one of our own hooks.
 *
 * The word: 0 free, 1 held, 2 held and somebody may wait. Source: U. Drepper, "Futexes Are
 * Tricky", mutex 2, but for its end (gt_lock_drop). Holders never run the program's code and never
 * wait for anything of the program; at most they ask the kernel for memory (gt_shm_alloc), once in
 * many times. Every holder has its thread's guard set (thread.h), so a signal handler of the
 * program never takes one that its own thread holds; one that never comes back (it ends the
 * process) is why the end of the process waits for locks only so long.
 */
#pragma once

#include "base/atomic.h"
#include "base/sys.h"
#include "base/util.h"

struct gt_lock {
	_Atomic uint32_t word;
};

/*
 * In a child of fork whose one thread is going to return into the tracer: no lock is waited for,
 * since who held it is not in this process.
 */
extern GT_HIDDEN bool gt_lock_void;
/* A holder has left (gt_lock_leave), and the trace is broken: no lock is waited for any more. */
extern GT_HIDDEN _Atomic bool gt_lock_left;
/* Locks that the calling thread holds, or is about to hold. */
extern GT_HIDDEN GT_TLS uint32_t gt_locks_held;

void gt_lock_take_slow(struct gt_lock *l);

GT_INLINE void gt_lock_take(struct gt_lock *l)
{
	uint32_t free_word = 0;

	gt_locks_held++;
	gt_signal_fence();
	/*
	 * Acquire: partner is the release in gt_lock_drop. Sequentially consistent for the lock of
	 * a mailbox, whose word is looked at without taking it (post in wait.c).
	 */
	if (gt_unlikely(!gt_cas_seq(&l->word, &free_word, 1))) {
		gt_lock_take_slow(l);
	}
}

GT_INLINE bool gt_lock_try(struct gt_lock *l)
{
	uint32_t free_word = 0;

	gt_locks_held++;
	gt_signal_fence();
	if (gt_cas_acq_rel(&l->word, &free_word, 1)) {
		return true;
	}
	gt_locks_held--;
	return false;
}

/* The same, but not after CLOCK_MONOTONIC until (ns). False: not taken. */
bool gt_lock_take_until(struct gt_lock *l, uint64_t until);

GT_INLINE void gt_lock_drop(struct gt_lock *l)
{
	/*
	 * A look and a store, and no locked instruction. Who marks the word between the two finds
	 * it free or sleeps on a value that is not there; only if this thread is stopped just
	 * there, for so long that the other sleeps, is it not woken, and looks again by itself.
	 */
	bool waits = gt_load_relaxed(&l->word) == 2;

	/* Release: partner is gt_lock_take. */
	gt_store_release(&l->word, 0);
	if (gt_unlikely(waits)) {
		gt_sys_futex_wake(&l->word, 1);
	}
	gt_signal_fence();
	gt_locks_held--;
}

/*
 * The calling thread was thrown out of the code that holds some, by a signal handler. Nobody waits
 * for them for ever; what they guard may be half changed, and is not used again.
 */
void gt_lock_leave(void);
