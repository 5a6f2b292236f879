/*
 * Description: a wait two hundred calls deep, deeper than a trace may say.
 * Schedule: free
 * Expect: 1 wait in=deeper reason=mutex by=main
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;

static int deeper(int n)
{
	if (n == 0) {
		tell_tid(&tid);
		OK(pthread_mutex_lock(&mutex));
		OK(pthread_mutex_unlock(&mutex));
		return 0;
	}
	return deeper(n - 1) + 1;
}

static void *waiter(void *arg)
{
	printf("%d deep\n", deeper(200));
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	return 0;
}
