/*
 * Description: an exit handler and a destructor take a contended mutex and make a thread.
 * Schedule: free
 * Expect: 1+ wait in=handler by=holder
 * Exit: 5
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;

static void *holder(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	reach(1);
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	/* Who has ended can no longer be named as the waker. */
	await(2);
	return arg;
}

static void handler(void)
{
	pthread_t thread;

	OK(pthread_create(&thread, NULL, holder, NULL));
	await(1);
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	reach(2);
	OK(pthread_join(thread, NULL));
	atomic_store(&tid, 0);
	reach(0);
	puts("handled");
}

__attribute__((destructor)) static void last(void)
{
	handler();
}

int main(void)
{
	OK(atexit(handler));
	return 5;
}
