/*
 * Description: abort while another thread waits; no core is left behind.
 * Exit: SIGABRT
 */
#include "scene.h"

#include <sys/resource.h>

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
	struct rlimit none = {0, 0};

	OK(setrlimit(RLIMIT_CORE, &none));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	abort();
}
