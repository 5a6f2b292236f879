/*
 * Semaphores: a wait that finds none, and who posted.
 *
 * Tried first, as a mutex is. sem_wait and sem_timedwait are cancellation points even where they
 * need not wait, and glibc looks for a pending cancellation before it looks at the semaphore: so
 * does the hook, before it tries. (sem_clockwait of glibc looks only when it has to wait.)
 *
 * What is posted is not meant for anybody: the thread that it wakes may find it taken by one that
 * came later, and sleeps on. So a thread that gets it without waiting spends the oldest cause that
 * was given to a waiter, which then is free for the next.
 *
 * sem_post may be called by signal handlers, and may be here: a handler that interrupts the tracer
 * passes straight.
 *
 * sem_open is no hook: it makes no semaphore where there is one. A named one ends with sem_close.
 */
#include "hook.h"

#include "codes.h"

/* A wait that found no semaphore. */
struct waiting {
	struct gt_thread *t; /* NULL: no wait is open, the real call is not traced */
	uint32_t wait;
	bool done;
	sem_t *left_out; /* the wait is not traced; NULL: it is, or nothing is */
};

/* The thread has got s while others wait: it may be what one of those was woken for. */
static GT_COLD void spend(sem_t *s, void *frame)
{
	if (gt_self(frame)) {
		gt_wake_spent(s);
	}
}

/* As sem_trywait, but a failure leaves no trace in errno. */
GT_INLINE bool try_wait(sem_t *s)
{
	int saved = errno;

	if (gt_likely(GT_REAL(sem_trywait)(s) == 0)) {
		return true;
	}
	errno = saved;
	return false;
}

/* The first try. frame: of the hook. */
GT_INLINE bool try_first(sem_t *s, void *frame)
{
	bool got = try_wait(s);

	if (gt_unlikely(got && gt_wake_wanted(s))) {
		spend(s, frame);
	}
	return got;
}

/* A thread that has been cancelled ends here. */
GT_INLINE void test_cancel(void)
{
	/* Not GT_REAL: where it is absent there are no threads, and nothing else may be called. */
	if (gt_likely(gt_real.pthread_testcancel != NULL)) {
		gt_real.pthread_testcancel();
	}
}

GT_INLINE struct waiting begin(sem_t *s, void *frame)
{
	struct waiting w = {.t = gt_self(frame)};
	struct gt_wait_for what = {
		.reason = GT_REASON_SEM, .kind = GT_OBJECT_SEM, .object = s, .frame = frame};

	if (!w.t || !gt_budget_wait(&w.t->meter, s, GT_PRICE_WAIT_SEM)) {
		w.left_out = w.t ? s : NULL;
		w.t = NULL;
		return w;
	}
	gt_wait_register_token(w.t, s, frame);
	/* Again: a post before we stood in the registry has left no hint. */
	w.done = try_wait(s);
	if (w.done) {
		gt_wake_spent(s);
		gt_wait_withdraw(w.t);
		w.t = NULL;
		return w;
	}
	w.wait = gt_wait_begin(w.t, &what);
	return w;
}

GT_INLINE int end(const struct waiting *w, int r)
{
	if (w->t) {
		int saved = errno;
		int code = r == 0 ? 0 : saved;

		gt_wait_end(w->t, w->wait, gt_ended_of(code), code);
		errno = saved;
	} else if (w->left_out && r == 0 && gt_wake_wanted(w->left_out)) {
		spend(w->left_out, GT_FRAME());
	}
	return r;
}

/* The cold half is reached by a jump, as in mutex.c. */
static GT_NOINLINE int wait_slow(sem_t *s)
{
	struct waiting w = begin(s, GT_FRAME());

	return w.done ? 0 : end(&w, GT_REAL(sem_wait)(s));
}

int gt_hook_sem_wait(sem_t *s)
{
	test_cancel();
	return gt_likely(try_first(s, GT_FRAME())) ? 0 : wait_slow(s);
}

int gt_hook_sem_trywait(sem_t *s)
{
	int r = GT_REAL(sem_trywait)(s);

	if (r == 0 && gt_unlikely(gt_wake_wanted(s))) {
		spend(s, GT_FRAME());
	}
	return r;
}

int gt_hook_sem_timedwait(sem_t *s, const struct timespec *until)
{
	struct waiting w = {.t = NULL};

	/* An impossible time is refused even where the semaphore is free. */
	if (gt_until_possible(until)) {
		test_cancel();
		if (try_first(s, GT_FRAME())) {
			return 0;
		}
		w = begin(s, GT_FRAME());
	}
	return w.done ? 0 : end(&w, GT_REAL(sem_timedwait)(s, until));
}

int gt_hook_sem_clockwait(sem_t *s, clockid_t clock, const struct timespec *until)
{
	struct waiting w = {.t = NULL};

	if (gt_until_clock(clock) && gt_until_possible(until)) {
		if (try_first(s, GT_FRAME())) {
			return 0;
		}
		w = begin(s, GT_FRAME());
	}
	return w.done ? 0 : end(&w, GT_REAL(sem_clockwait)(s, clock, until));
}

static GT_NOINLINE int post_wanted(sem_t *s)
{
	struct gt_thread *t = gt_self(GT_FRAME());

	if (t) {
		gt_wake_some(t, s, 1, UINT32_MAX, GT_FRAME());
	}
	return GT_REAL(sem_post)(s);
}

int gt_hook_sem_post(sem_t *s)
{
	return gt_unlikely(gt_wake_wanted(s)) ? post_wanted(s) : GT_REAL(sem_post)(s);
}

int gt_hook_sem_init(sem_t *s, int shared, unsigned value)
{
	gt_object_renew(s);
	return GT_REAL(sem_init)(s, shared, value);
}

int gt_hook_sem_destroy(sem_t *s)
{
	gt_object_renew(s);
	return GT_REAL(sem_destroy)(s);
}

int gt_hook_sem_close(sem_t *s)
{
	gt_object_renew(s);
	return GT_REAL(sem_close)(s);
}

#define GT_EXPORT_sem(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
