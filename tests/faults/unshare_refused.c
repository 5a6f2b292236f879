/*
 * Description: the same with a thread that lives: refused, and the trace goes on.
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <sched.h>

static void *idle(void *arg)
{
	await(2);
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_create(&thread, NULL, idle, NULL));
	IS(unshare(CLONE_NEWUSER), -1);
	IS(errno, EINVAL);
	IS((int)syscall(SYS_unshare, CLONE_NEWUSER), -1);
	contended_once();
	reach(2);
	join_ended(thread);
	return 0;
}
