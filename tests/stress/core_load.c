/*
 * Description: the core alone, without a preloaded library, under as many of its own calls at once
 * as it has: made for ThreadSanitizer, which sees every access of core and of this program.
 *
 *	core_load SECONDS OUT [SEED]
 *
 * The objects that threads wait for here are raw futexes with relaxed accesses: they order nothing,
 * so that core must not lean on the program's own synchronisation. Prints "done" and the number of
 * threads that it began with.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_load.h"
#include "core_thread.h"
#include "emit.h"
#include "stack.h"
#include "call.h"
#include "stack_id.h"
#include "wait.h"

static _Atomic bool stop;
static unsigned seed;

bool stopped(void)
{
	return gt_load_relaxed(&stop);
}

uint32_t roll(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

uint64_t start_state(void *salt)
{
	return (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + (uintptr_t)salt;
}

void spin(uint32_t n)
{
	for (volatile uint32_t i = 0; i < n; i++) {
	}
}

/* --- Objects to wait for ---------------------------------------------------------------------- */

/* A mutex: 0 free, 1 held, 2 held and somebody may wait. */
struct mutex {
	_Atomic uint32_t word;
	_Atomic uint32_t owner; /* tid */
};

static uint32_t swap(_Atomic uint32_t *word, uint32_t value)
{
	return atomic_exchange_explicit(word, value, memory_order_relaxed);
}

static bool swap_if(_Atomic uint32_t *word, uint32_t old, uint32_t value)
{
	return atomic_compare_exchange_strong_explicit(word, &old, value, memory_order_relaxed,
						       memory_order_relaxed);
}

/* Waits at most about ns. */
static GT_NOINLINE bool lock(struct mutex *m, uint64_t ns)
{
	struct gt_thread *t;
	uint32_t wait = 0;
	bool got = true;
	bool woken = false;

	if (!swap_if(&m->word, 0, 1)) {
		t = stress_self();
		if (t) {
			const struct gt_wait_for what = {.reason = GT_REASON_MUTEX,
							 .kind = GT_OBJECT_MUTEX,
							 .object = m,
							 .owner = gt_load_relaxed(&m->owner),
							 .frame = STRESS_FRAME()};

			wait = gt_wait_begin(t, &what);
		}
		while (swap(&m->word, 2) != 0) {
			int r;

			if (t) {
				gt_wait_sleep(t, wait, woken);
			}
			r = gt_sys_futex_wait(&m->word, 2, ns);
			woken = r == 0;
			if (r == -ETIMEDOUT) {
				got = false;
				break;
			}
		}
		if (t) {
			gt_wait_end_queue(t, wait, got ? GT_ENDED_WAKER : GT_ENDED_TIMEOUT, !got,
					  woken);
		}
	}
	if (got) {
		gt_store_relaxed(&m->owner, (uint32_t)gt_sys_tid());
	}
	return got;
}

static void hint_unlock(struct gt_thread *t, struct mutex *m, void *frame)
{
	const struct gt_wake_word word = {(const uint32_t *)&m->word, 2, true};

	gt_wake_hint(t, m, GT_WAKE_UNLOCK, &word, frame);
}

static GT_NOINLINE void unlock(struct mutex *m)
{
	gt_store_relaxed(&m->owner, 0);
	if (gt_wake_wanted(m)) {
		struct gt_thread *t = stress_self();

		if (t) {
			hint_unlock(t, m, STRESS_FRAME());
		}
	}
	if (swap(&m->word, 0) == 2) {
		gt_sys_futex_wake(&m->word, 1);
	}
}

/* A condition variable: a count of wake-ups. */
struct cond {
	_Atomic uint32_t word;
};

static GT_NOINLINE bool cond_wait(struct cond *c, struct mutex *m, uint64_t ns)
{
	struct gt_thread *t = stress_self();
	uint32_t seen = gt_load_relaxed(&c->word);
	uint32_t wait = 0;
	int r;

	if (t) {
		const struct gt_wait_for what = {.reason = GT_REASON_COND,
						 .kind = GT_OBJECT_COND,
						 .object = c,
						 .mutex = m,
						 .frame = STRESS_FRAME()};

		wait = gt_wait_begin(t, &what);
		if (gt_wake_wanted(m)) {
			hint_unlock(t, m, STRESS_FRAME());
		}
	}
	if (swap(&m->word, 0) == 2) {
		gt_sys_futex_wake(&m->word, 1);
	}
	r = gt_sys_futex_wait(&c->word, seen, ns);
	while (swap(&m->word, 2) != 0) {
		gt_sys_futex_wait(&m->word, 2, UINT64_MAX);
	}
	if (t) {
		gt_wait_end(t, wait, r == -ETIMEDOUT ? GT_ENDED_TIMEOUT : GT_ENDED_WAKER, r);
	}
	return r != -ETIMEDOUT;
}

static GT_NOINLINE void cond_wake(struct cond *c, bool all)
{
	struct gt_thread *t = gt_wake_wanted(c) ? stress_self() : NULL;

	if (t) {
		gt_wake_hint(t, c, all ? GT_WAKE_BROADCAST : GT_WAKE_SIGNAL, NULL, STRESS_FRAME());
	}
	gt_add_relaxed(&c->word, 1);
	gt_sys_futex_wake(&c->word, all ? 1 << 30 : 1);
}

/* --- Waits ------------------------------------------------------------------------------------ */

static struct mutex mutexes[2];
static struct mutex queue_lock;
static struct cond queue_filled;
static struct cond never;

static void lock_and_hold(uint64_t *r)
{
	struct mutex *m = &mutexes[roll(r) % GT_LEN(mutexes)];

	if (lock(m, roll(r) % 4 ? UINT64_MAX : roll(r) % 300000)) {
		if (roll(r) % 4 == 0) {
			gt_sys_sleep(roll(r) % 200000);
		} else {
			spin(roll(r) % 2000);
		}
		unlock(m);
	}
}

static void *locker(void *arg)
{
	uint64_t r = start_state(arg);

	while (!stopped()) {
		lock_and_hold(&r);
	}
	return NULL;
}

static void *producer(void *arg)
{
	uint64_t r = start_state(arg);

	while (!stopped()) {
		uint32_t how = roll(&r) % 4;

		lock(&queue_lock, UINT64_MAX);
		if (how == 0) {
			cond_wake(&queue_filled, false);
		}
		unlock(&queue_lock);
		if (how) {
			cond_wake(&queue_filled, how > 1);
		}
		gt_sys_sleep(roll(&r) % 400000);
	}
	return NULL;
}

static void *consumer(void *arg)
{
	uint64_t r = start_state(arg);

	while (!stopped()) {
		lock(&queue_lock, UINT64_MAX);
		cond_wait(&queue_filled, &queue_lock, 2000000);
		unlock(&queue_lock);
		spin(roll(&r) % 3000);
	}
	return NULL;
}

static void *timer(void *arg)
{
	uint64_t r = start_state(arg);
	struct mutex m = {0};

	lock(&m, UINT64_MAX);
	while (!stopped()) {
		gt_object_renew(&never);
		cond_wait(&never, &m, roll(&r) % 1500000);
	}
	unlock(&m);
	return NULL;
}

/* --- System calls, tables, names -------------------------------------------------------------- */

static GT_NOINLINE void system_call(uint64_t ns)
{
	struct gt_thread *t = stress_self();

	if (t) {
		gt_call_begin(t, GT_CALL_READ, ns % 2 ? GT_REASON_SLEEP : GT_REASON_NONE, -1,
			      STRESS_FRAME());
	}
	if (ns) {
		gt_sys_sleep(ns);
	}
	if (t) {
		gt_call_end(t, 0);
	}
}

static void *caller(void *arg)
{
	uint64_t r = start_state(arg);

	while (!stopped()) {
		system_call(roll(&r) % 2 ? 0 : roll(&r) % 3000000);
		spin(roll(&r) % 1000);
	}
	return NULL;
}

/* Many stacks and strings, of which half are everybody's and half are new. */
static void fill_tables(uint64_t *r)
{
	struct gt_thread *t = stress_self();
	struct gt_w w;

	if (!t) {
		return;
	}
	gt_tls.busy++;
	w = gt_acquire(t);
	for (int i = 0; i < 8 && w.b; i++) {
		uint64_t pcs[20];
		unsigned n = 1 + roll(r) % GT_LEN(pcs);
		uint32_t v = roll(r) % 2 ? roll(r) % 64 : roll(r);
		char text[16];
		uint32_t id;

		for (unsigned k = 0; k < n; k++) {
			pcs[k] = (uintptr_t)fill_tables + (v >> k) % 256;
		}
		gt_stack_put(&w, pcs, n);
		snprintf(text, sizeof(text), "label %u", v);
		id = gt_table_put(&gt_trace->strings[w.parity], text, strlen(text));
		if (id) {
			gt_event(&w, GO_LABEL, gt_str(id));
		}
	}
	gt_release(&w);
	gt_tls.busy--;
}

static void *filler(void *arg)
{
	uint64_t r = start_state(arg);

	while (!stopped()) {
		fill_tables(&r);
		gt_sys_sleep(roll(&r) % 2000000);
	}
	return NULL;
}

/* Each frame more is another stack. */
static GT_NOINLINE void deep(uint64_t *r, uint32_t frames)
{
	if (frames) {
		deep(r, frames - 1);
	} else if (roll(r) % 2) {
		system_call(0);
	} else {
		lock_and_hold(r);
	}
	__asm__ volatile("");
}

static void *diver(void *arg)
{
	uint64_t r = start_state(arg);

	while (!stopped()) {
		deep(&r, roll(&r) % 100);
	}
	return NULL;
}

/* Runs over many generations without an event. */
static void *silent(void *arg)
{
	while (!stopped()) {
		gt_sys_sleep(500000);
	}
	return arg;
}

/* --- Life and death --------------------------------------------------------------------------- */

static void *brief(void *arg)
{
	uint64_t r = start_state(arg);

	switch (roll(&r) % 4) {
	case 0:
		gt_sys_sleep(roll(&r) % 700000);
		break;
	case 1:
		lock_and_hold(&r);
		break;
	case 2:
		system_call(roll(&r) % 50000);
		break;
	default:
		break;
	}
	return arg;
}

/* As the hooks of pthread_setname_np and pthread_cancel do with another thread. */
static GT_NOINLINE void meddle(pthread_t with, uint64_t *r)
{
	struct gt_thread *t = stress_self();
	struct gt_thread *target;
	uint64_t id = 0;

	if (!t) {
		return;
	}
	gt_tls.busy++;
	target = gt_thread_of_pthread((uintptr_t)with, &id);
	if (target && target != t) {
		if (roll(r) % 2) {
			gt_thread_name(target, roll(r) % 2 ? "one" : "another");
		} else {
			gt_cancel_hint(t, target, id, STRESS_FRAME());
		}
	}
	gt_tls.busy--;
}

static void *churner(void *arg)
{
	uint64_t r = start_state(arg);

	while (!stopped()) {
		pthread_t threads[4];
		unsigned n = 0;

		while (n < GT_LEN(threads)) {
			void *salt = (void *)(uintptr_t)roll(&r);

			if (roll(&r) % 8 ? !stress_create(&threads[n], brief, salt)
					 : !stress_create_unseen(&threads[n], brief, salt)) {
				break;
			}
			n++;
		}
		if (roll(&r) % 8 == 0) {
			stress_create_fails();
		}
		for (unsigned i = 0; i < n; i++) {
			meddle(threads[i], &r);
			if (roll(&r) % 8 == 0) {
				pthread_detach(threads[i]);
			} else {
				stress_join(threads[i],
					    roll(&r) % 2 ? UINT64_MAX : roll(&r) % 300000);
			}
		}
	}
	return NULL;
}

/* --- The run ---------------------------------------------------------------------------------- */

static void *(*const kinds[])(void *) = {
	locker,     locker,  locker,  locker,  producer,    consumer,    consumer,
	consumer,   timer,   caller,  caller,  filler,      filler,      diver,
	silent,     churner, churner, churner, word_waiter, word_waiter, word_waiter,
	word_waker, yielder, yielder, jumper,  jumper,
};

extern char **environ;

static bool begin(const char *out)
{
	const char *bad;
	const char *unknown;
	struct gt_env env;

	gt_env_read(&env, environ, &bad, &unknown);
	if (bad || unknown) {
		fprintf(stderr, "core_load: %s\n", bad ? bad : unknown);
		return false;
	}
	env.depth = GT_MIN(GT_MAX(env.depth, UINT64_C(1)), (uint64_t)GT_STACK_MAX);
	gt_stack_init();
	if (gt_trace_start(&env, out, (uintptr_t)begin, false) != 0) {
		return false;
	}
	gt_thread_set_pthread(gt_tls.thread, gt_thread_id(gt_tls.thread),
			      (uintptr_t)pthread_self());
	return true;
}

int main(int argc, char **argv)
{
	double seconds = argc > 2 ? atof(argv[1]) : 0;
	pthread_t threads[GT_LEN(kinds)];
	pthread_t advancer;

	if (seconds <= 0) {
		fputs("usage: core_load SECONDS OUT [SEED]\n", stderr);
		return 2;
	}
	seed = argc > 3 ? (unsigned)atoi(argv[3]) : 1;
	if (!begin(argv[2])) {
		return 1;
	}
	stress_root_mark(gt_tls.thread, STRESS_FRAME());
	gt_trace_main(gt_tls.thread);
	/* With every third seed there is no such thread, and all others advance. */
	if (seed % 3 && !stress_advancer_start(&advancer)) {
		return 1;
	}
	for (size_t i = 0; i < GT_LEN(kinds); i++) {
		if (!stress_create(&threads[i], kinds[i], (void *)i)) {
			return 1;
		}
	}
	gt_sys_sleep((uint64_t)(seconds * 1e9));
	/* With an odd seed the trace ends, as at exit, while all threads still run. */
	if (seed % 2) {
		gt_trace_stop();
	}
	gt_store_relaxed(&stop, true);
	for (size_t i = 0; i < GT_LEN(kinds); i++) {
		stress_join(threads[i], UINT64_MAX);
	}
	stress_wait_over();
	gt_trace_stop();
	if (seed % 3) {
		pthread_join(advancer, NULL);
	}
	printf("done %zu\n", GT_LEN(kinds));
	return 0;
}
