/*
 * Condition variables: a wait also unlocks its mutex and takes it back, and glibc does both inside,
 * where no hook sees it.
 */
#include "hook.h"
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
	struct waiting w = {.t = gt_self(frame)};
	struct gt_wait_for what = {.reason = GT_REASON_COND,
				   .kind = GT_OBJECT_COND,
				   .object = cond,
				   .mutex = m,
				   .frame = frame};

	if (w.t) {
		if (gt_unlikely(gt_wake_wanted(m))) {
			gt_mutex_hint_unlock(m, frame);
		}
		w.wait = gt_wait_begin(w.t, &what);
	}
	return w;
}

static int close_wait(const struct waiting *w, int result)
{
	if (w->t) {
		gt_wait_end(w->t, w->wait,
			    result == 0           ? GT_ENDED_WAKER
			    : result == ETIMEDOUT ? GT_ENDED_TIMEOUT
						  : GT_ENDED_ERROR,
			    result);
	}
	return result;
}

int gt_hook_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	struct waiting w = open_wait(c, m, GT_FRAME());

	return close_wait(&w, GT_REAL(pthread_cond_wait)(c, m));
}

int gt_hook_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
				   const struct timespec *until)
{
	struct waiting w = open_wait(c, m, GT_FRAME());

	return close_wait(&w, GT_REAL(pthread_cond_timedwait)(c, m, until));
}

int gt_hook_pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
				   const struct timespec *until)
{
	struct waiting w = open_wait(c, m, GT_FRAME());

	return close_wait(&w, GT_REAL(pthread_cond_clockwait)(c, m, clock, until));
}

int gt_hook_old_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	struct waiting w = open_wait(c, m, GT_FRAME());

	return close_wait(&w, GT_REAL(old_cond_wait)(c, m));
}

int gt_hook_old_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until)
{
	struct waiting w = open_wait(c, m, GT_FRAME());

	return close_wait(&w, GT_REAL(old_cond_timedwait)(c, m, until));
}

/*
 * Signals. The hint comes before the real call: a waiter may return before it could be left after.
 * The cold half is reached by a jump, as in mutex.c.
 */
#define SIGNAL(id, kind)                                                                 \
	static GT_COLD int id##_wanted(pthread_cond_t *c)                                \
	{                                                                                \
		struct gt_thread *t = gt_self(GT_FRAME());                               \
                                                                                         \
		if (t) {                                                                 \
			gt_wake_hint(t, c, kind, false, GT_FRAME());                     \
		}                                                                        \
		return GT_REAL(id)(c);                                                   \
	}                                                                                \
                                                                                         \
	int gt_hook_##id(pthread_cond_t *c)                                              \
	{                                                                                \
		return gt_unlikely(gt_wake_wanted(c)) ? id##_wanted(c) : GT_REAL(id)(c); \
	}
SIGNAL(pthread_cond_signal, GT_WAKE_SIGNAL)
SIGNAL(pthread_cond_broadcast, GT_WAKE_BROADCAST)
SIGNAL(old_cond_signal, GT_WAKE_SIGNAL)
SIGNAL(old_cond_broadcast, GT_WAKE_BROADCAST)
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

#define GT_EXPORT_cond(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
