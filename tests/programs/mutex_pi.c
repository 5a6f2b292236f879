/*
 * Description: a mutex with priority inheritance is handed over by the kernel.
 */
#include "scene.h"

static pthread_mutex_t mutex;
static atomic_int tid;

static void *waiter(void *arg)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 20);

	IS(pthread_mutex_trylock(&mutex), EBUSY);
	IS(pthread_mutex_timedlock(&mutex, &t), ETIMEDOUT);
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

int main(void)
{
	pthread_mutexattr_t attr;
	pthread_t thread;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT));
	OK(pthread_mutex_init(&mutex, &attr));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	OK(pthread_mutex_destroy(&mutex));
	puts("inherited");
	return 0;
}
