/*
 * Threads: creation, the trampoline, join, cancellation, names.
 */
#include "hook.h"

#include <string.h>

#include "advancer.h"
#include "emit.h"
#include "root.h"
#include "symbol.h"

/* --- Creation --------------------------------------------------------------------------------- */

/*
 * What a created thread runs first. Its frame ends every stack of the thread (root.h), so the start
 * routine must be called, not jumped to.
 */
GT_ROOT static void *thread_root(void *arg)
{
	struct gt_thread *t = arg;
	void *(*start)(void *) = t->start;
	void *start_arg = t->arg;
	void *r;

	gt_tls.busy++;
	gt_root_mark(t, GT_FRAME());
	gt_thread_set_pthread(t, gt_thread_id(t), (uintptr_t)pthread_self());
	gt_thread_start(t, true);
	gt_root_watch_end(t);
	gt_tls.busy--;
	r = start(start_arg);
	__asm__ volatile("" : "+r"(r));
	return r;
}

int gt_hook_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
			   void *arg)
{
	struct gt_thread *self;
	struct gt_thread *t = NULL;
	uint64_t id = 0;
	int saved = errno;
	int r;

	gt_root_start_late();
	self = gt_self(GT_FRAME());
	if (self) {
		gt_tls.busy++;
		gt_advancer_start(self);
		t = gt_thread_new((uintptr_t)start);
		if (t) {
			id = gt_thread_id(t);
			t->start = start;
			t->arg = arg;
			t->root.lo = attr ? gt_root_stack_size(attr) : 0;
			gt_thread_register(t);
			gt_thread_announce(self, t, GT_FRAME());
		}
		gt_tls.busy--;
	}
	errno = saved;
	if (!t) {
		return GT_REAL(pthread_create)(thread, attr, start, arg);
	}
	r = GT_REAL(pthread_create)(thread, attr, thread_root, t);
	gt_tls.busy++;
	if (r == 0) {
		gt_thread_learn_pthread(t, id, thread);
	} else {
		gt_thread_create_failed(self, t);
	}
	gt_tls.busy--;
	return r;
}

/* --- Join ------------------------------------------------------------------------------------- */

/* A join in progress; a cancelled one is closed later, as in cond.c. */
struct joining {
	struct gt_thread *t;
	struct gt_thread *target;
	uint32_t wait;
};

static int close_join(const struct joining *j, int result)
{
	if (j->t) {
		gt_join_end(j->t, j->target, j->wait,
			    result == 0           ? GT_ENDED_WAKER
			    : result == ETIMEDOUT ? GT_ENDED_TIMEOUT
						  : GT_ENDED_ERROR,
			    result);
	}
	return result;
}

/*
 * Blocks only if the thread is known and still runs: one whose end is recorded is joined at once,
 * and a join that the real call refuses (itself, a second joiner) is seen by its error only.
 */
static struct joining open_join(pthread_t thread, void *frame)
{
	struct joining j = {.t = gt_self(frame)};
	uint64_t id = 0;

	if (!j.t) {
		return j;
	}
	gt_tls.busy++;
	j.target = gt_thread_of_pthread((uintptr_t)thread, &id);
	gt_tls.busy--;
	if (j.target && j.target != j.t) {
		j.wait = gt_join_begin(j.t, j.target, id, frame);
	} else {
		j.t = NULL;
	}
	return j;
}

int gt_hook_pthread_join(pthread_t thread, void **value)
{
	struct joining j = open_join(thread, GT_FRAME());

	return close_join(&j, GT_REAL(pthread_join)(thread, value));
}

int gt_hook_pthread_tryjoin_np(pthread_t thread, void **value)
{
	return GT_REAL(pthread_tryjoin_np)(thread, value);
}

int gt_hook_pthread_timedjoin_np(pthread_t thread, void **value, const struct timespec *until)
{
	struct joining j = open_join(thread, GT_FRAME());

	return close_join(&j, GT_REAL(pthread_timedjoin_np)(thread, value, until));
}

int gt_hook_pthread_clockjoin_np(pthread_t thread, void **value, clockid_t clock,
				 const struct timespec *until)
{
	struct joining j = open_join(thread, GT_FRAME());

	return close_join(&j, GT_REAL(pthread_clockjoin_np)(thread, value, clock, until));
}

/* --- Cancellation and names ------------------------------------------------------------------- */

int gt_hook_pthread_cancel(pthread_t thread)
{
	struct gt_thread *t = gt_self(GT_FRAME());

	if (t) {
		struct gt_thread *target;
		uint64_t id = 0;

		gt_tls.busy++;
		target = gt_thread_of_pthread((uintptr_t)thread, &id);
		if (target && target != t) {
			gt_cancel_hint(t, target, id, GT_FRAME());
		}
		gt_tls.busy--;
	}
	return GT_REAL(pthread_cancel)(thread);
}

int gt_hook_pthread_setname_np(pthread_t thread, const char *name)
{
	int r = GT_REAL(pthread_setname_np)(thread, name);
	struct gt_thread *t = r == 0 ? gt_self(GT_FRAME()) : NULL;

	if (t) {
		struct gt_thread *target;
		uint64_t id = 0;

		gt_tls.busy++;
		target = gt_thread_of_pthread((uintptr_t)thread, &id);
		if (target) {
			gt_thread_name(target, name);
		}
		gt_tls.busy--;
	}
	return r;
}

#define GT_EXPORT_thread(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
