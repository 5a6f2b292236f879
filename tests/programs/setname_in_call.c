/*
 * Description: a thread that waits in calls alone, never for a lock, has the name that it was given.
 * Events: sync,io
 */
#include "scene.h"

static atomic_int tid;
static int fds[2];

static void *reader(void *arg)
{
	char byte;

	tell_tid(&tid);
	IS((int)read(fds[0], &byte, 1), 1);
	reach(1);
	/* Its end would tell the name, too. */
	for (;;) {
		scene_pause(1000000);
	}
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pipe(fds));
	OK(pthread_create(&thread, NULL, reader, NULL));
	await_call(&tid, SYS_read);
	OK(pthread_setname_np(thread, "reader"));
	/* So that the call is not a short one. */
	scene_pause(1000);
	raw_syscall(SYS_write, fds[1], (long)"", 1, 0);
	await(1);
	return 0;
}
