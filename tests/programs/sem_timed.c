/*
 * Description: timed waits for a semaphore that time out, and such with nonsense for a time.
 */
#include <semaphore.h>

#include "scene.h"

static sem_t sem;

static void nonsense(void)
{
	struct timespec t = {.tv_nsec = 1000000000};

	IS(sem_timedwait(&sem, &t), -1);
	IS(errno, EINVAL);
	IS(sem_clockwait(&sem, CLOCK_MONOTONIC, &t), -1);
	IS(errno, EINVAL);
	t.tv_nsec = 0;
	IS(sem_clockwait(&sem, CLOCK_PROCESS_CPUTIME_ID, &t), -1);
	IS(errno, EINVAL);
}

static void *impatient(void *arg)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 20);

	IS(sem_timedwait(&sem, &t), -1);
	IS(errno, ETIMEDOUT);
	IS(sem_timedwait(&sem, &t), -1);
	IS(errno, ETIMEDOUT);
	t = deadline_in(CLOCK_MONOTONIC, 20);
	IS(sem_clockwait(&sem, CLOCK_MONOTONIC, &t), -1);
	IS(errno, ETIMEDOUT);
	nonsense();
	return arg;
}

int main(void)
{
	pthread_t thread;
	int value;

	OK(sem_init(&sem, 0, 0));
	OK(pthread_create(&thread, NULL, impatient, NULL));
	join_ended(thread);
	/* Nonsense is refused although the semaphore is free, and leaves it so. */
	OK(sem_post(&sem));
	nonsense();
	OK(sem_getvalue(&sem, &value));
	IS(value, 1);
	OK(sem_destroy(&sem));
	puts("timed out");
	return 0;
}
