/*
 * Description: an exec that fails: its errno comes through, and the program goes on untraced.
 * Schedule: free
 * Says: exec, which failed
 * Expect: 1 create of=before
 * Expect: 1 about what=12 value=1
 * Exit: 15
 */
#include "scene.h"

static void *before(void *arg)
{
	return arg;
}

static void *after(void *arg)
{
	puts("went on");
	return arg;
}

int main(void)
{
	char *const none[] = {NULL};
	pthread_t thread;

	OK(pthread_create(&thread, NULL, before, NULL));
	join_ended(thread);
	errno = 0;
	IS(execl("/nowhere/at/all", "x", NULL), -1);
	IS(errno, ENOENT);
	IS(execve("/", none, none), -1);
	IS(errno, EACCES);
	OK(pthread_create(&thread, NULL, after, NULL));
	join_ended(thread);
	return 15;
}
