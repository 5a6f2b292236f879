/*
 * Description: one thread forbids itself all files; another one writes the trace, and goes on.
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

static void *sandbox(void *arg)
{
	static const int killed[] = {SYS_openat, SYS_open, SYS_writev, SYS_ftruncate, SYS_unlinkat};
	struct filter f;

	filter_make(&f, killed, 5, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW);
	filter_install(&f);
	contended_lock();
	return arg;
}

int main(void)
{
	pthread_t holder;
	pthread_t thread;

	OK(pthread_create(&holder, NULL, filter_holder, NULL));
	await(1);
	OK(pthread_create(&thread, NULL, sandbox, NULL));
	join_ended(thread);
	join_ended(holder);
	puts("one thread");
	return 0;
}
