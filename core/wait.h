/*
 * Waiting and waking: how a blocked interval gets its beginning, its end and its cause.
 *
 * A waker cannot know whom the kernel will wake, and a mutex may be taken by a third thread first.
 * So the unblock is posted by the waiter (docs/design.md, section 4):
 *
 *  1. The waiter writes GoBlock, registers (object address, itself), then makes the real call.
 *  2. An unlock or signal that finds waiters of its object leaves a hint: who, when, from where. No
 *     event, no section. For a mutex and a broadcast the hint is kept once for the object and the
 *     last one wins: before the waiter has acquired, the last unlock is the one that let it. An
 *     unlock that found nobody asleep counts only where no other does: it woke nobody, a third
 *     thread had the mutex for a moment while the waiter was on its way. A
 *     signal is meant for one: it goes to the longest waiter that has none yet, as glibc's does.
 *  3. The waiter, on return, leaves the registry and posts the unblock with its next sequence
 *     number into the mailbox of the hinted waker, in the parity of its own section; the waker's
 *     next event writes it, dated at the unlock, or the advancer does. Without a hint (timeout,
 *     signal, spurious wake-up, the waker's mailbox full or closed) the waiter writes it itself.
 *
 * Nobody waits for anybody. There is no cycle of unblocks that must come before each other: a post
 * is refused if the waker has blocked and woken since its hint, and then the waiter writes the
 * unblock itself. So the last GoStart before a GoUnblock in the waker's stream is older than the
 * hint, and along a chain of unblocks the times of the hints grow.
 *
 * pthread_join is different: the ending thread cannot be posted to later, and nobody can barge in.
 * It takes the joiner out of x_joiner and writes the unblock at once (thread.c).
 *
 * A condition variable's waiter will take its mutex back. Its waker is the signaller; the last
 * unlock of that mutex that came after the signal and found the lock word contended is what the
 * waiter waited for at last: the unblock is dated then, and a fact says whose it was. The mutex'
 * bucket keeps it (waiters.h), until the waiter asks, which has the mutex by then.
 *
 * The registry is waiters.h. What a waker calls is in wake.c, the rest in wait.c.
 */
#pragma once

#include "thread.h"
#include "trace.h"
#include "waiters.h"

enum gt_wake { GT_WAKE_UNLOCK, GT_WAKE_SIGNAL, GT_WAKE_BROADCAST };

/*
 * The lock word of an object that is unlocked, and the bits of it that say that somebody sleeps.
 * queue: its waiters say when they sleep (gt_wait_register), so an unlock is for the next of them.
 */
struct gt_wake_word {
	const uint32_t *word;
	uint32_t sleepers;
	bool queue;
};

GT_INLINE bool gt_wake_word_says(const struct gt_wake_word *w)
{
	return (__atomic_load_n(w->word, __ATOMIC_RELAXED) & w->sleepers) != 0;
}

/*
 * The calling thread t is about to make waiters of object runnable. word: of an unlock; NULL: none
 * is known, it counts as one that found nobody asleep. frame: of the hook, for the stack. Returns
 * the version of its wake stack.
 */
uint32_t gt_wake_hint(struct gt_thread *t, const void *object, enum gt_wake kind,
		      const struct gt_wake_word *word, void *frame);
/* The unlock that t hinted last woke nobody. */
void gt_wake_missed(struct gt_thread *t, const void *object, void *frame);
/* The call of a signal or broadcast has returned, whose hint gave that. */
void gt_wake_over(struct gt_thread *t, uint32_t version);

/*
 * For a mutex that was found held: the calling thread t stands in the registry before it has
 * blocked, so that an unlock that comes while it notes its stack finds it. (It is a hint and no
 * transition; the unblock is dated at the block where the unlock was earlier.) The caller tries
 * again after it: then either the lock is free, or its unlock will leave a hint. gt_wait_begin
 * takes it from there, or gt_wait_withdraw takes t out again.
 *
 * queue: the hook itself sleeps, and says of each sleep when it begins and how it ended
 * (gt_wait_sleep, gt_wait_end_queue): so the waiters of the object that do so stand in the kernel's
 * order, and an unlock that finds somebody asleep is for the first of them that has no cause yet.
 */
void gt_wait_register(struct gt_thread *t, const void *object, bool queue, void *frame);
/*
 * The same for an object that holds tokens: whoever gets one used up the cause that was given for
 * it to the longest waiter, also if that is older than its own wait.
 */
void gt_wait_register_token(struct gt_thread *t, const void *object, void *frame);
void gt_wait_withdraw(struct gt_thread *t);

/* Whatever t stands in, it leaves: its frame was left by longjmp, or it ends. */
void gt_wait_drop(struct gt_thread *t);

/*
 * The same for objects whose waiters the kernel wakes in order and one by one (futexes): the count
 * longest waiters whose mask meets this one, and that have no cause yet, each get this one for
 * their own; who comes later does not. A waiter that returns without one takes over the oldest that
 * was given to another: the kernel's order is not always that of the registry.
 */
void gt_wake_some(struct gt_thread *t, const void *object, uint32_t count, uint32_t mask,
		  void *frame);

/*
 * The calling thread, which is traced, took without waiting what one of the waiters of object was
 * woken for, and which sleeps on: the oldest cause is spent.
 */
void gt_wake_spent(const void *object);

/* FUTEX_REQUEUE: up to count of the longest waiters of from that have no cause yet wait for to. */
void gt_wait_requeue(const void *from, const void *to, uint32_t count);

struct gt_wait_for {
	enum gt_reason reason;
	enum gt_object kind;
	const void *object;
	const void *key;   /* where its wakers look for it, if that is not the object */
	const void *mutex; /* that the wait will take back; NULL: none */
	uint32_t owner;    /* tid that has it now; 0: nobody, or not known */
	uint32_t mask;     /* of gt_wake_some that concern it; 0: all */
	bool called;       /* registered as one of a queue, but the real call will sleep */
	void *frame;       /* of the hook */
};

/*
 * The calling thread t, running, is about to block. Returns the number of the wait for gt_wait_end.
 * Between the two no section is open and the guard is down (invariant 8): a cancelled thread
 * never returns, a signal handler may run anything.
 */
uint32_t gt_wait_begin(struct gt_thread *t, const struct gt_wait_for *what);

/*
 * The wait is over; ended: GT_ENDED_WAKER where a waker may be named, else why not. result: what
 * the call returns, for the fact. Does nothing if the wait was already closed (see gt_wait_left).
 */
void gt_wait_end(struct gt_thread *t, uint32_t number, enum gt_ended ended, int result);

/*
 * For a wait that was registered as one of a queue. A sleep begins; the one before it, if there was
 * one, ended (woken: by a wake-up of the kernel's).
 */
void gt_wait_sleep(struct gt_thread *t, uint32_t number, bool woken);
/* gt_wait_end for it; woken: of the last sleep. */
void gt_wait_end_queue(struct gt_thread *t, uint32_t number, enum gt_ended ended, int result,
		       bool woken);

/*
 * Closes a wait whose frame is gone: a handler left it by longjmp. Called by a hook that finds its
 * thread blocked; sp: of the hook. False: the wait is still there below it (a signal handler runs
 * during the wait), the hook must pass straight.
 */
bool gt_wait_left(struct gt_thread *t, uintptr_t sp);

/* pthread_join: the same two around the real call. target: the thread joined, id: its G. */
uint32_t gt_join_begin(struct gt_thread *t, struct gt_thread *target, uint64_t id, void *frame);
void gt_join_end(struct gt_thread *t, struct gt_thread *target, uint32_t number,
		 enum gt_ended ended, int result);

/* The calling thread t cancels target, which may be blocked: it is then what ends that wait. */
void gt_cancel_hint(struct gt_thread *t, struct gt_thread *target, uint64_t id, void *frame);
