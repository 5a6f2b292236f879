/*
 * Description: each way to make a child and to wait for one.
 * Events: proc
 * Traces: 1+
 */
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "says.h"

extern char **environ;

static pid_t child(void)
{
	pid_t pid = (pid_t)raw_syscall(SYS_fork, 0, 0, 0, 0);

	if (pid == 0) {
		raw_syscall(SYS_exit_group, 3, 0, 0, 0);
	}
	return pid;
}

int main(void)
{
	char *const argv[] = {"true", NULL};
	struct rusage used;
	siginfo_t info;
	int status = 0;
	pid_t pid;
	FILE *f;

	SAY(wait(&status));
	child();
	SAY_SIGN(wait(&status));
	SAY(WEXITSTATUS(status));
	pid = child();
	SAY_SIGN(waitpid(pid, &status, 0));
	SAY(waitpid(pid, &status, 0));
	SAY(waitpid(-1, &status, -1));
	child();
	SAY_SIGN(wait3(&status, 0, &used));
	SAY(wait3(&status, WNOHANG, NULL));
	pid = child();
	SAY_SIGN(wait4(pid, &status, 0, &used));
	SAY(wait4(-1, NULL, 0, NULL));
	pid = child();
	SAY(waitid(P_PID, (id_t)pid, &info, WEXITED));
	SAY(waitid(P_ALL, 0, &info, WEXITED));
	pid = fork();
	if (pid == 0) {
		_exit(4);
	}
	SAY_SIGN(waitpid(pid, &status, 0));
	SAY(WEXITSTATUS(status));
	OK(unsetenv("LD_PRELOAD")); /* nothing that is started now is of interest */
	SAY(WEXITSTATUS(system("exit 5")));
	SAY(system(NULL));
	f = popen("echo said", "r");
	SAY(fgetc(f));
	SAY(pclose(f));
	SAY(popen("true", "no mode") == NULL);
	SAY(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ));
	SAY_SIGN(waitpid(pid, &status, 0));
	SAY(posix_spawn(&pid, "/no/such", NULL, NULL, argv, environ));
	SAY(posix_spawnp(&pid, "true", NULL, NULL, argv, environ));
	SAY_SIGN(waitpid(pid, &status, 0));
	return 0;
}
