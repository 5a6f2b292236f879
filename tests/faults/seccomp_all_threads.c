/*
 * Description: a filter for all threads at once kills for opening files: the trace ends before it.
 * Says: forbids itself
 */
#include "filter.h"

int main(void)
{
	static const int killed[] = {SYS_openat, SYS_open, SYS_exit};
	struct filter f;

	contended_once();
	filter_make(&f, killed, 3, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW);
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	OK((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
			&f.program));
	contended_lock();
	puts("all threads");
	return 0;
}
