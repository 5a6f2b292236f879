/*
 * Description: a filter against calls that we do not make: the trace goes on, with threads.
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

int main(void)
{
	static const int killed[] = {SYS_ptrace, SYS_mount, SYS_reboot};
	pthread_t thread;
	struct filter f;

	filter_make(&f, killed, 3, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW);
	filter_install(&f);
	OK(pthread_create(&thread, NULL, filter_holder, NULL));
	await(1);
	contended_lock();
	join_ended(thread);
	puts("filtered");
	return 0;
}
