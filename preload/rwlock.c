/*
 * Read-write locks: a lock that waits, and who ended that.
 *
 * Tried first, as a mutex is: where a try succeeds glibc's lock would have, at once, and where it
 * fails the real call decides, also who is preferred and who would wait for itself (EDEADLK).
 *
 * Readers and writers stand under two addresses in the wait registry. A writer's unlock concerns
 * both. A reader's concerns writers alone: of the readers that leave while a writer waits the last
 * one lets it in, and the last hint is the one that counts.
 *
 * No rwlock function is a cancellation point.
 */
#include "hook.h"

#include "codes.h"

/* The thread that has it for writing; 0: none (nptl/pthread_rwlock_common.c). */
static uint32_t writer_of(const pthread_rwlock_t *l)
{
	return (uint32_t)__atomic_load_n(&l->__data.__cur_writer, __ATOMIC_RELAXED);
}

/* Where they stand in the registry: both lie in the lock, so no other object has them. */
GT_INLINE const void *readers_of(const pthread_rwlock_t *l)
{
	return l;
}

GT_INLINE const void *writers_of(const pthread_rwlock_t *l)
{
	return (const char *)l + 8;
}

/* A lock of l that was just found held, and that may wait. */
struct locking {
	struct gt_thread *t; /* NULL: no wait is open, the real call is not traced */
	uint32_t wait;
	int tried; /* other than EBUSY: it is done */
};

static struct locking begin(pthread_rwlock_t *l, bool write, void *frame)
{
	const void *queue = write ? writers_of(l) : readers_of(l);
	struct locking k = {.t = gt_self_to_wait(queue, frame), .tried = EBUSY};
	struct gt_wait_for what = {.reason = GT_REASON_RWLOCK,
				   .kind = write ? GT_OBJECT_RWLOCK_WRITE : GT_OBJECT_RWLOCK_READ,
				   .object = l,
				   .owner = writer_of(l),
				   .frame = frame};

	/* It refuses the thread that has it for writing. */
	if (!k.t || what.owner == gt_thread_tid(k.t)) {
		k.t = NULL;
		return k;
	}
	gt_wait_register(k.t, queue, false, frame);
	/* Again: an unlock before we stood in the registry has left no hint. */
	k.tried =
		write ? GT_REAL(pthread_rwlock_trywrlock)(l) : GT_REAL(pthread_rwlock_tryrdlock)(l);
	if (k.tried != EBUSY) {
		gt_wait_withdraw(k.t);
		k.t = NULL;
		return k;
	}
	k.wait = gt_wait_begin(k.t, &what);
	return k;
}

static int end(const struct locking *k, int r)
{
	if (k->t) {
		gt_wait_end(k->t, k->wait, gt_ended_of(r), r);
	}
	return r;
}

/*
 * The locks for reading, then those for writing. An impossible time or an unknown clock is refused
 * even where the lock is free: such a call goes straight. The cold half of the plain one is reached
 * by a jump, as in mutex.c.
 */
#define LOCKS(side, write)                                                                        \
	static GT_COLD int side##lock_slow(pthread_rwlock_t *l)                                   \
	{                                                                                         \
		struct locking k = begin(l, write, GT_FRAME());                                   \
                                                                                                  \
		return k.tried != EBUSY ? k.tried                                                 \
					: end(&k, GT_REAL(pthread_rwlock_##side##lock)(l));       \
	}                                                                                         \
                                                                                                  \
	int gt_hook_pthread_rwlock_##side##lock(pthread_rwlock_t *l)                              \
	{                                                                                         \
		int r = GT_REAL(pthread_rwlock_try##side##lock)(l);                               \
                                                                                                  \
		return gt_likely(r != EBUSY) ? r : side##lock_slow(l);                            \
	}                                                                                         \
                                                                                                  \
	int gt_hook_pthread_rwlock_try##side##lock(pthread_rwlock_t *l)                           \
	{                                                                                         \
		return GT_REAL(pthread_rwlock_try##side##lock)(l);                                \
	}                                                                                         \
                                                                                                  \
	int gt_hook_pthread_rwlock_timed##side##lock(pthread_rwlock_t *l,                         \
						     const struct timespec *until)                \
	{                                                                                         \
		struct locking k = {.tried = EBUSY};                                              \
                                                                                                  \
		if (gt_until_possible(until)) {                                                   \
			k.tried = GT_REAL(pthread_rwlock_try##side##lock)(l);                     \
			if (k.tried == EBUSY) {                                                   \
				k = begin(l, write, GT_FRAME());                                  \
			}                                                                         \
		}                                                                                 \
		return k.tried != EBUSY                                                           \
			       ? k.tried                                                          \
			       : end(&k, GT_REAL(pthread_rwlock_timed##side##lock)(l, until));    \
	}                                                                                         \
                                                                                                  \
	int gt_hook_pthread_rwlock_clock##side##lock(pthread_rwlock_t *l, clockid_t clock,        \
						     const struct timespec *until)                \
	{                                                                                         \
		struct locking k = {.tried = EBUSY};                                              \
                                                                                                  \
		if (gt_until_clock(clock) && gt_until_possible(until)) {                          \
			k.tried = GT_REAL(pthread_rwlock_try##side##lock)(l);                     \
			if (k.tried == EBUSY) {                                                   \
				k = begin(l, write, GT_FRAME());                                  \
			}                                                                         \
		}                                                                                 \
		return k.tried != EBUSY                                                           \
			       ? k.tried                                                          \
			       : end(&k,                                                          \
				     GT_REAL(pthread_rwlock_clock##side##lock)(l, clock, until)); \
	}
LOCKS(rd, false)
LOCKS(wr, true)
#undef LOCKS

static GT_COLD int unlock_wanted(pthread_rwlock_t *l)
{
	struct gt_thread *t = gt_self(GT_FRAME());

	/* Before the lock is free, as in mutex.c. */
	if (t) {
		if (writer_of(l) == gt_thread_tid(t) && gt_wake_wanted(readers_of(l))) {
			gt_wake_hint(t, readers_of(l), GT_WAKE_UNLOCK, NULL, GT_FRAME());
		}
		if (gt_wake_wanted(writers_of(l))) {
			gt_wake_hint(t, writers_of(l), GT_WAKE_UNLOCK, NULL, GT_FRAME());
		}
	}
	return GT_REAL(pthread_rwlock_unlock)(l);
}

int gt_hook_pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	if (gt_unlikely(gt_wake_wanted(readers_of(l)) || gt_wake_wanted(writers_of(l)))) {
		return unlock_wanted(l);
	}
	return GT_REAL(pthread_rwlock_unlock)(l);
}

int gt_hook_pthread_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *a)
{
	gt_object_renew(l);
	return GT_REAL(pthread_rwlock_init)(l, a);
}

int gt_hook_pthread_rwlock_destroy(pthread_rwlock_t *l)
{
	gt_object_renew(l);
	return GT_REAL(pthread_rwlock_destroy)(l);
}

#define GT_EXPORT_rwlock(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
