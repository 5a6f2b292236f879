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
	pthread_t threads[2];

	OK(pthread_create(&threads[0], NULL, idle, NULL));
	IS(unshare(CLONE_NEWUSER), -1);
	IS(errno, EINVAL);
	IS((int)syscall(SYS_unshare, CLONE_NEWUSER), -1);
	OK(pthread_create(&threads[1], NULL, filter_holder, NULL));
	await(1);
	contended_lock();
	join_ended(threads[1]);
	reach(2);
	join_ended(threads[0]);
	return 0;
}
