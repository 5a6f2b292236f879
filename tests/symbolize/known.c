/*
 * A thread that sleeps in nap, which is inlined into rest, which is inlined into work. See run.py.
 */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static inline __attribute__((always_inline)) void nap(unsigned us)
{
	usleep(us); /* in nap */
	__asm__ volatile("");
}

static inline __attribute__((always_inline)) void rest(unsigned us)
{
	nap(us); /* in rest */
}

static __attribute__((noinline)) void work(unsigned us)
{
	rest(us); /* in work */
	__asm__ volatile("");
}

static void *thread(void *us)
{
	work(*(unsigned *)us); /* in thread */
	__asm__ volatile("");
	return NULL;
}

int main(void)
{
	unsigned us = 1;
	pthread_t t;

	pthread_create(&t, NULL, thread, &us);
	pthread_join(t, NULL);
#ifdef KILLED
	kill(getpid(), SIGKILL);
#endif
	return 0;
}
