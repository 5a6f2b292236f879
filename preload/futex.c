/*
 * Futexes: the waits and wake-ups of whatever builds its locks on the bare system call (Rust's
 * standard library, C++20's atomic waits and semaphores, folly, absl). Called by syscall.c.
 *
 * The address of a word is an identity here and never followed: it may be bad, and then the call
 * says EFAULT. So that a wait would not have blocked, since the word has changed, is only known
 * afterwards: it is a wait that ended with EAGAIN.
 */
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>

#include "hook.h"
#include "syscall.h"

/* Numbers and operations that are younger than the oldest headers that gtrace is built with. */
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
enum { FUTEX_WAKE_2 = 454, FUTEX_WAIT_2, FUTEX_REQUEUE_2 };
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static const void *word(long address)
{
	return (const void *)(uintptr_t)address; /* NOLINT: the program's own bits */
}

static struct gt_thread *self(void *frame)
{
	return gt_class_on(GT_CLASS_SYNC) ? gt_self(frame) : NULL;
}

/* A wait for the word at address; 0: for more than one, or none that is known. */
static long wait_for(const struct gt_six *s, long address, uint32_t mask, void *frame)
{
	struct gt_thread *t = self(frame);
	struct gt_wait_for what = {.reason = GT_REASON_FUTEX,
				   .kind = GT_OBJECT_FUTEX,
				   .object = word(address),
				   .mask = mask,
				   .frame = frame};
	uint32_t wait;
	long r;

	if (!t || !gt_budget_wait(&t->meter, what.object, GT_PRICE_WAIT_OTHER)) {
		return gt_six_real(s);
	}
	wait = gt_wait_begin(t, &what);
	r = gt_six_real(s);
	if (r >= 0) {
		/* futex_waitv says which of its words it was. */
		gt_wait_end(t, wait, GT_ENDED_WAKER, (int)r);
	} else {
		gt_wait_end(t, wait, errno == ETIMEDOUT ? GT_ENDED_TIMEOUT : GT_ENDED_ERROR, errno);
	}
	return r;
}

/* Before the kernel wakes up to n of those who wait there: they may return before it does. */
static void wake(long address, uint32_t n, uint32_t mask, void *frame)
{
	struct gt_thread *t;

	if (n && gt_wake_wanted(word(address)) && (t = self(frame))) {
		gt_wake_some(t, word(address), n, mask, frame);
	}
}

/* The kernel counts those whom it has woken after each, as an int: it always wakes one. */
static uint32_t at_least_one(long n)
{
	return (int)n > 1 ? (uint32_t)(int)n : 1;
}

/* Wakes up to n; the others go on waiting for another word. */
static long requeue(const struct gt_six *s, long from, long to, uint32_t n, void *frame)
{
	long r;

	wake(from, n, FUTEX_BITSET_MATCH_ANY, frame);
	r = gt_six_real(s);
	/* How many were woken and moved together. */
	if (r > (long)n && gt_wake_wanted(word(from)) && self(frame)) {
		gt_wait_requeue(word(from), word(to), (uint32_t)(r - (long)n));
	}
	return r;
}

static long futex(const struct gt_six *s, void *frame)
{
	uint32_t any = FUTEX_BITSET_MATCH_ANY;

	switch ((int)s->b & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
	case FUTEX_WAIT_REQUEUE_PI:
		return wait_for(s, s->a, any, frame);
	case FUTEX_WAIT_BITSET:
		return wait_for(s, s->a, (uint32_t)s->f, frame);
	case FUTEX_WAKE:
		wake(s->a, at_least_one(s->c), any, frame);
		break;
	case FUTEX_WAKE_BITSET:
		wake(s->a, at_least_one(s->c), (uint32_t)s->f, frame);
		break;
	case FUTEX_UNLOCK_PI:
		wake(s->a, 1, any, frame);
		break;
	case FUTEX_WAKE_OP:
		/* Whether it wakes those of the second word depends on what the kernel finds there.
		 */
		wake(s->a, at_least_one(s->c), any, frame);
		wake(s->e, at_least_one(s->d), any, frame);
		break;
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
		return requeue(s, s->a, s->e, (int)s->c > 0 ? (uint32_t)s->c : 0, frame);
	default:
		/* FUTEX_TRYLOCK_PI does not wait; FUTEX_FD is gone. */
		break;
	}
	return gt_six_real(s);
}

bool gt_futex_is(long number)
{
	return number == SYS_futex || number == SYS_futex_waitv ||
	       (number >= FUTEX_WAKE_2 && number <= FUTEX_REQUEUE_2);
}

long gt_futex(const struct gt_six *s, void *frame)
{
	switch (s->number) {
	case SYS_futex:
		return futex(s, frame);
	case FUTEX_WAIT_2:
		return wait_for(s, s->a, (uint32_t)s->c, frame);
	case FUTEX_WAKE_2:
		wake(s->a, (int)s->c > 0 ? (uint32_t)s->c : 0, (uint32_t)s->b, frame);
		return gt_six_real(s);
	default:
		/*
		 * futex_waitv and futex_requeue name their words in memory of the program, which
		 * may be bad. (A wait for several words would have to stand in several places.)
		 */
		return s->number == SYS_futex_waitv ? wait_for(s, 0, 0, frame) : gt_six_real(s);
	}
}
