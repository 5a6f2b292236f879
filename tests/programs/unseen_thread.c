/*
 * Description: glibc makes a thread of its own for a timer; it waits for a mutex of ours.
 * Schedule: free
 * Expect: 1 wait in=expired reason=mutex by=main
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;
static atomic_int done;

static void expired(union sigval value)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	atomic_store((atomic_int *)value.sival_ptr, 1);
}

int main(void)
{
	timer_t timer;
	struct sigevent event = {
		.sigev_notify = SIGEV_THREAD,
		.sigev_notify_function = expired,
		.sigev_value.sival_ptr = &done,
	};
	struct itimerspec when = {.it_value.tv_nsec = 1000000};

	OK(pthread_mutex_lock(&mutex));
	OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
	OK(timer_settime(timer, 0, &when, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	await_at_least(&done, 1);
	OK(timer_delete(timer));
	puts("expired");
	return 0;
}
