/*
 * Threads that trace themselves through core's own functions.
 */
#include "core_thread.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "advance.h"
#include "emit.h"
#include "wait.h"

/* Values of gt_trace.advancer. */
enum { NONE, STARTING, RUNNING, ASKED, ENDED };

/* The code that calls start routines: its frames end the stacks (preload/root.h). */
#define ROOT __attribute__((section("stress_root"), noinline))
extern const char __start_stress_root[];
extern const char __stop_stress_root[];

/*
 * Bytes of a thread's stack. So few that glibc keeps all stacks in its cache (40 MB): core maps
 * memory by raw system calls, and where a stack had been given back to the kernel, ThreadSanitizer
 * would take that memory for the old stack.
 */
enum { STACK = 512 << 10 };

/* Threads that were created and are not over. */
static _Atomic uint32_t live;

struct gt_thread *stress_self(void)
{
	const struct gt_tls *tls = &gt_tls;

	return tls->epoch == gt_load_relaxed(&gt_gate->epoch) && tls->busy == 0 &&
			       gt_state_g(gt_load_relaxed(&tls->thread->x_state)) == GT_GO_RUNNING
		       ? tls->thread
		       : NULL;
}

void stress_root_mark(struct gt_thread *t, void *frame)
{
	t->root.hi = (uintptr_t)frame;
	t->root.lo = t->root.hi - STACK;
	t->root.cut_lo = (uintptr_t)__start_stress_root;
	t->root.cut_hi = (uintptr_t)__stop_stress_root;
}

/* --- Start and end ---------------------------------------------------------------------------- */

/* What a thread is to do, handed over by its creator. */
struct errand {
	struct gt_thread *t; /* NULL: the tracer does not see it being created */
	void *(*start)(void *);
	void *arg;
};

static void end(void)
{
	struct gt_thread *t = stress_self();

	if (t) {
		gt_tls.busy++;
		gt_thread_end(t);
		gt_tls.busy--;
	}
}

ROOT static void *root(void *arg)
{
	struct errand e = *(struct errand *)arg;
	void *r;

	free(arg);
	gt_tls.busy++;
	if (e.t) {
		stress_root_mark(e.t, STRESS_FRAME());
		gt_thread_start(e.t, true);
	} else if (gt_load_relaxed(&gt_gate->epoch) != GT_EPOCH_OFF) {
		gt_thread_attach((uintptr_t)e.start);
	}
	gt_tls.busy--;
	r = e.start(e.arg);
	__asm__ volatile("" : "+r"(r));
	end();
	gt_add_acq_rel(&live, (uint32_t)-1);
	return r;
}

static bool start(pthread_t *pthread, struct errand e)
{
	struct errand *copy = malloc(sizeof(*copy));
	pthread_attr_t attr;
	bool made;

	if (!copy) {
		return false;
	}
	*copy = e;
	gt_add_acq_rel(&live, 1);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	made = pthread_create(pthread, &attr, root, copy) == 0;
	pthread_attr_destroy(&attr);
	if (!made) {
		gt_add_acq_rel(&live, (uint32_t)-1);
		free(copy);
	}
	return made;
}

static struct gt_thread *announce(struct gt_thread *self, uintptr_t entry, void *frame)
{
	struct gt_thread *t = gt_thread_new(entry);

	if (t) {
		gt_thread_register(t);
		gt_thread_announce(self, t, frame);
	}
	return t;
}

GT_NOINLINE bool stress_create(pthread_t *pthread, void *(*fn)(void *), void *arg)
{
	struct gt_thread *self = stress_self();
	struct gt_thread *t = NULL;
	uint64_t id = 0;
	bool made;

	if (self) {
		gt_tls.busy++;
		t = announce(self, (uintptr_t)fn, STRESS_FRAME());
		id = t ? gt_thread_id(t) : 0;
		gt_tls.busy--;
	}
	made = start(pthread, (struct errand){t, fn, arg});
	if (t) {
		gt_tls.busy++;
		if (made) {
			gt_thread_learn_pthread(t, id, pthread);
		} else {
			gt_thread_create_failed(self, t);
		}
		gt_tls.busy--;
	}
	return made;
}

bool stress_create_unseen(pthread_t *pthread, void *(*fn)(void *), void *arg)
{
	return start(pthread, (struct errand){NULL, fn, arg});
}

GT_NOINLINE void stress_create_fails(void)
{
	struct gt_thread *self = stress_self();
	struct gt_thread *t;

	if (!self) {
		return;
	}
	gt_tls.busy++;
	t = announce(self, (uintptr_t)stress_create_fails, STRESS_FRAME());
	if (t) {
		gt_thread_create_failed(self, t);
	}
	gt_tls.busy--;
}

/* --- Join ------------------------------------------------------------------------------------- */

static int real_join(pthread_t pthread, uint64_t ns)
{
	struct timespec until;

	if (ns == UINT64_MAX) {
		return pthread_join(pthread, NULL);
	}
	clock_gettime(CLOCK_REALTIME, &until);
	ns += (uint64_t)until.tv_nsec;
	until.tv_sec += (time_t)(ns / 1000000000);
	until.tv_nsec = (long)(ns % 1000000000);
	return pthread_timedjoin_np(pthread, NULL, &until);
}

/* As open_join and close_join of preload/thread.c. */
static GT_NOINLINE int join_once(pthread_t pthread, uint64_t ns)
{
	struct gt_thread *t = stress_self();
	struct gt_thread *target = NULL;
	uint64_t id = 0;
	uint32_t wait = 0;
	int r;

	if (t) {
		gt_tls.busy++;
		target = gt_thread_of_pthread((uintptr_t)pthread, &id);
		gt_tls.busy--;
	}
	if (target) {
		wait = gt_join_begin(t, target, id, STRESS_FRAME());
	}
	r = real_join(pthread, ns);
	if (target) {
		gt_join_end(t, target, wait, r == 0 ? GT_ENDED_WAKER : GT_ENDED_TIMEOUT, r);
	}
	return r;
}

void stress_join(pthread_t pthread, uint64_t ns)
{
	while (join_once(pthread, ns) == ETIMEDOUT) {
	}
}

void stress_wait_over(void)
{
	while (gt_load_acquire(&live)) {
		gt_sys_sleep(1000000);
	}
}

/* --- The advancer ----------------------------------------------------------------------------- */

static uint64_t now(void)
{
	return gt_clock_now(&gt_trace->clock[gt_load_relaxed(&gt_trace->head.gen) & 1]);
}

/* As advancer_main of core/advancer.c. */
static void *advancer_main(void *arg)
{
	const struct gt_wait_for period = {.reason = GT_REASON_SYSTEM};
	struct gt_thread *self = arg;
	uint32_t expected = STARTING;
	uint64_t due;

	gt_tls.busy = 1;
	gt_thread_start(self, true);
	due = now() + gt_env.period;
	gt_cas_acq_rel(&gt_trace->advancer, &expected, RUNNING);
	while (gt_load_acquire(&gt_trace->advancer) == RUNNING &&
	       !gt_load_relaxed(&gt_trace->broken)) {
		uint32_t nudge = gt_load_acquire(&gt_trace->nudge);
		uint64_t left = due > now() ? due - now() : 0;

		if (left && gt_load_relaxed(&gt_trace->full_count[0]) < GT_BUF_BURST &&
		    gt_load_relaxed(&gt_trace->full_count[1]) < GT_BUF_BURST) {
			uint32_t wait = gt_wait_begin(self, &period);

			if (gt_load_acquire(&gt_trace->advancer) == RUNNING) {
				gt_sys_futex_wait(&gt_trace->nudge, nudge, left);
			}
			gt_wait_end(self, wait, GT_ENDED_TIMEOUT, 0);
		}
		if (gt_load_acquire(&gt_trace->advancer) != RUNNING) {
			break;
		}
		if (now() >= due) {
			gt_advance(self, false, false);
			due = now() + gt_env.period;
		} else {
			gt_advance_stream(false);
		}
	}
	gt_thread_end(self);
	gt_advance(NULL, true, false);
	gt_store_release(&gt_trace->advancer, ENDED);
	gt_sys_futex_wake(&gt_trace->advancer, INT_MAX);
	return NULL;
}

bool stress_advancer_start(pthread_t *pthread)
{
	struct gt_thread *self = stress_self();
	struct gt_thread *t;
	bool made;

	gt_store_relaxed(&gt_trace->advancer, STARTING);
	gt_tls.busy++;
	t = gt_thread_new((uintptr_t)advancer_main);
	if (t) {
		gt_thread_set_advancer(t);
		gt_thread_register(t);
		gt_thread_announce(self, t, NULL);
	}
	gt_tls.busy--;
	made = t && pthread_create(pthread, NULL, advancer_main, t) == 0;
	return made;
}
