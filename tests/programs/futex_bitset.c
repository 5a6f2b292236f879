/*
 * Description: three wait for one word with bits of their own; each is woken by another bit.
 */
#include <linux/futex.h>

#include "scene.h"

enum { N = 3 };

static atomic_int word;
static atomic_int tids[N];

static void *waiter(void *arg)
{
	int me = (int)(intptr_t)arg;

	tell_tid(&tids[me]);
	OK((int)syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 1 << me));
	reach(N - me);
	return NULL;
}

static void wake(int whom)
{
	IS((int)syscall(SYS_futex, &word, FUTEX_WAKE_BITSET_PRIVATE, 100, NULL, NULL, 1 << whom),
	   1);
}

static void wake_last(void)
{
	wake(2);
	await(1);
}

static void wake_middle(void)
{
	wake(1);
	await(2);
}

static void wake_first(void)
{
	wake(0);
	await(3);
}

int main(void)
{
	pthread_t threads[N];

	for (int i = 0; i < N; i++) {
		OK(pthread_create(&threads[i], NULL, waiter, (void *)(intptr_t)i));
		AWAIT_ASLEEP_ON(&tids[i], &word);
	}
	wake_last();
	wake_middle();
	wake_first();
	for (int i = 0; i < N; i++) {
		join_ended(threads[i]);
	}
	return 0;
}
