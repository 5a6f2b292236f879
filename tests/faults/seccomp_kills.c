/*
 * Description: a filter that kills for all calls but a few; then the program does what it may.
 * Exit: 9
 * Says: forbids itself
 */
#include "filter.h"

int main(void)
{
	static const int allowed[] = {SYS_read, SYS_write, SYS_exit, SYS_exit_group,
				      SYS_rt_sigreturn};
	struct filter f;

	filter_make(&f, allowed, sizeof allowed / sizeof allowed[0], SECCOMP_RET_ALLOW,
		    SECCOMP_RET_KILL_PROCESS);
	filter_install(&f);
	contended_lock();
	IS((int)write(1, "alive\n", 6), 6);
	_exit(9);
}
