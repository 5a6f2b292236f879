/*
 * Description: A waits for a word and B changes and wakes it, with the private flag and without.
 */
#include <linux/futex.h>

#include "scene.h"

static atomic_int words[2];
static atomic_int tid;

static void wait_for(atomic_int *word, int op)
{
	while (atomic_load(word) == 0) {
		OK((int)syscall(SYS_futex, word, op, 0, NULL));
	}
}

static void *waiter(void *arg)
{
	tell_tid(&tid);
	wait_for(&words[0], FUTEX_WAIT);
	wait_for(&words[1], FUTEX_WAIT_PRIVATE);
	reach(1);
	return arg;
}

static void wake(atomic_int *word, int op)
{
	AWAIT_ASLEEP_ON(&tid, word);
	atomic_store(word, 1);
	IS((int)syscall(SYS_futex, word, op, 1), 1);
}

static void *waker(void *arg)
{
	wake(&words[0], FUTEX_WAKE);
	wake(&words[1], FUTEX_WAKE_PRIVATE);
	/* Who has ended can no longer be named as the waker. */
	await(1);
	return arg;
}

int main(void)
{
	pthread_t a;
	pthread_t b;

	OK(pthread_create(&a, NULL, waiter, NULL));
	OK(pthread_create(&b, NULL, waker, NULL));
	join_ended(a);
	join_ended(b);
	return 0;
}
