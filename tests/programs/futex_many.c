/*
 * Description: eight wait for one word; one is woken, then three, then all who are left.
 * Schedule: free
 * Expect: 8 wait in=waiter reason=futex
 * Expect: 1 wait in=waiter reason=futex by=wake_one
 * Expect: 3 wait in=waiter reason=futex by=wake_three
 * Expect: 4 wait in=waiter reason=futex by=wake_all
 */
#include <limits.h>
#include <linux/futex.h>

#include "scene.h"

enum { N = 8 };

static atomic_int word;
static atomic_int tids[N];
static atomic_int returned;

static void *waiter(void *arg)
{
	tell_tid(arg);
	OK((int)syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL));
	atomic_fetch_add(&returned, 1);
	return NULL;
}

static void wake(int n, int woken)
{
	IS((int)syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, n), woken);
}

/* The kernel wakes one even where none is asked for. */
static void wake_one(void)
{
	wake(0, 1);
	await_at_least(&returned, 1);
}

static void wake_three(void)
{
	wake(3, 3);
	await_at_least(&returned, 4);
}

static void wake_all(void)
{
	wake(INT_MAX, 4);
	await_at_least(&returned, N);
}

int main(void)
{
	pthread_t threads[N];

	for (int i = 0; i < N; i++) {
		OK(pthread_create(&threads[i], NULL, waiter, &tids[i]));
	}
	for (int i = 0; i < N; i++) {
		AWAIT_ASLEEP_ON(&tids[i], &word);
	}
	wake_one();
	wake_three();
	wake_all();
	for (int i = 0; i < N; i++) {
		join_ended(threads[i]);
	}
	return 0;
}
