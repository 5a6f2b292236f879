/*
 * Description: a thread executes another program while main waits for it.
 * Schedule: free
 * Expect: 1 create of=executor
 * Expect: 1 wait in=main reason=join
 * Traces: 1+
 * Exit: 13
 */
#include "scene.h"

static atomic_int tid;

static void *executor(void *arg)
{
	char **argv = arg;

	await_joining(&tid, pthread_self());
	execl("/proc/self/exe", argv[0], "the second", NULL);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc > 1) {
		puts(argv[1]);
		return 13;
	}
	OK(pthread_create(&thread, NULL, executor, argv));
	tell_tid(&tid);
	OK(pthread_join(thread, NULL));
	return 98;
}
