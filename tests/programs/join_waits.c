/*
 * Description: a joiner waits for a thread, is woken by its end, and gets its value.
 */
#include "scene.h"

static atomic_int tid;
static int value;

static void *worker(void *arg)
{
	(void)arg;
	reach(1);
	await_joining(&tid, pthread_self());
	return &value;
}

int main(void)
{
	pthread_t thread;
	void *result;

	OK(pthread_create(&thread, NULL, worker, NULL));
	await(1);
	tell_tid(&tid);
	OK(pthread_join(thread, &result));
	IS(result == &value, 1);
	puts("joined");
	return 0;
}
