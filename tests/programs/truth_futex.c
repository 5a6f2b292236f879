/*
 * Description: threads take turns by a word that each waits for and wakes others by, in known
 *     functions: a lock as Rust's, a baton that goes round, one that wakes all.
 */
#include <limits.h>
#include <linux/futex.h>

#include "scene.h"

enum { ROUNDS = 30, N = 4 };

static atomic_int tids[N];

static void wait_while(atomic_int *word, int value)
{
	while (atomic_load(word) == value) {
		syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value, NULL, NULL,
			FUTEX_BITSET_MATCH_ANY);
	}
}

/* --- A baton: thread i waits for its own word, then wakes thread i + 1 -------------------------
 */

static atomic_int baton[N];

static void waits_for_baton(int me)
{
	wait_while(&baton[me], 0);
	atomic_store(&baton[me], 0);
}

static void gives_baton(int whom)
{
	AWAIT_ASLEEP_ON(&tids[whom], &baton[whom]);
	scene_pause(500);
	atomic_store(&baton[whom], 1);
	IS((int)syscall(SYS_futex, &baton[whom], FUTEX_WAKE_PRIVATE, 1), 1);
}

/* --- A gate: all but one wait for the same word ------------------------------------------------
 */

static atomic_int gate;
static atomic_int arrived;

static void waits_at_gate(int round)
{
	atomic_fetch_add(&arrived, 1);
	wait_while(&gate, round);
}

static void opens_gate(int round)
{
	/* Who has not arrived may still look asleep from the last time. */
	await_at_least(&arrived, (N - 1) * (round + 1));
	for (int i = 1; i < N; i++) {
		AWAIT_ASLEEP_ON(&tids[i], &gate);
	}
	atomic_fetch_add(&gate, 1);
	IS((int)syscall(SYS_futex, &gate, FUTEX_WAKE_PRIVATE, INT_MAX), N - 1);
}

static void *runner(void *arg)
{
	int me = (int)(intptr_t)arg;

	tell_tid(&tids[me]);
	for (int round = 0; round < ROUNDS; round++) {
		waits_for_baton(me);
		gives_baton((me + 1) % N);
	}
	if (me == 0) {
		waits_for_baton(0);
	}
	for (int round = 0; round < ROUNDS; round++) {
		if (me == 0) {
			opens_gate(round);
		} else {
			waits_at_gate(round);
		}
	}
	/* Who has ended can no longer be named as the waker. */
	atomic_fetch_add(&scene_stage, 1);
	await(N);
	return NULL;
}

static void main_starts(void)
{
	AWAIT_ASLEEP_ON(&tids[0], &baton[0]);
	atomic_store(&baton[0], 1);
	IS((int)syscall(SYS_futex, &baton[0], FUTEX_WAKE_PRIVATE, 1), 1);
}

int main(void)
{
	pthread_t threads[N];

	for (int i = 0; i < N; i++) {
		OK(pthread_create(&threads[i], NULL, runner, (void *)(intptr_t)i));
		AWAIT_ASLEEP_ON(&tids[i], &baton[i]);
	}
	main_starts();
	for (int i = 0; i < N; i++) {
		join_ended(threads[i]);
	}
	return 0;
}
