/*
 * Spin locks: how long a thread spun for one.
 *
 * To spin is to run, so it is no wait and has no waker, and pthread_spin_unlock is not hooked:
 * nobody asks it anything. (In glibc it is the code of pthread_spin_init; programs bind them by
 * name.)
 */
#include "hook.h"

#include "spin.h"

/* The cold half is reached by a jump, as in mutex.c. */
static GT_COLD int lock_slow(pthread_spinlock_t *l)
{
	struct gt_thread *t = gt_self(GT_FRAME());
	uint64_t since;
	int r;

	if (!t) {
		return GT_REAL(pthread_spin_lock)(l);
	}
	since = gt_spin_begin();
	r = GT_REAL(pthread_spin_lock)(l);
	/* Once more: a signal handler may have ended the trace meanwhile. */
	t = gt_self(GT_FRAME());
	if (t) {
		gt_spin_end(t, l, since, GT_FRAME());
	}
	return r;
}

int gt_hook_pthread_spin_lock(pthread_spinlock_t *l)
{
	int r = GT_REAL(pthread_spin_trylock)(l);

	return gt_likely(r != EBUSY) ? r : lock_slow(l);
}

int gt_hook_pthread_spin_trylock(pthread_spinlock_t *l)
{
	return GT_REAL(pthread_spin_trylock)(l);
}

int gt_hook_pthread_spin_init(pthread_spinlock_t *l, int shared)
{
	gt_object_renew((const void *)l);
	return GT_REAL(pthread_spin_init)(l, shared);
}

int gt_hook_pthread_spin_destroy(pthread_spinlock_t *l)
{
	gt_object_renew((const void *)l);
	return GT_REAL(pthread_spin_destroy)(l);
}

#define GT_EXPORT_spin(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
