/*
 * What it costs to come by hooks that trace nothing: measured at the start, where GTRACE_BUDGET has
 * to know it (core/budget.h).
 *
 * A few ns, and other ones on each machine: what a call into the kernel makes the processor forget
 * is more than the instructions. So the hook and the real function are called in turn, some rounds
 * of each, and compared: the median round counts. Three quarters of a ms in all. Constructor only,
 * but for what is measured again when there are threads; what is called has no effect.
 */
#include "price.h"

#include <limits.h>

#include "hook.h"
#include "quick.h"
#include "trace.h"

enum { ROUNDS = 24, TURNS_CALL = 16, TURNS_LOCK = 128 };

/* As they were found, before they were counted. */
static __typeof__(&pthread_mutex_trylock) trylock;
static __typeof__(&mtx_trylock) trylock_c11;
static __typeof__(&pthread_rwlock_tryrdlock) tryrdlock;
static __typeof__(&pthread_rwlock_trywrlock) trywrlock;
static __typeof__(&sem_trywait) trywait;

/* Plain ones do not come by here, or are being counted elsewhere (quick.h). */
static int count_trylock(pthread_mutex_t *m)
{
	if (!gt_quick_kind(m) || !(gt_quick_kinds() & GT_QUICK_MUTEXES)) {
		gt_budget_pay(GT_PRICE_MUTEX);
	}
	return trylock(m);
}

static int count_trylock_c11(mtx_t *m)
{
	gt_budget_pay(GT_PRICE_MUTEX);
	return trylock_c11(m);
}

/*
 * Readers among readers, and writers alone, do not come by here either, but while they are counted.
 *
 * In a lock that others have, readers too, a try takes the line of the cache more often than a lock
 * would: which compares and exchanges where that adds.
 */
GT_INLINE void pay_rwlock(const pthread_rwlock_t *l, bool write)
{
	unsigned had = __atomic_load_n(&l->__data.__readers, __ATOMIC_RELAXED);

	/* What is here only because it is being counted has its price (rwlock.c). */
	if (gt_load_relaxed(&gt_quick.counting) && gt_quick_is_free(had, write) &&
	    (gt_quick_kinds() & (write ? GT_QUICK_WRITERS : GT_QUICK_READERS))) {
		return;
	}
	/* The last one was a writer: nobody has it. */
	had &= ~(unsigned)GT_READERS_PHASE_WRITE;
	gt_budget_pay(had ? GT_PRICE_RWLOCK_BUSY : GT_PRICE_RWLOCK);
}

static int count_tryrdlock(pthread_rwlock_t *l)
{
	pay_rwlock(l, false);
	return tryrdlock(l);
}

static int count_trywrlock(pthread_rwlock_t *l)
{
	pay_rwlock(l, true);
	return trywrlock(l);
}

static int count_trywait(sem_t *s)
{
	gt_budget_pay(GT_PRICE_SEM);
	return trywait(s);
}

/* A free lock comes by no other place that could count it: without a budget nothing does. */
static void count_free_locks(void)
{
	trylock = gt_real.pthread_mutex_trylock;
	trylock_c11 = gt_real.mtx_trylock;
	tryrdlock = gt_real.pthread_rwlock_tryrdlock;
	trywrlock = gt_real.pthread_rwlock_trywrlock;
	trywait = gt_real.sem_trywait;
	if (trylock) {
		gt_real.pthread_mutex_trylock = count_trylock;
	}
	if (trylock_c11) {
		gt_real.mtx_trylock = count_trylock_c11;
	}
	if (tryrdlock && trywrlock) {
		gt_real.pthread_rwlock_tryrdlock = count_tryrdlock;
		gt_real.pthread_rwlock_trywrlock = count_trywrlock;
	}
	if (trywait) {
		gt_real.sem_trywait = count_trywait;
	}
}

/* Reached by pointers, as a program reaches them (the PLT is one). */
static const volatile struct {
	__typeof__(&read) read;
	__typeof__(&pthread_mutex_lock) lock, unlock;
	__typeof__(&pthread_rwlock_rdlock) rdlock, wrlock, unlock_rwlock;
	__typeof__(&pthread_rwlock_timedwrlock) timedwrlock;
	__typeof__(&sem_post) post;
	__typeof__(&sem_wait) wait;
} hooks = {
	.read = gt_hook_read,
	.lock = gt_hook_pthread_mutex_lock,
	.unlock = gt_hook_pthread_mutex_unlock,
	.rdlock = gt_hook_pthread_rwlock_rdlock,
	.wrlock = gt_hook_pthread_rwlock_wrlock,
	.unlock_rwlock = gt_hook_pthread_rwlock_unlock,
	.timedwrlock = gt_hook_pthread_rwlock_timedwrlock,
	.post = gt_hook_sem_post,
	.wait = gt_hook_sem_wait,
};

/* One that goes the way of a call that is left out, and is over at once. */
static void call_by_hook(GT_UNUSED void *unused)
{
	(void)!hooks.read(-1, NULL, 0);
}

static void call_by_libc(GT_UNUSED void *unused)
{
	(void)!gt_real.read(-1, NULL, 0);
}

/* One taken and given back, by hooks and by the real functions. */
#define PAIR(what, take, give, real_take, real_give) \
	static void what##_by_hook(void *object)     \
	{                                            \
		hooks.take(object);                  \
		hooks.give(object);                  \
	}                                            \
	static void what##_by_libc(void *object)     \
	{                                            \
		gt_real.real_take(object);           \
		gt_real.real_give(object);           \
	}
PAIR(mutex, lock, unlock, pthread_mutex_lock, pthread_mutex_unlock)
PAIR(reader, rdlock, unlock_rwlock, pthread_rwlock_rdlock, pthread_rwlock_unlock)
PAIR(writer, wrlock, unlock_rwlock, pthread_rwlock_wrlock, pthread_rwlock_unlock)
PAIR(sem, post, wait, sem_post, sem_wait)
#undef PAIR

/* A free one is tried still where there is a time until which to wait for it. */
static const struct timespec never = {INT_MAX, 0};

static void rwlock_by_hook(void *l)
{
	hooks.timedwrlock(l, &never);
	gt_real.pthread_rwlock_unlock(l);
}

static void rwlock_by_libc(void *l)
{
	gt_real.pthread_rwlock_timedwrlock(l, &never);
	gt_real.pthread_rwlock_unlock(l);
}

struct way {
	void (*by_hook)(void *);
	void (*by_libc)(void *);
	void *object;
	int turns;
	struct gt_budget_place *place; /* of the call's allowance; NULL: it has none */
};

/* Not inlined: one place calls both, and what a processor remembers of it is the same for both. */
static GT_NOINLINE int64_t time_of(const struct way *w, void (*what)(void *))
{
	uint64_t began = gt_clock_moment();

	for (int i = 0; i < w->turns; i++) {
		what(w->object);
	}
	return (int64_t)gt_clock_between(began, gt_clock_moment());
}

static GT_NOINLINE void measure(enum gt_price price, const struct way *w)
{
	int64_t more[ROUNDS];
	int64_t median;

	for (int i = 0; i < ROUNDS; i++) {
		int64_t at;
		int j;

		if (w->place) {
			gt_store_relaxed(&w->place->left, 0);
		}
		at = time_of(w, w->by_hook) - time_of(w, w->by_libc);
		for (j = i; j > 0 && more[j - 1] > at; j--) {
			more[j] = more[j - 1];
		}
		more[j] = at;
	}
	median = more[ROUNDS / 2];
	gt_budget_set_price(price, median > 0 ? (uint64_t)(median * 1000 / w->turns) : 0);
}

/* A plain mutex is being measured, and goes by the hook as always. */
static _Atomic bool pricing;

/*
 * What hooks do themselves is counted where it costs more than untraced. Readers always: whether
 * they meet others costs more than that, and only a count tells.
 */
static void count_for_a_moment(bool on)
{
	unsigned kinds = GT_QUICK_READERS;

	if (gt_budget_price(GT_PRICE_FREE_MUTEX) && !gt_load_relaxed(&pricing)) {
		kinds |= GT_QUICK_MUTEXES;
	}
	kinds |= gt_budget_price(GT_PRICE_FREE_WRITER) ? GT_QUICK_WRITERS : 0;
	gt_quick_count(on ? kinds & gt_quick_kinds() : 0);
}

static void measure_plain_mutexes(void)
{
	pthread_mutex_t plain = PTHREAD_MUTEX_INITIALIZER;

	if (gt_quick_kinds() & GT_QUICK_MUTEXES) {
		measure(GT_PRICE_FREE_MUTEX,
			&(struct way){mutex_by_hook, mutex_by_libc, &plain, TURNS_LOCK, NULL});
	}
}

static void measure_free_locks(void)
{
	pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
	pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

	measure_plain_mutexes();
	if (gt_real.pthread_mutex_lock && gt_real.pthread_mutex_unlock) {
		measure(GT_PRICE_MUTEX,
			&(struct way){mutex_by_hook, mutex_by_libc, &recursive, TURNS_LOCK, NULL});
	}
	if (gt_quick_kinds() & GT_QUICK_READERS) {
		measure(GT_PRICE_FREE_READER,
			&(struct way){reader_by_hook, reader_by_libc, &rwlock, TURNS_LOCK, NULL});
	}
	if (gt_quick_kinds() & GT_QUICK_WRITERS) {
		measure(GT_PRICE_FREE_WRITER,
			&(struct way){writer_by_hook, writer_by_libc, &rwlock, TURNS_LOCK, NULL});
	}
}

void gt_price_threads(void)
{
	static _Atomic bool known;
	uint64_t began;

	if (gt_likely(!gt_budget_on) || gt_load_relaxed(&known) ||
	    gt_exchange_acq_rel(&known, true)) {
		return;
	}
	began = gt_budget_clock();
	/* A look may be under way, or begin: the advancer has just begun. */
	gt_store_relaxed(&pricing, true);
	count_for_a_moment(gt_load_relaxed(&gt_quick.counting));
	measure_plain_mutexes();
	gt_store_relaxed(&pricing, false);
	gt_budget_add_fixed(began);
}

void gt_price_measure(void)
{
	struct gt_meter *m = &gt_tls.thread->meter;
	struct gt_budget_place *place = &m->place[GT_CALL_READ % GT_BUDGET_CALLS];
	pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
	uint64_t began = gt_budget_clock();
	sem_t sem;

	count_free_locks();
	if (gt_class_on(gt_calls[GT_CALL_READ].class) && gt_real.read) {
		gt_budget_next_step(m);
		measure(GT_PRICE_CALL,
			&(struct way){call_by_hook, call_by_libc, NULL, TURNS_CALL, place});
		/* Nobody has made these calls. */
		gt_store_relaxed(&place->left, (int32_t)gt_load_relaxed(&m->limit));
	}
	if (gt_real.pthread_rwlock_timedwrlock && gt_real.pthread_rwlock_unlock) {
		measure(GT_PRICE_RWLOCK,
			&(struct way){rwlock_by_hook, rwlock_by_libc, &rwlock, TURNS_LOCK, NULL});
	}
	if (gt_real.sem_init && gt_real.sem_post && gt_real.sem_wait &&
	    gt_real.sem_init(&sem, 0, 0) == 0) {
		measure(GT_PRICE_SEM,
			&(struct way){sem_by_hook, sem_by_libc, &sem, TURNS_LOCK, NULL});
	}
	measure_free_locks();
	gt_budget_count_free(count_for_a_moment);
	gt_budget_add_fixed(began);
}
