/*
 * Description: signal and broadcast by a thread that does not hold the mutex, or without waiters.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tid;
static atomic_int ready;

static void *waiter(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	tell_tid(&tid);
	while (!atomic_load(&ready)) {
		OK(pthread_cond_wait(&cond, &mutex));
	}
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_cond_signal(&cond));
	OK(pthread_cond_broadcast(&cond));
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &cond);
	atomic_store(&ready, 1);
	OK(pthread_cond_signal(&cond));
	join_ended(thread);
	OK(pthread_cond_broadcast(&cond));
	puts("heard");
	return 0;
}
