/*
 * Description: three children, each with a thread, end by each way in which an assertion can fail.
 * Traces: 4
 */
#undef NDEBUG
#include "scene.h"

#include <assert.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void *worker(void *arg)
{
	return arg;
}

static void fail(int way)
{
	pthread_t thread;

	OK(pthread_create(&thread, NULL, worker, NULL));
	join_ended(thread);
	switch (way) {
	case 0:
		assert(way != 0);
		break;
	case 1:
		assert_perror(EPERM);
		break;
	default:
		__assert("another name", "of BSD", 2);
	}
}

int main(void)
{
	struct rlimit none = {0, 0};
	pthread_t thread;

	OK(setrlimit(RLIMIT_CORE, &none));
	OK(pthread_create(&thread, NULL, worker, NULL));
	join_ended(thread);
	for (int way = 0; way < 3; way++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			fail(way);
		}
		IS(waitpid(child, &status, 0), child);
		IS(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, 1);
	}
	puts("three aborts");
	return 0;
}
