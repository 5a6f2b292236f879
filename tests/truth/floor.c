/*
 * How near a clock in user space comes to the kernel's: a thread waits on a futex, again and again,
 * and prints the times right before and right after the call. Its waker calls every 100 us.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WAITS = 20000, PERIOD_NS = 100000 };

static uint32_t word;
static int waits;
static pid_t tid;
static struct {
	uint64_t begin, end;
} times[WAITS];

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *waiter(void *arg)
{
	tid = gettid();
	for (int i = 0; i < WAITS; i++) {
		uint32_t seen = __atomic_load_n(&word, __ATOMIC_RELAXED);

		times[i].begin = now();
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, NULL);
		times[i].end = now();
		__atomic_store_n(&waits, i + 1, __ATOMIC_RELAXED);
	}
	return arg;
}

int main(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, waiter, NULL) != 0) {
		return 1;
	}
	while (__atomic_load_n(&waits, __ATOMIC_RELAXED) < WAITS) {
		uint64_t until = now() + PERIOD_NS;

		while (now() < until) {
		}
		__atomic_add_fetch(&word, 1, __ATOMIC_RELAXED);
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
	}
	pthread_join(t, NULL);
	for (int i = 0; i < WAITS; i++) {
		printf("%d %lu %lu\n", tid, (unsigned long)times[i].begin,
		       (unsigned long)times[i].end);
	}
	return 0;
}
