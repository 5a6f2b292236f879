/*
 * Condition variables: a wait also unlocks its mutex and takes it back, and glibc does both inside,
 * where no hook sees it. Those of C11 are pthread's in glibc, with codes of their own.
 */
#include "hook.h"

#include "codes.h"
#include "mutex.h"

/*
 * A wait in progress. The real call is a cancellation point: a thread that is cancelled in it, or
 * whose handler throws, never returns here. There is no cleanup for that (adr/0006): the next hook
 * that runs above the frame finds the wait left (gt_wait_left), or the thread's end does.
 */
struct waiting {
	struct gt_thread *t;
	uint32_t wait;
};

static struct waiting open_wait(const void *cond, pthread_mutex_t *m, void *frame)
{
	struct gt_thread *t = gt_self(frame);
	struct waiting w = {.t = t && gt_budget_wait(&t->meter, cond, GT_PRICE_WAIT_COND) ? t
											  : NULL};
	struct gt_wait_for what = {.reason = GT_REASON_COND,
				   .kind = GT_OBJECT_COND,
				   .object = cond,
				   .mutex = m,
				   .frame = frame};

	if (w.t) {
		w.wait = gt_wait_begin(w.t, &what);
	}
	/* As late as can be: who comes to wait for the mutex now still finds it held. */
	if (t && gt_unlikely(gt_wake_wanted(m))) {
		gt_mutex_hint_unlock_by(t, m, frame);
	}
	return w;
}

static int close_wait(struct waiting w, int result)
{
	gt_wait_end(w.t, w.wait, gt_ended_of(result), result);
	return result;
}

static int close_c11(struct waiting w, int result)
{
	gt_wait_end(w.t, w.wait, gt_ended_of_c11(result), result);
	return result;
}

/* Straight through by a jump, as in plain.h. */
#define CLOSED(close, w, real) ((w).t ? close((w), (real)) : (real))

int gt_hook_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	struct waiting w = open_wait(c, m, GT_FRAME());

	return CLOSED(close_wait, w, GT_REAL(pthread_cond_wait)(c, m));
}

int gt_hook_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
				   const struct timespec *until)
{
	struct waiting w = open_wait(c, m, GT_FRAME());

	return CLOSED(close_wait, w, GT_REAL(pthread_cond_timedwait)(c, m, until));
}

int gt_hook_pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
				   const struct timespec *until)
{
	struct waiting w = open_wait(c, m, GT_FRAME());

	return CLOSED(close_wait, w, GT_REAL(pthread_cond_clockwait)(c, m, clock, until));
}

int gt_hook_old_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	struct waiting w = open_wait(c, m, GT_FRAME());

	return CLOSED(close_wait, w, GT_REAL(old_cond_wait)(c, m));
}

int gt_hook_old_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
	struct waiting w = open_wait(c, m, GT_FRAME());

	return CLOSED(close_wait, w, GT_REAL(old_cond_timedwait)(c, m, until));
}

int gt_hook_cnd_wait(cnd_t *c, mtx_t *m)
{
	struct waiting w = open_wait(c, (pthread_mutex_t *)(void *)m, GT_FRAME());

	return CLOSED(close_c11, w, GT_REAL(cnd_wait)(c, m));
}

int gt_hook_cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m,
			  const struct timespec *restrict until)
{
	struct waiting w = open_wait(c, (pthread_mutex_t *)(void *)m, GT_FRAME());

	return CLOSED(close_c11, w, GT_REAL(cnd_timedwait)(c, m, until));
}

/*
 * Signals. The hint comes before the real call: a waiter may return before it could be left after.
 * The cold half is reached by a jump, as in mutex.c.
 */
#define SIGNAL(id, type, kind)                                                           \
	static GT_NOINLINE int id##_wanted(type *c)                                      \
	{                                                                                \
		struct gt_thread *t = gt_self(GT_FRAME());                               \
		uint32_t version = 0;                                                    \
		int r;                                                                   \
                                                                                         \
		if (t) {                                                                 \
			version = gt_wake_hint(t, c, kind, NULL, GT_FRAME());            \
		}                                                                        \
		r = GT_REAL(id)(c);                                                      \
		if (t && gt_self(GT_FRAME()) == t) {                                     \
			gt_wake_over(t, version);                                        \
		}                                                                        \
		return r;                                                                \
	}                                                                                \
                                                                                         \
	int gt_hook_##id(type *c)                                                        \
	{                                                                                \
		return gt_unlikely(gt_wake_wanted(c)) ? id##_wanted(c) : GT_REAL(id)(c); \
	}
SIGNAL(pthread_cond_signal, pthread_cond_t, GT_WAKE_SIGNAL)
SIGNAL(pthread_cond_broadcast, pthread_cond_t, GT_WAKE_BROADCAST)
SIGNAL(old_cond_signal, pthread_cond_t, GT_WAKE_SIGNAL)
SIGNAL(old_cond_broadcast, pthread_cond_t, GT_WAKE_BROADCAST)
SIGNAL(cnd_signal, cnd_t, GT_WAKE_SIGNAL)
SIGNAL(cnd_broadcast, cnd_t, GT_WAKE_BROADCAST)
#undef SIGNAL

int gt_hook_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *a)
{
	gt_object_renew(c);
	return GT_REAL(pthread_cond_init)(c, a);
}

int gt_hook_pthread_cond_destroy(pthread_cond_t *c)
{
	gt_object_renew(c);
	return GT_REAL(pthread_cond_destroy)(c);
}

int gt_hook_old_cond_init(pthread_cond_t *c, const pthread_condattr_t *a)
{
	gt_object_renew(c);
	return GT_REAL(old_cond_init)(c, a);
}

int gt_hook_old_cond_destroy(pthread_cond_t *c)
{
	gt_object_renew(c);
	return GT_REAL(old_cond_destroy)(c);
}

int gt_hook_cnd_init(cnd_t *c)
{
	gt_object_renew(c);
	return GT_REAL(cnd_init)(c);
}

void gt_hook_cnd_destroy(cnd_t *c)
{
	gt_object_renew(c);
	GT_REAL(cnd_destroy)(c);
}

#define GT_EXPORT_cond(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
