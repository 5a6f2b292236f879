/*
 * Description: quick_exit runs its own handlers, which lock, and not those of exit.
 * Schedule: free
 * Expect: 1 create
 * Expect: 0-1 destroy
 * Exit: 7
 */
#include "waiter.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void handler(void)
{
	OK(pthread_mutex_unlock(&mutex));
	dprintf(1, "quickly\n");
}

static void never(void)
{
	dprintf(1, "never here\n");
}

int main(void)
{
	pthread_t thread;

	OK(atexit(never));
	OK(at_quick_exit(handler));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, &mutex));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_detach(thread));
	quick_exit(7);
}
