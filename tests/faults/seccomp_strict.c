/*
 * Description: strict mode: nothing is left but read, write and exit, and locks that do not wait.
 * Exit: 9
 * Says: forbids itself
 */
#include "filter.h"

int main(void)
{
	contended_once();
	OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	contended_lock();
	IS((int)write(1, "strict\n", 7), 7);
	syscall(SYS_exit, 9);
	return 0;
}
