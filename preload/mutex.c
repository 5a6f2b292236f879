/*
 * Mutexes: a lock that waits, and who ended that.
 *
 * The hot halves of lock and unlock have no frame: their cold halves are reached by a jump (a
 * sibling call), so the frame that these take for the stack is called by the program.
 *
 * A lock is tried first: one that succeeds is the real trylock and nothing else. What trylock
 * reports besides EBUSY is what lock would report (EOWNERDEAD, ENOTRECOVERABLE, EAGAIN, EINVAL).
 */
#include "hook.h"
#include "mutex.h"

/* The kind bits of glibc's __kind that matter here (nptl/pthreadP.h, nptl/internaltypes.h). */
enum {
	KIND_MASK = 0x03,   /* the plain kind: normal, recursive, errorcheck, adaptive */
	KIND_PI = 0x20,     /* PTHREAD_MUTEX_PRIO_INHERIT_NP */
	KIND_ROBUST = 0x10, /* PTHREAD_MUTEX_ROBUST_NORMAL_NP */
	LOCK_SLEEPERS = 2,  /* value of the lock word of other kinds: somebody may sleep */
};
#define LOCK_WAITERS 0x80000000u /* FUTEX_WAITERS: the same for PI and robust mutexes */

/*
 * Fields of a live mutex, which other threads change: single loads of what glibc writes atomically
 * or only as the owner.
 */
static int kind_of(const pthread_mutex_t *m)
{
	return __atomic_load_n(&m->__data.__kind, __ATOMIC_RELAXED);
}

static uint32_t owner_of(const pthread_mutex_t *m)
{
	return (uint32_t)__atomic_load_n(&m->__data.__owner, __ATOMIC_RELAXED);
}

bool gt_mutex_contended(const pthread_mutex_t *m)
{
	uint32_t word = (uint32_t)__atomic_load_n(&m->__data.__lock, __ATOMIC_RELAXED);

	return kind_of(m) & (KIND_PI | KIND_ROBUST) ? (word & LOCK_WAITERS) != 0
						    : word == LOCK_SLEEPERS;
}

/* Whether unlocking m by t sets it free: not a recursive one held more than once, not another's. */
static bool unlock_frees(const pthread_mutex_t *m, const struct gt_thread *t)
{
	int kind = kind_of(m) & KIND_MASK;

	if (kind == PTHREAD_MUTEX_RECURSIVE_NP || kind == PTHREAD_MUTEX_ERRORCHECK_NP) {
		if (owner_of(m) != gt_thread_tid(t)) {
			return false;
		}
	}
	return kind != PTHREAD_MUTEX_RECURSIVE_NP || m->__data.__count == 1;
}

static enum gt_ended ended(int r)
{
	return r == 0 || r == EOWNERDEAD ? GT_ENDED_WAKER
	       : r == ETIMEDOUT          ? GT_ENDED_TIMEOUT
					 : GT_ENDED_ERROR;
}

/* The block of a lock on m, which was just found held. 0: not traced. */
static struct gt_thread *begin(pthread_mutex_t *m, void *frame, uint32_t *wait)
{
	struct gt_thread *t = gt_self(frame);
	struct gt_wait_for what = {.reason = GT_REASON_MUTEX,
				   .kind = GT_OBJECT_MUTEX,
				   .object = m,
				   .owner = owner_of(m),
				   .frame = frame};

	/* An error-checking mutex refuses its owner at once. */
	if (!t || (what.owner == gt_thread_tid(t) &&
		   (kind_of(m) & KIND_MASK) == PTHREAD_MUTEX_ERRORCHECK_NP)) {
		return NULL;
	}
	*wait = gt_wait_begin(t, &what);
	return t;
}

static GT_COLD int lock_contended(pthread_mutex_t *m)
{
	uint32_t wait = 0;
	struct gt_thread *t = begin(m, GT_FRAME(), &wait);
	int r = GT_REAL(pthread_mutex_lock)(m);

	if (t) {
		gt_wait_end(t, wait, ended(r), r);
	}
	return r;
}

int gt_hook_pthread_mutex_lock(pthread_mutex_t *m)
{
	int r = GT_REAL_HOT(pthread_mutex_trylock)(m);

	return gt_likely(r != EBUSY) ? r : lock_contended(m);
}

int gt_hook_pthread_mutex_trylock(pthread_mutex_t *m)
{
	return GT_REAL_HOT(pthread_mutex_trylock)(m);
}

int gt_hook_pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
	int r = GT_REAL_HOT(pthread_mutex_trylock)(m);
	uint32_t wait = 0;
	struct gt_thread *t;

	if (gt_likely(r != EBUSY)) {
		return r;
	}
	t = begin(m, GT_FRAME(), &wait);
	r = GT_REAL(pthread_mutex_timedlock)(m, until);
	if (t) {
		gt_wait_end(t, wait, ended(r), r);
	}
	return r;
}

int gt_hook_pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock,
				    const struct timespec *until)
{
	struct gt_thread *t = NULL;
	uint32_t wait = 0;
	int r = EBUSY;

	/* An unknown clock is refused even where the mutex is free. */
	if (clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME) {
		r = GT_REAL_HOT(pthread_mutex_trylock)(m);
		if (gt_likely(r != EBUSY)) {
			return r;
		}
		t = begin(m, GT_FRAME(), &wait);
	}
	r = GT_REAL(pthread_mutex_clocklock)(m, clock, until);
	if (t) {
		gt_wait_end(t, wait, ended(r), r);
	}
	return r;
}

void gt_mutex_hint_unlock(pthread_mutex_t *m, void *frame)
{
	struct gt_thread *t = gt_self(frame);

	/* Before the mutex is free: a waiter may have returned before we could say who let it. */
	if (t && unlock_frees(m, t)) {
		gt_wake_hint(t, m, GT_WAKE_UNLOCK, gt_mutex_contended(m), frame);
	}
}

static GT_COLD int unlock_wanted(pthread_mutex_t *m)
{
	gt_mutex_hint_unlock(m, GT_FRAME());
	return GT_REAL_HOT(pthread_mutex_unlock)(m);
}

int gt_hook_pthread_mutex_unlock(pthread_mutex_t *m)
{
	if (gt_unlikely(gt_wake_wanted(m))) {
		return unlock_wanted(m);
	}
	return GT_REAL_HOT(pthread_mutex_unlock)(m);
}

int gt_hook_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *a)
{
	gt_object_renew(m);
	return GT_REAL(pthread_mutex_init)(m, a);
}

int gt_hook_pthread_mutex_destroy(pthread_mutex_t *m)
{
	gt_object_renew(m);
	return GT_REAL(pthread_mutex_destroy)(m);
}

#define GT_EXPORT_mutex(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
