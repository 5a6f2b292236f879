/*
 * Description: another process ends it by SIGTERM, with threads inside read, poll and a lock.
 * Exit: SIGTERM
 * Ends: unseen
 * Expect: 1 wait in=wait_once by=holder
 */
#include "in_calls.h"

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void *in_lock(void *arg)
{
	atomic_fetch_add(&in_calls_now, 1);
	OK(pthread_mutex_lock(&held));
	return arg;
}

int main(void)
{
	void *(*const starts[])(void *) = {in_read, in_poll, in_lock};
	long pid = getpid();

	wait_once();
	OK(pthread_mutex_lock(&held));
	in_calls_start(starts, 3);
	/* No function of libc, so no process that is traced. */
	if (raw_syscall(SYS_fork, 0, 0, 0, 0) == 0) {
		raw_syscall(SYS_kill, pid, SIGTERM, 0, 0);
		raw_syscall(SYS_exit_group, 0, 0, 0, 0);
	}
	for (;;) {
		raw_syscall(SYS_pause, 0, 0, 0, 0);
	}
}
