/*
 * Description: poster ends a wait of each kind for a semaphore; one that is free is no wait.
 */
#include <semaphore.h>

#include "scene.h"

static sem_t sem;
static atomic_int tid;

static void waits(int turn)
{
	struct timespec real = deadline_in(CLOCK_REALTIME, 60000);
	struct timespec mono = deadline_in(CLOCK_MONOTONIC, 60000);

	errno = E2BIG;
	switch (turn) {
	case 0:
		OK(sem_wait(&sem));
		break;
	case 1:
		OK(sem_timedwait(&sem, &real));
		break;
	default:
		OK(sem_clockwait(&sem, CLOCK_MONOTONIC, &mono));
	}
	IS(errno, E2BIG);
}

static void *waiter(void *arg)
{
	for (int i = 0; i < 3; i++) {
		tell_tid(&tid);
		waits(i);
		reach(i + 1);
	}
	return arg;
}

static void poster(void)
{
	AWAIT_ASLEEP_ON(&tid, &sem);
	atomic_store(&tid, 0);
	OK(sem_post(&sem));
}

int main(void)
{
	pthread_t thread;
	int value;

	OK(sem_init(&sem, 0, 3));
	for (int i = 0; i < 3; i++) {
		waits(i);
	}
	IS(sem_trywait(&sem), -1);
	IS(errno, EAGAIN);
	OK(pthread_create(&thread, NULL, waiter, NULL));
	for (int i = 0; i < 3; i++) {
		poster();
		await(i + 1);
	}
	join_ended(thread);
	OK(sem_post(&sem));
	OK(sem_trywait(&sem));
	OK(sem_getvalue(&sem, &value));
	IS(value, 0);
	OK(sem_destroy(&sem));
	puts("posted");
	return 0;
}
