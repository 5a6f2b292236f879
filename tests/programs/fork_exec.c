/*
 * Description: fork and exec of another traced program, while threads run.
 * Schedule: free
 * Traces: 2
 * Expect: 1 create
 */
#include "scene.h"

#include <sys/wait.h>

static void *idle(void *arg)
{
	await(1);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int status;

	if (argc > 1) {
		OK(pthread_create(&thread, NULL, idle, NULL));
		reach(1);
		join_ended(thread);
		puts(argv[1]);
		return 11;
	}
	OK(pthread_create(&thread, NULL, idle, NULL));
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", argv[0], "the other program", NULL);
		_exit(98);
	}
	IS(waitpid(pid, &status, 0) == pid, 1);
	IS(status, 11 << 8);
	reach(1);
	join_ended(thread);
	puts("executed");
	return 0;
}
