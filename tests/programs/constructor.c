/*
 * Description: threads and locks in a constructor, before main.
 * Schedule: free
 * Expect: 1 create of=waiter
 * Expect: 1 wait in=waiter reason=mutex by=early
 * Expect: 1 destroy
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tid;

static void *waiter(void *arg)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

__attribute__((constructor)) static void early(void)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_cond_signal(&cond));
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	puts("early");
}

int main(void)
{
	puts("main");
	return 0;
}
