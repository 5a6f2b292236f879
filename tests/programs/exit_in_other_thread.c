/*
 * Description: a thread calls exit while main waits for it.
 * Exit: 4
 */
#include "scene.h"

static atomic_int tid;

static void *leaver(void *arg)
{
	(void)arg;
	reach(1);
	await_joining(&tid, pthread_self());
	puts("leaving");
	exit(4);
}

int main(void)
{
	pthread_t thread;

	OK(pthread_create(&thread, NULL, leaver, NULL));
	await(1);
	tell_tid(&tid);
	OK(pthread_join(thread, NULL));
	puts("never here");
	return 0;
}
