/*
 * Description: main leaves by pthread_exit, the others go on; the process ends with the last, as 0.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_t main_thread;
static atomic_int tid;

static void *second(void *arg)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	puts("last");
	return arg;
}

static void *first(void *arg)
{
	pthread_t thread;

	join_ended(main_thread);
	puts("main is gone");
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, second, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	return arg;
}

int main(void)
{
	pthread_t thread;

	main_thread = pthread_self();
	OK(pthread_create(&thread, NULL, first, NULL));
	pthread_exit(NULL);
}
