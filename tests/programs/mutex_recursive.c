/*
 * Description: a recursive mutex taken three times is given to the waiter by the last unlock.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static atomic_int tid;

static void *waiter(void *arg)
{
	IS(pthread_mutex_trylock(&mutex), EBUSY);
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_trylock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	IS(pthread_mutex_unlock(&mutex), EPERM);
	return arg;
}

int main(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++) {
		OK(pthread_mutex_lock(&mutex));
	}
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	for (int i = 0; i < 3; i++) {
		OK(pthread_mutex_unlock(&mutex));
	}
	join_ended(thread);
	puts("three in, three out");
	return 0;
}
