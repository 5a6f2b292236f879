/*
 * The load of core alone, the other half: bare futexes, yields, and what a signal handler that
 * jumps out of the tracer leaves behind.
 */
#include <errno.h>

#include "call.h"
#include "core_load.h"
#include "core_thread.h"
#include "emit.h"
#include "wait.h"

/* --- Bare futexes, yields --------------------------------------------------------------------- */

static _Atomic uint32_t words[2];

static GT_NOINLINE void word_wait(_Atomic uint32_t *word, uint32_t mask, uint64_t ns)
{
	struct gt_thread *t = stress_self();
	uint32_t seen = gt_load_relaxed(word);
	uint32_t wait = 0;
	int r;

	if (t) {
		const struct gt_wait_for what = {.reason = GT_REASON_FUTEX,
						 .kind = GT_OBJECT_FUTEX,
						 .object = word,
						 .mask = mask,
						 .frame = STRESS_FRAME()};

		wait = gt_wait_begin(t, &what);
	}
	r = gt_sys_futex_wait(word, seen, ns);
	if (t) {
		gt_wait_end(t, wait,
			    r == 0            ? GT_ENDED_WAKER
			    : r == -ETIMEDOUT ? GT_ENDED_TIMEOUT
					      : GT_ENDED_ERROR,
			    -r);
	}
}

static GT_NOINLINE void word_wake(_Atomic uint32_t *word, uint64_t *r)
{
	struct gt_thread *t = gt_wake_wanted(word) ? stress_self() : NULL;
	uint32_t how = roll(r) % 4;

	if (t && how == 0) {
		gt_wait_requeue(word, &words[0], 1 + roll(r) % 2);
	} else if (t && how == 1) {
		gt_wake_spent(word);
	} else if (t) {
		gt_wake_some(t, word, roll(r) % 3, how, STRESS_FRAME());
	}
	gt_add_relaxed(word, 1);
	gt_sys_futex_wake(word, 2);
}

void *word_waiter(void *arg)
{
	uint64_t r = start_state(arg);

	while (!stopped()) {
		word_wait(&words[roll(&r) % 2], roll(&r) % 4, roll(&r) % 2000000);
	}
	return NULL;
}

void *word_waker(void *arg)
{
	uint64_t r = start_state(arg);

	while (!stopped()) {
		word_wake(&words[roll(&r) % 2], &r);
		gt_sys_sleep(roll(&r) % 200000);
	}
	return NULL;
}

static GT_NOINLINE void yield(uint64_t ns)
{
	struct gt_thread *t = stress_self();

	if (t) {
		gt_yield_begin(t);
	}
	if (ns) {
		gt_sys_sleep(ns);
	} else {
		gt_sys_yield();
	}
	if (t) {
		gt_yield_end(t, STRESS_FRAME());
	}
}

void *yielder(void *arg)
{
	uint64_t r = start_state(arg);

	while (!stopped()) {
		yield(roll(&r) % 64 ? 0 : roll(&r) % 2000000);
	}
	return NULL;
}

/* --- Jumps ------------------------------------------------------------------------------------ */

/*
 * As if a signal handler had jumped out of the tracer: in the middle of a section, with numbers
 * taken and states changed that nobody will ever see.
 */
static void leave_section(struct gt_thread *t, bool starts, uint32_t upto)
{
	uint32_t p = starts ? gt_thread_take_p(t) : gt_load_relaxed(&t->p);
	struct gt_w w = gt_acquire(t);

	gt_undoable(&w);
	if (starts && upto > 0) {
		gt_proc_start(&w, p);
	} else if (upto > 0) {
		gt_event(&w, GO_SYSCALL_BEGIN, gt_seq_p(&w, p), gt_stack(0));
	}
	if (upto > 1) {
		gt_event(&w, GO_START, gt_g(gt_thread_id(t)), gt_seq_g(&w, t));
	}
	if (upto > 2) {
		gt_run_in(&w, p);
	}
	gt_call_recover(t);
}

static GT_NOINLINE void be_left(uint64_t *r)
{
	const struct gt_wait_for what = {.reason = GT_REASON_SLEEP, .frame = STRESS_FRAME()};
	struct gt_thread *t = stress_self();
	uint32_t how = roll(r) % 4;
	uint32_t upto = roll(r) % 4;

	if (!t) {
		return;
	}
	if (how == 0) {
		gt_tls.busy++;
		leave_section(t, false, upto);
	} else if (how == 1) {
		gt_wait_begin(t, &what);
		gt_tls.busy++;
		leave_section(t, true, upto);
		gt_wait_end(t, gt_load_relaxed(&t->wait_number), GT_ENDED_CANCELLED, 0);
	} else {
		gt_call_begin(t, GT_CALL_READ, how == 2 ? GT_REASON_NONE : GT_REASON_SLEEP, -1,
			      STRESS_FRAME());
		gt_sys_sleep(roll(r) % 3000000);
		/* The advancer has taken it over and is done, or it is closed as it is. */
		if (gt_load_acquire(&t->x_claim) == GT_CLAIM_WRITTEN &&
		    gt_tls.epoch == gt_load_relaxed(&gt_gate->epoch)) {
			gt_store_seq(&t->x_in_call, 0);
			gt_tls.busy = 1;
			leave_section(t, true, upto);
		} else {
			gt_call_left(t);
		}
	}
}

void *jumper(void *arg)
{
	uint64_t r = start_state(arg);

	while (!stopped()) {
		be_left(&r);
		spin(roll(&r) % 2000);
	}
	return NULL;
}
