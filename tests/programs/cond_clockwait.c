/*
 * Description: a wait on the monotonic clock, once timed out and once ended by a signal.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tid;
static int ready;

static void *waiter(void *arg)
{
	struct timespec t = deadline_in(CLOCK_MONOTONIC, 20);

	OK(pthread_mutex_lock(&mutex));
	IS(pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &t), ETIMEDOUT);
	tell_tid(&tid);
	t = deadline_in(CLOCK_MONOTONIC, 100000);
	while (!ready) {
		OK(pthread_cond_clockwait(&cond, &mutex, CLOCK_MONOTONIC, &t));
	}
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &cond);
	OK(pthread_mutex_lock(&mutex));
	ready = 1;
	OK(pthread_cond_signal(&cond));
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	puts("late, then in time");
	return 0;
}
