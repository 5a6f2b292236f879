/*
 * Description: a program whose threads have ended makes a user namespace, which wants one thread.
 * Expect: 2 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <sched.h>

static void with_a_thread(void)
{
	pthread_t thread;

	atomic_store(&scene_stage, 0);
	OK(pthread_create(&thread, NULL, filter_holder, NULL));
	await(1);
	contended_lock();
	OK(pthread_join(thread, NULL));
}

int main(void)
{
	with_a_thread();
	await_gone(&filter_tid);
	printf("%d\n", unshare(CLONE_NEWUSER));
	with_a_thread();
	puts("a namespace");
	return 0;
}
