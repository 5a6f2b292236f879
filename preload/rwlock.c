/*
 * Read-write locks: a lock that waits, and who ended that.
 *
 * A reader among readers comes and goes here, so does the first one after a writer, and a writer
 * alone (quick.h). All others are tried first, as a mutex is: where a try succeeds glibc's lock
 * would have, at once, and where it fails the real call decides, also who is preferred and who
 * would wait for itself (EDEADLK).
 *
 * Readers and writers stand under two addresses in the wait registry. A writer's unlock concerns
 * both. A reader's concerns writers alone: of the readers that leave while a writer waits the last
 * one lets it in, and the last hint is the one that counts; but one that found somebody in glibc's
 * call counts more than one that did not.
 *
 * No rwlock function is a cancellation point.
 */
#include "hook.h"

#include "codes.h"
#include "quick.h"

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

/*
 * The same as a try, where that may stall. glibc 2.25 to 2.29 (bug 23844): a try to read that
 * begins the readers' phase wakes none of those who sleep for it, and a try to write forgets that
 * they do. Its lock with a time that is over does both right; it is asked where it would succeed,
 * or it would say of itself that it sleeps.
 */
static GT_COLD int try_by_time(pthread_rwlock_t *l, bool write)
{
	static const struct timespec over;
	unsigned r = __atomic_load_n(&l->__data.__readers, __ATOMIC_RELAXED);
	bool writers = l->__data.__flags == PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
	int result;

	if (write ? (r & GT_READERS_WRITER) || r >= GT_READERS_ONE
		  : (r & GT_READERS_WRITER) && ((r & GT_READERS_PHASE_WRITE) || writers)) {
		return EBUSY;
	}
	result = write ? GT_REAL(pthread_rwlock_timedwrlock)(l, &over)
		       : GT_REAL(pthread_rwlock_timedrdlock)(l, &over);
	return result == ETIMEDOUT ? EBUSY : result;
}

GT_INLINE int try_side(pthread_rwlock_t *l, bool write)
{
	if (gt_unlikely(gt_load_relaxed(&gt_quick.tries_stall))) {
		return try_by_time(l, write);
	}
	return write ? GT_REAL(pthread_rwlock_trywrlock)(l) : GT_REAL(pthread_rwlock_tryrdlock)(l);
}

/*
 * The same, where what would be done without a word at another moment is counted. That the lock is
 * on another processor, and others are at it too, shows by how long a try takes: readers look and
 * exchange then where glibc's add. One in TIMED is timed, and stands for its thread's next ones:
 * two clocks take longer than a free lock, of which there would be so many fewer in a look.
 */
enum { ELSEWHERE_NS = 60, TIMED = 7 };

static GT_COLD int try_counted(pthread_rwlock_t *l, bool write)
{
	static GT_TLS uint32_t next;
	static GT_TLS bool busy;
	bool quick =
		gt_quick_is_free(__atomic_load_n(&l->__data.__readers, __ATOMIC_RELAXED), write);
	bool timed = quick && next-- == 0;
	uint64_t began = timed ? gt_clock_moment() : 0;
	int r = try_side(l, write);

	if (timed) {
		next = TIMED - 1;
		busy = gt_clock_between(began, gt_clock_moment()) >= ELSEWHERE_NS;
	}
	if (r == 0 && quick) {
		gt_budget_free(write  ? GT_PRICE_FREE_WRITER
			       : busy ? GT_PRICE_RWLOCK_BUSY
				      : GT_PRICE_FREE_READER);
	}
	return r;
}

/*
 * How often a lock that is held is tried before its thread says that it waits: one or two
 * microseconds at most, less where that has been in vain of late.
 *
 * glibc's lock does not try again, but of its futex calls on a lock that is hammered nine of ten
 * come back at once, because the word has changed on the way to the kernel. Who comes too late for
 * that sleeps; glibc hands the lock over to it, and who wants it in the meantime sleeps as well.
 * What we write before the call, and with the lock held after it, made the one in ten the rule, so
 * that a lock was held by sleepers nearly all of the time (docs/hot-paths.md).
 */
enum { TRIES_LEAST = 4, TRIES_MOST = 64 };
static GT_TLS uint32_t tries = TRIES_MOST;

static int try_for_a_while(pthread_rwlock_t *l, bool write)
{
	for (uint32_t i = 0; i < tries; i++) {
		int r;

		gt_pause();
		r = try_side(l, write);
		if (r != EBUSY) {
			tries = TRIES_MOST;
			return r;
		}
	}
	tries = GT_MAX(tries / 2, (uint32_t)TRIES_LEAST);
	return EBUSY;
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
	struct locking k = {.t = gt_self_to_wait(queue, GT_PRICE_WAIT_OTHER, frame),
			    .tried = EBUSY};
	struct gt_wait_for what = {.reason = GT_REASON_RWLOCK,
				   .kind = write ? GT_OBJECT_RWLOCK_WRITE : GT_OBJECT_RWLOCK_READ,
				   .object = l,
				   .owner = writer_of(l),
				   .called = true,
				   .frame = frame};

	/* It refuses the thread that has it for writing. */
	if (!k.t || what.owner == gt_thread_tid(k.t)) {
		k.t = NULL;
		return k;
	}
	/* Before the registry has it: whoever sets it free now has nothing to write. */
	k.tried = try_for_a_while(l, write);
	if (k.tried != EBUSY) {
		k.t = NULL;
		return k;
	}
	gt_wait_register(k.t, queue, true, frame);
	/* Again: an unlock before we stood in the registry has left no hint. */
	k.tried = try_side(l, write);
	if (k.tried != EBUSY) {
		gt_wait_withdraw(k.t);
		k.t = NULL;
		return k;
	}
	/* From here on glibc's own words say whether an unlock is for somebody. */
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
 * by a jump, as in mutex.c, and so is what tries, behind what is done here of a free one.
 */
#define LOCKS(side, write)                                                                        \
	static GT_NOINLINE int side##lock_slow(pthread_rwlock_t *l)                               \
	{                                                                                         \
		struct locking k = begin(l, write, GT_FRAME());                                   \
                                                                                                  \
		return k.tried != EBUSY ? k.tried                                                 \
					: end(&k, GT_REAL(pthread_rwlock_##side##lock)(l));       \
	}                                                                                         \
                                                                                                  \
	static GT_NOINLINE int side##lock_tried(pthread_rwlock_t *l)                              \
	{                                                                                         \
		int r = gt_unlikely(gt_load_relaxed(&gt_quick.counting)) ? try_counted(l, write)  \
									 : try_side(l, write);    \
                                                                                                  \
		return gt_likely(r != EBUSY) ? r : side##lock_slow(l);                            \
	}                                                                                         \
                                                                                                  \
	int gt_hook_pthread_rwlock_##side##lock(pthread_rwlock_t *l)                              \
	{                                                                                         \
		return gt_quick_##side##lock(l) ? 0 : side##lock_tried(l);                        \
	}                                                                                         \
                                                                                                  \
	int gt_hook_pthread_rwlock_try##side##lock(pthread_rwlock_t *l)                           \
	{                                                                                         \
		return gt_quick_##side##lock(l) ? 0 : GT_REAL(pthread_rwlock_try##side##lock)(l); \
	}                                                                                         \
                                                                                                  \
	int gt_hook_pthread_rwlock_timed##side##lock(pthread_rwlock_t *l,                         \
						     const struct timespec *until)                \
	{                                                                                         \
		struct locking k = {.tried = EBUSY};                                              \
                                                                                                  \
		if (gt_until_possible(until)) {                                                   \
			k.tried = try_side(l, write);                                             \
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
			k.tried = try_side(l, write);                                             \
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

/*
 * What glibc keeps of those who wait in its own calls (nptl/pthread_rwlock_common.c): in __readers
 * the readers (quick.h), and in __writers_futex whether other writers sleep until it is their turn.
 */
enum {
	READERS_ALL = ~(GT_READERS_PHASE_WRITE | GT_READERS_WRITER),
	FUTEX_USED = 0x2,
};

/* By an unlock of l: whether it lets somebody go who waits in glibc's call. */
struct waiters {
	bool write; /* it was held for writing */
	struct gt_wake_word readers;
	struct gt_wake_word writers;
};

GT_INLINE struct waiters waiters_of(const pthread_rwlock_t *l)
{
	const unsigned *readers = &l->__data.__readers;
	struct waiters w = {.readers = {readers, (uint32_t)READERS_ALL, false}};

	w.write = (__atomic_load_n(readers, __ATOMIC_RELAXED) & GT_READERS_PHASE_WRITE) != 0;
	w.writers = w.write ? (struct gt_wake_word){&l->__data.__writers_futex, FUTEX_USED, false}
			    : (struct gt_wake_word){readers, GT_READERS_WRITER, false};
	return w;
}

static GT_COLD int unlock_wanted(pthread_rwlock_t *l)
{
	struct waiters w = waiters_of(l);
	struct gt_thread *t;

	/*
	 * Of a lock that is hammered: who slept for it has been woken, and has not run yet. (Where
	 * writers are preferred there are readers who were woken to wait again.)
	 */
	if (l->__data.__flags == PTHREAD_RWLOCK_PREFER_READER_NP &&
	    !gt_wake_coming(readers_of(l)) && !gt_wake_coming(writers_of(l)) &&
	    !(w.write && gt_wake_word_says(&w.readers)) && !gt_wake_word_says(&w.writers)) {
		return GT_REAL(pthread_rwlock_unlock)(l);
	}
	t = gt_self(GT_FRAME());
	/* Before the lock is free, as in mutex.c. */
	if (t && w.write && gt_wake_wanted(readers_of(l))) {
		gt_wake_hint(t, readers_of(l), GT_WAKE_UNLOCK, &w.readers, GT_FRAME());
	}
	if (t && gt_wake_wanted(writers_of(l))) {
		gt_wake_hint(t, writers_of(l), GT_WAKE_UNLOCK, &w.writers, GT_FRAME());
	}
	return GT_REAL(pthread_rwlock_unlock)(l);
}

static GT_NOINLINE int unlock_real(pthread_rwlock_t *l)
{
	return GT_REAL(pthread_rwlock_unlock)(l);
}

int gt_hook_pthread_rwlock_unlock(pthread_rwlock_t *l)
{
	if (gt_unlikely(gt_wake_wanted(readers_of(l)) || gt_wake_wanted(writers_of(l)))) {
		return unlock_wanted(l);
	}
	return gt_quick_rwunlock(l) ? 0 : unlock_real(l);
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
