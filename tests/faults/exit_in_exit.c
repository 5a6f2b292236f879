/*
 * Description: a handler of exit calls exit; what it says last counts, and the trace is whole.
 * Exit: 7
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

static void again(void)
{
	pthread_t thread;

	OK(pthread_create(&thread, NULL, filter_holder, NULL));
	await(1);
	contended_lock();
	exit(7);
}

int main(void)
{
	OK(atexit(again));
	exit(3);
}
