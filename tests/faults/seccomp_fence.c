/*
 * Description: a filter kills for membarrier, which advancing uses: it goes on without. A trace that
 *     starts asks for it, so children and what they exec are left alone.
 * Period: 5ms
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <sys/wait.h>

static void *nothing(void *arg)
{
	return arg;
}

/* Its exit status, as waitpid gives it. */
static int child_that(bool execs, char *self)
{
	pid_t child = fork();
	pthread_t t;
	int status = -1;

	if (child == 0 && execs) {
		execl(self, self, "again", NULL);
		_exit(9);
	}
	if (child == 0) {
		OK(pthread_create(&t, NULL, nothing, NULL));
		OK(pthread_join(t, NULL));
		exit(0);
	}
	OK(waitpid(child, &status, 0) == child ? 0 : -1);
	return status;
}

int main(int argc, char **argv)
{
	static const int killed[] = {SYS_membarrier};
	struct filter f;
	int forked;

	if (argc > 1) {
		return 0;
	}
	filter_make(&f, killed, 1, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW);
	filter_install(&f);
	contended_once();
	forked = child_that(false, argv[0]);
	printf("filtered, children %d %d\n", forked, child_that(true, argv[0]));
	return 0;
}
