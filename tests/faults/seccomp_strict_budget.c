/*
 * Description: strict mode under a budget: free locks are not counted, by a clock that is forbidden.
 * Budget: 1%
 * Exit: 9
 * Says: forbids itself
 */
#include "filter.h"

#include <sys/wait.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void read_alone(void)
{
	for (int i = 0; i < 1000; i++) {
		OK(pthread_rwlock_rdlock(&lock));
		OK(pthread_rwlock_unlock(&lock));
	}
}

int main(void)
{
	int status = -1;
	pid_t child = fork();

	/* Free locks are being counted now: the process has just begun. */
	if (child == 0) {
		OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
		read_alone();
		syscall(SYS_exit, 8);
	}
	IS(waitpid(child, &status, 0), child);
	IS(status, 8 << 8);
	OK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	read_alone();
	IS((int)write(1, "strict\n", 7), 7);
	syscall(SYS_exit, 9);
	return 0;
}
