/*
 * Description: waits for a semaphore are cancellation points, also where they need not wait.
 */
#include <semaphore.h>

#include "scene.h"

static sem_t sem;
static atomic_int tid;

static void *in_wait(void *arg)
{
	tell_tid(&tid);
	OK(sem_wait(&sem));
	return arg;
}

static void *in_timedwait(void *arg)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 60000);

	tell_tid(&tid);
	OK(sem_timedwait(&sem, &t));
	return arg;
}

/* Cancelled before they wait, for a semaphore that is free. */
static void *before_wait(void *arg)
{
	pthread_cancel(pthread_self());
	OK(sem_wait(&sem));
	return arg;
}

static void *before_timedwait(void *arg)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 60000);

	pthread_cancel(pthread_self());
	OK(sem_timedwait(&sem, &t));
	return arg;
}

/* No cancellation points. */
static void *before_trywait(void *arg)
{
	pthread_cancel(pthread_self());
	OK(sem_trywait(&sem));
	OK(sem_post(&sem));
	return arg;
}

static void play(void *(*start)(void *), int cancel, void *want)
{
	pthread_t thread;
	void *result;

	tid = 0;
	OK(pthread_create(&thread, NULL, start, NULL));
	if (cancel) {
		AWAIT_ASLEEP_ON(&tid, &sem);
		OK(pthread_cancel(thread));
	}
	while (pthread_tryjoin_np(thread, &result) == EBUSY) {
		scene_pause(500);
	}
	IS(result == want, 1);
}

int main(void)
{
	int value;

	OK(sem_init(&sem, 0, 0));
	play(in_wait, 1, PTHREAD_CANCELED);
	play(in_timedwait, 1, PTHREAD_CANCELED);
	OK(sem_post(&sem));
	play(before_wait, 0, PTHREAD_CANCELED);
	play(before_timedwait, 0, PTHREAD_CANCELED);
	play(before_trywait, 0, NULL);
	OK(sem_getvalue(&sem, &value));
	IS(value, 1);
	puts("cancelled");
	return 0;
}
