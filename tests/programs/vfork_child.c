/*
 * Description: children of vfork live in the memory of their parent, and leave no mark in its
 *              trace, whatever they call and however they end.
 * Events: sync,net,sleep,io,file,proc,ipc,misc
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include "scene.h"

extern char **environ;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int s[2];

/* On the stack of the child there is nothing that its parent has left there. */
static void busy_child(void)
{
	const struct timespec soon = {.tv_nsec = 1000000};
	char byte;
	int fd = open("/dev/zero", O_RDONLY);

	OK(read(fd, &byte, 1) != 1);
	OK(dup2(fd, s[0]) != s[0]); /* the parent's is a socket still */
	OK(close(s[1]));
	OK(close(fd));
	OK(nanosleep(&soon, NULL));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	OK(close(-1) != -1);
}

static int ending(pid_t pid)
{
	int status = -1;

	OK(waitpid(pid, &status, 0) != pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void ends_by_exit(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		busy_child();
		_exit(7);
	}
	IS(ending(pid), 7);
}

static void ends_by_exec(char *me)
{
	char *const argv[] = {me, "executed", NULL};
	char *const nothing[] = {NULL};
	pid_t pid = vfork();

	if (pid == 0) {
		busy_child();
		execve(me, argv, nothing);
		_exit(99);
	}
	IS(ending(pid), 5);
}

static void exec_fails(void)
{
	char *const argv[] = {"nothing", NULL};
	pid_t pid = vfork();

	if (pid == 0) {
		execve("/no/such/program", argv, environ);
		_exit(6);
	}
	IS(ending(pid), 6);
}

/* In the middle of a call of its own. */
static void ends_killed(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		busy_child();
		raw_syscall(SYS_kill, raw_syscall(SYS_getpid, 0, 0, 0, 0), SIGKILL, 0, 0);
		_exit(99);
	}
	IS(ending(pid), -SIGKILL);
}

static void within_another(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		pid_t inner = vfork();

		if (inner == 0) {
			busy_child();
			_exit(3);
		}
		IS(ending(inner), 3);
		OK(close(-1) != -1);
		_exit(4);
	}
	IS(ending(pid), 4);
}

static void *in_a_thread(void *unused)
{
	ends_by_exit();
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char byte;

	if (argc > 1) {
		return 5;
	}
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	ends_by_exit();
	ends_by_exec(argv[0]);
	exec_fails();
	ends_killed();
	within_another();
	OK(pthread_create(&thread, NULL, in_a_thread, NULL));
	join_ended(thread);
	OK(write(s[0], "x", 1) != 1);
	OK(read(s[1], &byte, 1) != 1);
	return 0;
}
