/*
 * Description: threads and locks in a constructor, before main.
 * Schedule: free
 * Expect: 1 create of=waiter
 * Expect: 1 wait in=waiter reason=mutex by=early
 * Expect: 1 destroy
 */
#include "waiter.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

__attribute__((constructor)) static void early(void)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_cond_signal(&cond));
	OK(pthread_create(&thread, NULL, waiter, &mutex));
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
