/*
 * Description: the futex calls of Linux 5.16 and 6.7: wait for one of several words, wait, wake,
 *     requeue. Where the kernel has none of them it does nothing.
 * Schedule: free
 * Expect: 0-2 wait in=waits_for_one reason=futex
 * Expect: 0-2 wait in=waits_for_several reason=futex
 */
#include <linux/futex.h>
#include <stdbool.h>

#include "scene.h"

/* Spelled out: the headers may be older than the kernel. */
enum { WAITV = 449, WAKE2 = 454, WAIT2, REQUEUE2 };
enum { SIZE_32 = 2, PRIVATE = 128 };

struct waiting {
	uint64_t value;
	uint64_t address;
	uint32_t flags;
	uint32_t reserved;
};

static atomic_int words[3];
static atomic_int tid;
static bool have_waitv;
static bool have_two;

static struct waiting on(atomic_int *word)
{
	return (struct waiting){.address = (uintptr_t)word, .flags = SIZE_32 | PRIVATE};
}

static void *waits_for_several(void *arg)
{
	struct waiting v[3] = {on(&words[0]), on(&words[1]), on(&words[2])};

	tell_tid(&tid);
	IS((int)syscall(WAITV, v, 3, 0, NULL, CLOCK_MONOTONIC), 1);
	return arg;
}

static void *waits_for_one(void *arg)
{
	tell_tid(&tid);
	OK((int)syscall(WAIT2, &words[0], 0, 2, SIZE_32 | PRIVATE, NULL, CLOCK_MONOTONIC));
	return arg;
}

static void start(pthread_t *t, void *(*routine)(void *), long number)
{
	atomic_store(&tid, 0);
	OK(pthread_create(t, NULL, routine, NULL));
	await_call(&tid, number);
}

static void wakes(void)
{
	IS((int)syscall(WAKE2, &words[0], 1, 1, SIZE_32 | PRIVATE), 0);
	IS((int)syscall(WAKE2, &words[0], 2, 0, SIZE_32 | PRIVATE), 0);
	IS((int)syscall(WAKE2, &words[0], 2, 1, SIZE_32 | PRIVATE), 1);
}

static void requeues(void)
{
	struct waiting v[2] = {on(&words[0]), on(&words[2])};

	IS((int)syscall(REQUEUE2, v, 0, 0, 1), 1);
	IS((int)syscall(WAKE2, &words[2], 2, 1, SIZE_32 | PRIVATE), 1);
}

int main(void)
{
	pthread_t t;

	have_waitv = syscall(WAITV, NULL, 0, 0, NULL, 0) == -1 && errno != ENOSYS;
	have_two = syscall(WAKE2, NULL, 0, 0, 0) == -1 && errno != ENOSYS;
	printf("futex_waitv %d, futex_wait and futex_wake %d\n", have_waitv, have_two);
	if (have_waitv) {
		IS((int)syscall(WAITV, 16L, 3, 0, NULL, CLOCK_MONOTONIC), -1);
		IS(errno, EFAULT);
		start(&t, waits_for_several, WAITV);
		IS((int)syscall(SYS_futex, &words[1], FUTEX_WAKE_PRIVATE, 1), 1);
		join_ended(t);
	}
	if (have_two) {
		start(&t, waits_for_one, WAIT2);
		wakes();
		join_ended(t);
		start(&t, waits_for_one, WAIT2);
		requeues();
		join_ended(t);
	}
	return 0;
}
