/*
 * Description: questions whether filters are known, at addresses that lead nowhere: as without us.
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

int main(void)
{
	IS(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0), -1);
	printf("%d\n", errno);
	IS(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (void *)0x1000, 0, 0), -1);
	printf("%d\n", errno);
	IS((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, NULL), -1);
	printf("%d\n", errno);
	IS((int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0x4000, NULL), -1);
	printf("%d\n", errno);
	contended_once();
	return 0;
}
