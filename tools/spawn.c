/*
 * Starting a program and waiting for it: exec's semantics, exit status and signals kept.
 *
 * The command stays in our process group and on our terminal, as a shell's simple command would.
 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void exec_command(const struct gt_program *p, char *const *args, int report)
{
	size_t argc = 0;
	char **argv;
	int error;

	while (args[argc]) {
		argc++;
	}
	argv = calloc(argc + 3, sizeof(*argv));
	if (argv) {
		/* Room for two in front: env's NAME SCRIPT, or sh SCRIPT, in place of CMD. */
		memcpy(argv + 2, args + 1, argc * sizeof(*argv));
		if (*p->env_name) {
			argv[0] = (char *)(uintptr_t)p->env_name;
			argv[1] = (char *)(uintptr_t)p->env_script;
			execv(p->path, argv);
		} else {
			argv[1] = args[0];
			execv(p->path, argv + 1);
		}
		if (errno == ENOEXEC) { /* a script without "#!", as execvp does */
			argv[0] = (char *)(uintptr_t) "sh";
			argv[1] = (char *)(uintptr_t)p->path;
			execv("/bin/sh", argv);
		}
	}
	error = errno;
	if (write(report, &error, sizeof(error)) < 0) {
		_exit(126);
	}
	_exit(126);
}

/*
 * Waits, and hands on the signals that are meant for the command. Those of the terminal (sent by
 * the kernel, to the whole process group) it has got itself; those of kill(1) it has not.
 */
static int wait_forwarding(pid_t pid, const sigset_t *set)
{
	int status = 0;

	for (;;) {
		siginfo_t info;
		pid_t got = waitpid(pid, &status, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR)) {
			return status;
		}
		if (sigwaitinfo(set, &info) > 0 && info.si_signo != SIGCHLD && info.si_code <= 0 &&
		    info.si_pid != pid) {
			kill(pid, info.si_signo);
		}
	}
}

/* What is sent to us while a child of ours runs; and the news of its end. */
static void handed_on(sigset_t *set)
{
	static const int numbers[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,  SIGUSR1,
				      SIGUSR2, SIGALRM, SIGCHLD, SIGWINCH, SIGCONT};

	sigemptyset(set);
	for (size_t i = 0; i < GT_LEN(numbers); i++) {
		sigaddset(set, numbers[i]);
	}
}

int gt_spawn_wait(const struct gt_program *p, char *const *argv, pid_t *pid, int *failed)
{
	struct sigaction child = {.sa_handler = SIG_DFL};
	struct sigaction old_child;
	sigset_t set;
	sigset_t old;
	int report[2];
	int error = 0;
	int status;

	handed_on(&set);
	*failed = 2;
	if (pipe2(report, O_CLOEXEC) != 0) {
		fprintf(stderr, "gtrace run: pipe: %s\n", strerror(errno));
		return -1;
	}
	/* An ignored SIGCHLD would take the exit status away; the command inherits the old ways. */
	sigaction(SIGCHLD, &child, &old_child);
	sigprocmask(SIG_BLOCK, &set, &old);
	*pid = fork();
	if (*pid == 0) {
		sigaction(SIGCHLD, &old_child, NULL);
		sigprocmask(SIG_SETMASK, &old, NULL);
		exec_command(p, argv, report[1]);
	}
	close(report[1]);
	if (*pid < 0) {
		fprintf(stderr, "gtrace run: fork: %s\n", strerror(errno));
		close(report[0]);
		return -1;
	}
	if (read(report[0], &error, sizeof(error)) == (ssize_t)sizeof(error)) {
		fprintf(stderr, "gtrace run: %s: %s\n", p->path, strerror(error));
		*failed = error == ENOENT ? 127 : 126;
	}
	close(report[0]);
	status = wait_forwarding(*pid, &set);
	return error ? -1 : status;
}

int gt_spawn_call(void (*call)(void *), void *argument)
{
	sigset_t set;
	pid_t pid;

	handed_on(&set);
	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		call(argument);
		fflush(NULL);
		_exit(0);
	}
	return pid < 0 ? -1 : wait_forwarding(pid, &set);
}
