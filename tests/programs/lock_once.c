/*
 * Description: an uncontended mutex leaves nothing but its threads in the trace.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *worker(void *arg)
{
	int *count = arg;

	for (int i = 0; i < 1000; i++) {
		OK(pthread_mutex_lock(&mutex));
		++*count;
		OK(pthread_mutex_unlock(&mutex));
	}
	return NULL;
}

int main(void)
{
	int count = 0;
	pthread_t thread;

	worker(&count);
	OK(pthread_create(&thread, NULL, worker, &count));
	join_ended(thread);
	printf("%d\n", count);
	return 0;
}
