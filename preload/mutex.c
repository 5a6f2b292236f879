/*
 * Mutexes: a lock that waits, and who ended that.
 *
 * The hot halves of lock and unlock have no frame; their cold halves are reached by a jump (a
 * sibling call), so the frame that these take for the stack is called by the program.
 *
 * A lock is tried first: one that succeeds is the real trylock and nothing else. What trylock
 * reports besides EBUSY is what lock would report (EOWNERDEAD, ENOTRECOVERABLE, EAGAIN, EINVAL).
 *
 * A plain mutex that is held is waited for here, by glibc's own protocol, and not in the real call
 * (sleep_for). That shows each sleep and each wake-up, of which a contended lock may need many; and
 * who waits in the kernel's order, which tells whom an unlock wakes (docs/adr/0010).
 *
 * A mutex of C11 is one of pthread's in glibc; its functions call each other inside, where no hook
 * sees it, and have codes of their own.
 */
#include "hook.h"

#include <linux/futex.h>

#include "codes.h"
#include "mutex.h"
#include "quick.h"

/* The kind bits of glibc's __kind that matter here (nptl/pthreadP.h, nptl/internaltypes.h). */
enum {
	KIND_MASK = 0x03,   /* the plain kind: normal, recursive, errorcheck, adaptive */
	KIND_PI = 0x20,     /* PTHREAD_MUTEX_PRIO_INHERIT_NP */
	KIND_ROBUST = 0x10, /* PTHREAD_MUTEX_ROBUST_NORMAL_NP */
	NOT_TRIED = -1,     /* of try_first: the real call decides */
	LOCK_SLEEPERS = 2,  /* value of the lock word of other kinds: somebody may sleep */
};
/* The lock word of PI and robust mutexes (linux/futex.h): who holds it, and what is the matter. */
#define LOCK_WAITERS    0x80000000u
#define LOCK_OWNER_DIED 0x40000000u
#define LOCK_TID        0x3fffffffu

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

/*
 * Whether m's waiters wait in this file: of the kinds that only lock, wait and unlock. Of one that
 * other processes share the queue would be known in part only; an adaptive one spins first.
 */
static bool is_plain(const pthread_mutex_t *m)
{
	int kind = kind_of(m) & ~GT_KIND_NO_ELISION;

	return kind == PTHREAD_MUTEX_TIMED_NP || kind == PTHREAD_MUTEX_RECURSIVE_NP ||
	       kind == PTHREAD_MUTEX_ERRORCHECK_NP;
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

/*
 * Tries m, where that is safe. EBUSY: a lock would wait; NOT_TRIED: the real call decides.
 *
 * A robust mutex is never tried: glibc's trylock of an unrecoverable one leaves it locked
 * (tests/programs/mutex_robust.c). Its lock word says whether a lock would wait: somebody alive
 * holds it.
 */
GT_INLINE int try_first(pthread_mutex_t *m)
{
	uint32_t word;

	if (gt_quick_is(m)) {
		return gt_quick_trylock(m);
	}
	if (gt_likely(!(kind_of(m) & KIND_ROBUST))) {
		return GT_REAL_HOT(pthread_mutex_trylock)(m);
	}
	word = (uint32_t)__atomic_load_n(&m->__data.__lock, __ATOMIC_RELAXED);
	return (word & LOCK_TID) && !(word & LOCK_OWNER_DIED) ? EBUSY : NOT_TRIED;
}

/* The same, once in a lock: what would be done without a word at another moment is counted. */
GT_INLINE int try_counted(pthread_mutex_t *m)
{
	int tried = try_first(m);

	if (gt_unlikely(gt_load_relaxed(&gt_quick.counting)) && tried == 0 && gt_quick_kind(m)) {
		gt_budget_free(GT_PRICE_FREE_MUTEX);
	}
	return tried;
}

/* The same by C11: EBUSY, or what its lock would return. */
static int try_c11(pthread_mutex_t *m)
{
	int r = GT_REAL(mtx_trylock)((mtx_t *)(void *)m);

	return r == thrd_busy ? EBUSY : r;
}

/* A lock of m that was just found held, and that may wait. */
struct locking {
	struct gt_thread *t; /* NULL: no wait is open, the real call is not traced */
	uint32_t wait;
	int tried;  /* what the try said last; other than EBUSY and NOT_TRIED: it is done */
	bool plain; /* it sleeps here (sleep_for) */
	bool woken; /* then: by the kernel, from the last sleep */
};

static struct locking begin(pthread_mutex_t *m, int (*try)(pthread_mutex_t *), void *frame)
{
	struct locking l = {.t = gt_self_to_wait(m, GT_PRICE_WAIT_MUTEX, frame),
			    .tried = EBUSY,
			    .plain = is_plain(m)};
	struct gt_wait_for what = {.reason = GT_REASON_MUTEX,
				   .kind = GT_OBJECT_MUTEX,
				   .object = m,
				   .owner = owner_of(m),
				   .frame = frame};

	/* An error-checking mutex refuses its owner at once. */
	if (!l.t || (what.owner == gt_thread_tid(l.t) &&
		     (kind_of(m) & KIND_MASK) == PTHREAD_MUTEX_ERRORCHECK_NP)) {
		l.t = NULL;
		return l;
	}
	gt_wait_register(l.t, m, l.plain, frame);
	/* Again: an unlock before we stood in the registry has left no hint. */
	l.tried = try(m);
	if (l.tried != EBUSY) {
		gt_wait_withdraw(l.t);
		l.t = NULL;
		return l;
	}
	l.wait = gt_wait_begin(l.t, &what);
	return l;
}

GT_INLINE bool done(int tried)
{
	return gt_likely(tried != EBUSY) && gt_likely(tried != NOT_TRIED);
}

static void end_as(const struct locking *l, enum gt_ended ended, int r)
{
	if (l->t && l->plain) {
		gt_wait_end_queue(l->t, l->wait, ended, r, l->woken);
	} else if (l->t) {
		gt_wait_end(l->t, l->wait, ended, r);
	}
}

static int end(const struct locking *l, int r)
{
	end_as(l, r == EOWNERDEAD ? GT_ENDED_WAKER : gt_ended_of(r), r);
	return r;
}

static int end_c11(const struct locking *l, int r)
{
	end_as(l, gt_ended_of_c11(r), r);
	return r;
}

/*
 * The futex call by which glibc waits for a private mutex: for ever, or until a time of a clock
 * (nptl/lowlevellock.c, sysdeps/nptl/futex-internal.c).
 */
struct sleep {
	int op;
	const struct timespec *until;
};

static struct sleep sleep_until(clockid_t clock, const struct timespec *until)
{
	struct sleep s = {FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, until};

	if (clock == CLOCK_REALTIME) {
		s.op |= FUTEX_CLOCK_REALTIME;
	}
	return s;
}

/* Returns what the word was; only if it was old is it value now. Orders nothing. */
GT_INLINE int replace_word(int *word, int old, int value)
{
	__atomic_compare_exchange_n(word, &old, value, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	return old;
}

/*
 * Waits for m as glibc does (nptl/lowlevellock.c, __lll_lock_wait): tries, marks the lock word,
 * sleeps on it, tries again. All else that a lock does is the try's. Returns what that said,
 * ETIMEDOUT, or EBUSY: m is no plain mutex, or the kernel refuses the call; the real one decides.
 *
 * Where somebody sleeps, the word is marked, or a thread that was woken is on its way and owes the
 * mark, because others may sleep still: it pays when it finds the mutex held (whose unlock then
 * wakes the next), or when it has it. Who was not woken owes nothing.
 */
static int sleep_for(struct locking *l, pthread_mutex_t *m, int (*try)(pthread_mutex_t *),
		     struct sleep s)
{
	int *word = &m->__data.__lock;
	bool owes = false;
	int r = 0;

	if (!l->t || !l->plain) {
		return EBUSY;
	}
	/* What was written of the wait took a while. */
	l->tried = try(m);
	while (l->tried == EBUSY && (r == 0 || r == -EAGAIN || r == -EINTR)) {
		int held = replace_word(word, 1, LOCK_SLEEPERS);

		/* Memory that nobody has initialised: glibc marks that as well. */
		if (held < 0 || held > LOCK_SLEEPERS) {
			replace_word(word, held, LOCK_SLEEPERS);
		}
		/* If it has become free it is not marked, and the kernel will say so. */
		owes = owes && held == 0;
		gt_wait_sleep(l->t, l->wait, l->woken);
		r = gt_sys_futex(word, s.op, LOCK_SLEEPERS, s.until, FUTEX_BITSET_MATCH_ANY);
		l->woken = r == 0;
		owes = owes || l->woken;
		if (r == -ETIMEDOUT) {
			return ETIMEDOUT;
		}
		l->tried = try(m);
	}
	/*
	 * Unless another thread has set it free again already: glibc lets it, where the mutex is a
	 * normal one. Who sleeps still had no mark in that unlock's word.
	 */
	if (l->tried == 0 && owes && replace_word(word, 1, LOCK_SLEEPERS) == 0) {
		gt_sys_futex(word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, 0);
	}
	return l->tried;
}

/* tried: EBUSY, or NOT_TRIED of a robust mutex. */
static GT_NOINLINE int lock_slow(pthread_mutex_t *m, int tried)
{
	struct locking l = {.tried = tried};
	int r;

	if (tried == EBUSY) {
		l = begin(m, try_first, GT_FRAME());
		if (done(l.tried)) {
			return l.tried;
		}
	}
	r = sleep_for(&l, m, try_first, (struct sleep){FUTEX_WAIT | FUTEX_PRIVATE_FLAG, NULL});
	return end(&l, r != EBUSY ? r : GT_REAL(pthread_mutex_lock)(m));
}

int gt_hook_pthread_mutex_lock(pthread_mutex_t *m)
{
	int tried = gt_quick_is(m) ? gt_quick_lock(m) : try_counted(m);

	return done(tried) ? tried : lock_slow(m, tried);
}

int gt_hook_pthread_mutex_trylock(pthread_mutex_t *m)
{
	return gt_quick_is(m) ? gt_quick_trylock(m) : GT_REAL_HOT(pthread_mutex_trylock)(m);
}

int gt_hook_pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until)
{
	struct locking l = {.tried = try_counted(m)};
	int r;

	if (l.tried == EBUSY) {
		l = begin(m, try_first, GT_FRAME());
	}
	if (done(l.tried)) {
		return l.tried;
	}
	r = sleep_for(&l, m, try_first, sleep_until(CLOCK_REALTIME, until));
	return end(&l, r != EBUSY ? r : GT_REAL(pthread_mutex_timedlock)(m, until));
}

int gt_hook_pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock,
				    const struct timespec *until)
{
	struct locking l = {.tried = NOT_TRIED};
	int r;

	/* An unknown clock is refused even where the mutex is free. */
	if (clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME) {
		l.tried = try_counted(m);
		if (l.tried == EBUSY) {
			l = begin(m, try_first, GT_FRAME());
		}
		if (done(l.tried)) {
			return l.tried;
		}
	}
	r = sleep_for(&l, m, try_first, sleep_until(clock, until));
	return end(&l, r != EBUSY ? r : GT_REAL(pthread_mutex_clocklock)(m, clock, until));
}

bool gt_mutex_hint_unlock_by(struct gt_thread *t, pthread_mutex_t *m, void *frame)
{
	/* Before the mutex is free: a waiter may have returned before we could say who let it. */
	bool told = unlock_frees(m, t) && gt_wake_wanted(m);

	if (told) {
		bool by_tid = (kind_of(m) & (KIND_PI | KIND_ROBUST)) != 0;
		struct gt_wake_word word = {(const uint32_t *)&m->__data.__lock,
					    by_tid ? LOCK_WAITERS : LOCK_SLEEPERS,
					    is_plain(m) && !gt_budget_partial(m)};

		gt_wake_hint(t, m, GT_WAKE_UNLOCK, &word, frame);
	}
	return told;
}

/*
 * The real unlock does not say whether it woke anybody. So of a plain mutex whose word says that
 * somebody may sleep the mark is taken away first, which the owner may do, and the wake-up that the
 * real call then leaves out is made here: the same call as glibc's (lll_futex_wake of one).
 */
static int unlock_and_wake(struct gt_thread *t, pthread_mutex_t *m,
			   int (*unlock)(pthread_mutex_t *), void *frame)
{
	int *word = &m->__data.__lock;
	int r;

	/* Relaxed: the real unlock is what releases. */
	if (replace_word(word, LOCK_SLEEPERS, 1) != LOCK_SLEEPERS) {
		return unlock(m);
	}
	r = unlock(m);
	/* The mutex may be gone by now; a futex is only an address. A handler may have forked. */
	if (gt_sys_futex(word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, 0) == 0 &&
	    gt_self(frame) == t) {
		gt_wake_missed(t, m, frame);
	}
	return r;
}

/* Inlined where the frame is taken: reached by a jump it would write its own registers there. */
GT_INLINE int unlock_traced(pthread_mutex_t *m, int (*unlock)(pthread_mutex_t *), void *frame)
{
	struct gt_thread *t;

	/* Of a mutex that is hammered: who sleeps for it has been woken, and has not run yet. */
	if (is_plain(m) && !gt_wake_coming(m) &&
	    __atomic_load_n(&m->__data.__lock, __ATOMIC_RELAXED) != LOCK_SLEEPERS) {
		return unlock(m);
	}
	t = gt_self(frame);
	if (t && gt_mutex_hint_unlock_by(t, m, frame) && is_plain(m)) {
		return unlock_and_wake(t, m, unlock, frame);
	}
	return unlock(m);
}

static GT_NOINLINE int unlock_wanted(pthread_mutex_t *m)
{
	return unlock_traced(m, GT_REAL_HOT(pthread_mutex_unlock), GT_FRAME());
}

int gt_hook_pthread_mutex_unlock(pthread_mutex_t *m)
{
	if (gt_unlikely(gt_wake_wanted(m))) {
		return unlock_wanted(m);
	}
	return gt_quick_is(m) ? gt_quick_unlock(m) : GT_REAL_HOT(pthread_mutex_unlock)(m);
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

/* --- C11 -------------------------------------------------------------------------------------- */

_Static_assert(sizeof(mtx_t) == sizeof(pthread_mutex_t), "the same object");

GT_INLINE pthread_mutex_t *of_c11(mtx_t *m)
{
	return (pthread_mutex_t *)(void *)m;
}

static GT_COLD int mtx_lock_slow(mtx_t *m)
{
	struct locking l = begin(of_c11(m), try_c11, GT_FRAME());
	int r;

	if (done(l.tried)) {
		return l.tried;
	}
	r = sleep_for(&l, of_c11(m), try_c11,
		      (struct sleep){FUTEX_WAIT | FUTEX_PRIVATE_FLAG, NULL});
	return end_c11(&l, r != EBUSY ? r : GT_REAL(mtx_lock)(m));
}

int gt_hook_mtx_lock(mtx_t *m)
{
	int r = GT_REAL(mtx_trylock)(m);

	return gt_likely(r != thrd_busy) ? r : mtx_lock_slow(m);
}

int gt_hook_mtx_trylock(mtx_t *m)
{
	return GT_REAL(mtx_trylock)(m);
}

int gt_hook_mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict until)
{
	struct locking l = {.tried = try_c11(of_c11(m))};
	int r;

	if (l.tried == EBUSY) {
		l = begin(of_c11(m), try_c11, GT_FRAME());
	}
	if (done(l.tried)) {
		return l.tried;
	}
	r = sleep_for(&l, of_c11(m), try_c11, sleep_until(CLOCK_REALTIME, until));
	if (r == ETIMEDOUT) {
		return end_c11(&l, thrd_timedout);
	}
	return end_c11(&l, r != EBUSY ? r : GT_REAL(mtx_timedlock)(m, until));
}

static int unlock_c11(pthread_mutex_t *m)
{
	return GT_REAL(mtx_unlock)((mtx_t *)(void *)m);
}

static GT_COLD int mtx_unlock_wanted(mtx_t *m)
{
	return unlock_traced(of_c11(m), unlock_c11, GT_FRAME());
}

int gt_hook_mtx_unlock(mtx_t *m)
{
	return gt_unlikely(gt_wake_wanted(m)) ? mtx_unlock_wanted(m) : GT_REAL(mtx_unlock)(m);
}

int gt_hook_mtx_init(mtx_t *m, int kind)
{
	gt_object_renew(m);
	return GT_REAL(mtx_init)(m, kind);
}

void gt_hook_mtx_destroy(mtx_t *m)
{
	gt_object_renew(m);
	GT_REAL(mtx_destroy)(m);
}

#define GT_EXPORT_mutex(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
