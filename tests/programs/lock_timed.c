/*
 * Description: timed locks that time out, whose time is over already, and whose time is nonsense.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *impatient(void *arg)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 20);

	IS(pthread_mutex_timedlock(&mutex, &t), ETIMEDOUT);
	t = deadline_in(CLOCK_MONOTONIC, 20);
	IS(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &t), ETIMEDOUT);
	t = deadline_in(CLOCK_REALTIME, -1000);
	IS(pthread_mutex_timedlock(&mutex, &t), ETIMEDOUT);
	t.tv_nsec = 1000000000;
	IS(pthread_mutex_timedlock(&mutex, &t), EINVAL);
	t = deadline_in(CLOCK_MONOTONIC, 20);
	IS(pthread_mutex_clocklock(&mutex, CLOCK_PROCESS_CPUTIME_ID, &t), EINVAL);
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, impatient, NULL));
	join_ended(thread);
	OK(pthread_mutex_unlock(&mutex));
	struct timespec t = deadline_in(CLOCK_REALTIME, 1000);
	OK(pthread_mutex_timedlock(&mutex, &t));
	OK(pthread_mutex_unlock(&mutex));
	t = deadline_in(CLOCK_MONOTONIC, 1000);
	OK(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &t));
	OK(pthread_mutex_unlock(&mutex));
	puts("timed out");
	return 0;
}
