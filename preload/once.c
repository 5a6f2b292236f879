/*
 * Once: one thread runs the routine, the others wait for it.
 *
 * Every C++ throw calls pthread_once, so what is done costs a look and a jump. Else the real call
 * gets a routine of ours, which calls the program's and then leaves the hint: the routine's thread
 * is what the others wait for, and returns to no hook before they are awake.
 *
 * A routine may throw, or its thread may be cancelled in it; then glibc lets one of those who wait
 * run it, in the middle of its wait: that wait is over before the routine begins.
 *
 * The same code is behind call_once in glibc, with the same word. No cancellation point.
 */
#include "hook.h"

/* glibc's word (nptl/pthreadP.h); above them is a number of forks. */
enum { IN_PROGRESS = 1, DONE = 2 };

_Static_assert(sizeof(once_flag) == sizeof(pthread_once_t), "one word");

/* A call that found the routine not done. It may throw: then this frame is gone. */
struct call {
	int *control;
	void (*routine)(void);
	struct gt_thread *t; /* NULL: no wait is open */
	uint32_t wait;
	void *frame;
	struct call *outside; /* of the thread, while this one's real call has not begun */
};

/* The call whose real one is about to be made by this thread, for the routine that it is given. */
static GT_TLS struct call *calling;

GT_INLINE int word_of(const int *control)
{
	/* Acquire: who sees that it is done sees what the routine did. */
	return __atomic_load_n(control, __ATOMIC_ACQUIRE);
}

static void run_routine(void)
{
	struct call c = *calling;

	if (c.t) {
		gt_wait_end(c.t, c.wait, GT_ENDED_NOBODY, 0);
	}
	c.routine();
	if (gt_wake_wanted(c.control)) {
		struct gt_thread *t = gt_self(c.frame);

		if (t) {
			gt_wake_some(t, c.control, UINT32_MAX, UINT32_MAX, c.frame);
		}
	}
}

static void begin(struct call *c)
{
	struct gt_wait_for what = {.reason = GT_REASON_ONCE,
				   .kind = GT_OBJECT_ONCE,
				   .object = c->control,
				   .frame = c->frame};
	int word = word_of(c->control);

	if ((word & IN_PROGRESS) && (c->t = gt_self(c->frame)) != NULL) {
		gt_wait_register(c->t, c->control, false, c->frame);
		/* Again: a routine that returned before we stood there has left no hint. */
		if (word_of(c->control) == word) {
			c->wait = gt_wait_begin(c->t, &what);
		} else {
			gt_wait_withdraw(c->t);
			c->t = NULL;
		}
	}
	c->outside = calling;
	calling = c;
}

static void end(const struct call *c)
{
	calling = c->outside;
	if (c->t) {
		/* Nothing, if run_routine has closed it. */
		gt_wait_end(c->t, c->wait, GT_ENDED_WAKER, 0);
	}
}

/* The cold half is reached by a jump, as in mutex.c. */
static GT_COLD int pthread_once_slow(pthread_once_t *control, void (*routine)(void))
{
	struct call c = {.control = control, .routine = routine, .frame = GT_FRAME()};
	int r;

	begin(&c);
	r = GT_REAL(pthread_once)(control, run_routine);
	end(&c);
	return r;
}

int gt_hook_pthread_once(pthread_once_t *control, void (*routine)(void))
{
	return gt_likely(word_of(control) & DONE) ? GT_REAL(pthread_once)(control, routine)
						  : pthread_once_slow(control, routine);
}

static GT_COLD void call_once_slow(once_flag *flag, void (*routine)(void))
{
	struct call c = {.control = (int *)(void *)flag, .routine = routine, .frame = GT_FRAME()};

	begin(&c);
	GT_REAL(call_once)(flag, run_routine);
	end(&c);
}

void gt_hook_call_once(once_flag *flag, void (*routine)(void))
{
	if (gt_likely(word_of((int *)(void *)flag) & DONE)) {
		GT_REAL(call_once)(flag, routine);
	} else {
		call_once_slow(flag, routine);
	}
}

#define GT_EXPORT_once(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
