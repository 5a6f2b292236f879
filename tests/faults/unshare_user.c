/*
 * Description: a program whose threads have ended makes a user namespace, which wants one thread.
 * Expect: 2 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <sched.h>

int main(void)
{
	contended_once();
	await_gone(&filter_tid);
	printf("%d\n", unshare(CLONE_NEWUSER));
	contended_once();
	puts("a namespace");
	return 0;
}
