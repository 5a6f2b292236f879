/*
 * Description: _exit while another thread waits; no exit handler runs.
 * Exit: 6
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;

static void *waiter(void *arg)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	return arg;
}

static void never(void)
{
	dprintf(1, "never here\n");
}

int main(void)
{
	pthread_t thread;

	OK(atexit(never));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	_exit(6);
}
