/*
 * Description: four wait for one word; one is woken there and three are moved to another, where two
 *     threads wake them, one and two.
 */
#include <linux/futex.h>

#include "scene.h"

enum { N = 4 };

static atomic_int first;
static atomic_int second;
static atomic_int tids[N];
static atomic_int returned;

static void *waiter(void *arg)
{
	tell_tid(arg);
	OK((int)syscall(SYS_futex, &first, FUTEX_WAIT, 0, NULL));
	atomic_fetch_add(&returned, 1);
	await(1);
	return NULL;
}

/* The number of those woken and of those moved, together. */
static void wake_and_move(void)
{
	IS((int)syscall(SYS_futex, &first, FUTEX_CMP_REQUEUE, 1, 10L, &second, 0), N);
	await_at_least(&returned, 1);
	IS((int)syscall(SYS_futex, &first, FUTEX_WAKE, 10), 0);
}

static void *wake_one(void *arg)
{
	IS((int)syscall(SYS_futex, &second, FUTEX_WAKE, 1), 1);
	await(1);
	return arg;
}

static void *wake_two(void *arg)
{
	await_at_least(&returned, 2);
	IS((int)syscall(SYS_futex, &second, FUTEX_WAKE, 2), 2);
	await(1);
	return arg;
}

int main(void)
{
	pthread_t threads[N + 2];

	for (int i = 0; i < N; i++) {
		OK(pthread_create(&threads[i], NULL, waiter, &tids[i]));
		AWAIT_ASLEEP_ON(&tids[i], &first);
	}
	wake_and_move();
	OK(pthread_create(&threads[N], NULL, wake_one, NULL));
	OK(pthread_create(&threads[N + 1], NULL, wake_two, NULL));
	await_at_least(&returned, N);
	reach(1);
	for (int i = 0; i < N + 2; i++) {
		join_ended(threads[i]);
	}
	return 0;
}
