/*
 * Description: pthread_create that fails before, and after, the kernel has made the thread.
 */
#include "scene.h"

#include <sched.h>

static void *never(void *arg)
{
	puts("never here");
	return arg;
}

static void *once(void *arg)
{
	return arg;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	cpu_set_t cpus;

	/* No address space for such a stack. */
	OK(pthread_attr_init(&attr));
	OK(pthread_attr_setstacksize(&attr, (size_t)1 << 47));
	IS(pthread_create(&thread, &attr, never, NULL), EAGAIN);
	OK(pthread_attr_destroy(&attr));

	/* A processor that does not exist: noticed in the new thread, which ends before its start.
	 */
	CPU_ZERO(&cpus);
	CPU_SET(CPU_SETSIZE - 1, &cpus);
	OK(pthread_attr_init(&attr));
	OK(pthread_attr_setaffinity_np(&attr, sizeof cpus, &cpus));
	IS(pthread_create(&thread, &attr, never, NULL), EINVAL);
	OK(pthread_attr_destroy(&attr));

	OK(pthread_create(&thread, NULL, once, NULL));
	join_ended(thread);
	puts("failed twice");
	return 0;
}
