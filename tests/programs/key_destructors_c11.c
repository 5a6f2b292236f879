/*
 * Description: the destructor of a key of C11 waits in the second round of destructors.
 * Schedule: free
 * Expect: 1 create
 * Expect: 1 destroy
 * Expect: 1 wait in=destroy reason=mutex by=main
 */
#include "scene.h"

#include <threads.h>

static tss_t key;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;
static int rounds;

static void destroy(void *value)
{
	if (++rounds == 1) {
		IS(tss_set(key, value), thrd_success);
		return;
	}
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
}

static void *worker(void *arg)
{
	IS(tss_set(key, &rounds), thrd_success);
	return arg;
}

int main(void)
{
	pthread_t thread;

	IS(tss_create(&key, destroy), thrd_success);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, worker, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_join(thread, NULL));
	printf("%d rounds\n", rounds);
	return 0;
}
