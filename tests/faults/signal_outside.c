/*
 * Description: another process ends it by SIGTERM, with threads inside read, poll and a lock.
 * Exit: SIGTERM
 * Ends: unseen
 * Expect: 1 wait in=wait_once by=holder
 */
#include "once.h"

#include <poll.h>
#include <sys/wait.h>

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static int fds[2];
static atomic_int inside;

static void *in_read(void *arg)
{
	char byte;

	atomic_fetch_add(&inside, 1);
	IS((int)read(fds[0], &byte, 1), 1);
	return arg;
}

static void *in_poll(void *arg)
{
	struct pollfd one = {.fd = fds[0], .events = POLLIN};

	atomic_fetch_add(&inside, 1);
	IS(poll(&one, 1, -1), 1);
	return arg;
}

static void *in_lock(void *arg)
{
	atomic_fetch_add(&inside, 1);
	OK(pthread_mutex_lock(&held));
	return arg;
}

int main(void)
{
	long pid = getpid();
	pthread_t thread;

	wait_once();
	OK(pipe(fds));
	OK(pthread_mutex_lock(&held));
	OK(pthread_create(&thread, NULL, in_read, NULL));
	OK(pthread_create(&thread, NULL, in_poll, NULL));
	OK(pthread_create(&thread, NULL, in_lock, NULL));
	await_at_least(&inside, 3);
	scene_pause(50000);
	/* No function of libc, so no process that is traced. */
	if (raw_syscall(SYS_fork, 0, 0, 0, 0) == 0) {
		raw_syscall(SYS_kill, pid, SIGTERM, 0, 0);
		raw_syscall(SYS_exit_group, 0, 0, 0, 0);
	}
	for (;;) {
		raw_syscall(SYS_pause, 0, 0, 0, 0);
	}
}
