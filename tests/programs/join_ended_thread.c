/*
 * Description: a thread that has ended long before is joined without waiting.
 */
#include "scene.h"

static atomic_int tid;

static void *worker(void *arg)
{
	tell_tid(&tid);
	return arg;
}

int main(void)
{
	pthread_t thread;
	int value;
	void *result;

	OK(pthread_create(&thread, NULL, worker, &value));
	await_gone(&tid);
	OK(pthread_join(thread, &result));
	IS(result == &value, 1);
	puts("joined");
	return 0;
}
