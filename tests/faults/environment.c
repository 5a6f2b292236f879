/*
 * Description: with GTRACE_FOLLOW=0 nothing of us is in the environment, nor in what it starts.
 * Follow: 0
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static void show(char **envp)
{
	for (char **e = envp; *e; e++) {
		if (strncmp(*e, "GTRACE", 6) == 0 || strncmp(*e, "LD_PRELOAD", 10) == 0) {
			puts(*e);
		}
	}
}

int main(int argc, char **argv, char **envp)
{
	int status;
	pid_t pid;
	char *again[] = {argv[0], "spawned", NULL};

	show(environ);
	show(envp);
	fflush(stdout);
	contended_once();
	if (argc > 1) {
		return 4;
	}
	OK(posix_spawn(&pid, argv[0], NULL, NULL, again, environ));
	IS(waitpid(pid, &status, 0) == pid, 1);
	IS(status, 4 << 8);
	pid = fork();
	if (pid == 0) {
		contended_once();
		execv(argv[0], again);
	}
	IS(waitpid(pid, &status, 0) == pid, 1);
	IS(status, 4 << 8);
	return 0;
}
