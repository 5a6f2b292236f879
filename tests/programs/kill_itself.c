/*
 * Description: a signal without a handler ends the process while threads wait.
 * Ends: unseen
 * Exit: SIGTERM
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

int main(void)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	puts("going");
	fflush(stdout);
	kill(getpid(), SIGTERM);
	for (;;) {
		pause();
	}
}
