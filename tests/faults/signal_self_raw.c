/*
 * Description: a thread ends the process by syscall(SYS_tgkill), and the trace is whole.
 * Exit: SIGTERM
 * Expect: 1 wait in=wait_once by=holder
 */
#include "once.h"

static void *last(void *arg)
{
	OK((int)syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGTERM));
	return arg;
}

int main(void)
{
	pthread_t thread;

	wait_once();
	OK(pthread_create(&thread, NULL, last, NULL));
	for (;;) {
		scene_pause(1000000);
	}
}
