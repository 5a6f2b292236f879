/*
 * Description: a filter against calls that we do not make: the trace goes on, with threads.
 * Cpu: 1
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

int main(void)
{
	static const int killed[] = {SYS_ptrace, SYS_mount, SYS_reboot};
	struct filter f;

	filter_make(&f, killed, 3, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW);
	filter_install(&f);
	contended_once();
	puts("filtered");
	return 0;
}
