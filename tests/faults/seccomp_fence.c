/*
 * Description: a filter kills for membarrier, which advancing uses: it goes on without, here and
 *     in a child.
 * Traces: 2
 * Period: 5ms
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <sys/wait.h>

static void *nothing(void *arg)
{
	return arg;
}

int main(void)
{
	static const int killed[] = {SYS_membarrier};
	struct filter f;
	pid_t child;
	int status;

	filter_make(&f, killed, 1, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW);
	filter_install(&f);
	contended_once();
	child = fork();
	if (child == 0) {
		pthread_t t;

		OK(pthread_create(&t, NULL, nothing, NULL));
		OK(pthread_join(t, NULL));
		exit(0);
	}
	OK(waitpid(child, &status, 0) == child ? 0 : -1);
	printf("filtered, child %d\n", status);
	return 0;
}
