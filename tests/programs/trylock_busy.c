/*
 * Description: trylock of a mutex that another thread holds says EBUSY and does not wait.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *trier(void *arg)
{
	IS(pthread_mutex_trylock(&mutex), EBUSY);
	reach(1);
	await(2);
	OK(pthread_mutex_trylock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, trier, NULL));
	await(1);
	OK(pthread_mutex_unlock(&mutex));
	reach(2);
	join_ended(thread);
	puts("busy, then free");
	return 0;
}
