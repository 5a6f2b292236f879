/*
 * Description: threads detached by birth, by main while they run, by themselves, and after the end.
 */
#include "scene.h"

static atomic_int tid;

static void *worker(void *arg)
{
	await((int)(intptr_t)arg);
	tell_tid(&tid);
	return NULL;
}

static void *detaches_itself(void *arg)
{
	OK(pthread_detach(pthread_self()));
	tell_tid(&tid);
	return arg;
}

static void await_end(void)
{
	await_gone(&tid);
	atomic_store(&tid, 0);
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	OK(pthread_attr_init(&attr));
	OK(pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED));
	OK(pthread_create(&thread, &attr, worker, NULL));
	await_end();
	OK(pthread_attr_destroy(&attr));

	OK(pthread_create(&thread, NULL, worker, (void *)1));
	OK(pthread_detach(thread));
	reach(1);
	await_end();

	OK(pthread_create(&thread, NULL, detaches_itself, NULL));
	await_end();

	OK(pthread_create(&thread, NULL, worker, NULL));
	await_end();
	OK(pthread_detach(thread));
	puts("all gone");
	return 0;
}
