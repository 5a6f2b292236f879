/*
 * Description: vfork, posix_spawn and system, from a process with threads; the children do nothing.
 * Schedule: free
 * Traces: 1+
 * Expect: 1+ create
 */
#include "scene.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static void *idle(void *arg)
{
	await(1);
	return arg;
}

static int ended(pid_t pid)
{
	int status;

	IS(waitpid(pid, &status, 0) == pid, 1);
	return status;
}

int main(void)
{
	char *const command[] = {"sh", "-c", "exit 5", NULL};
	pthread_t thread;
	pid_t pid;

	OK(pthread_create(&thread, NULL, idle, NULL));

	pid = vfork();
	if (pid == 0) {
		_exit(4);
	}
	IS(ended(pid), 4 << 8);

	pid = vfork();
	if (pid == 0) {
		execv("/bin/sh", command);
		_exit(98);
	}
	IS(ended(pid), 5 << 8);

	OK(posix_spawn(&pid, "/bin/sh", NULL, NULL, command, environ));
	IS(ended(pid), 5 << 8);
	IS(posix_spawn(&pid, "/nowhere/at/all", NULL, NULL, command, environ), ENOENT);
	IS(system("exit 6"), 6 << 8);

	reach(1);
	join_ended(thread);
	puts("spawned");
	return 0;
}
