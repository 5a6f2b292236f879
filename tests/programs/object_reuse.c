/*
 * Description: a mutex and a condition variable at one address, one life after the other.
 */
#include "scene.h"

static union {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
} object;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;
static int ready;

static void *locker(void *arg)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&object.mutex));
	OK(pthread_mutex_unlock(&object.mutex));
	return arg;
}

static void *waiter(void *arg)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&guard));
	while (!ready) {
		OK(pthread_cond_wait(&object.cond, &guard));
	}
	OK(pthread_mutex_unlock(&guard));
	return arg;
}

int main(void)
{
	pthread_t thread;

	for (int round = 0; round < 2; round++) {
		OK(pthread_mutex_init(&object.mutex, NULL));
		OK(pthread_mutex_lock(&object.mutex));
		atomic_store(&tid, 0);
		OK(pthread_create(&thread, NULL, locker, NULL));
		AWAIT_ASLEEP_ON(&tid, &object.mutex);
		OK(pthread_mutex_unlock(&object.mutex));
		join_ended(thread);
		OK(pthread_mutex_destroy(&object.mutex));

		OK(pthread_cond_init(&object.cond, NULL));
		ready = 0;
		atomic_store(&tid, 0);
		OK(pthread_create(&thread, NULL, waiter, NULL));
		AWAIT_ASLEEP_ON(&tid, &object.cond);
		OK(pthread_mutex_lock(&guard));
		ready = 1;
		OK(pthread_cond_signal(&object.cond));
		OK(pthread_mutex_unlock(&guard));
		join_ended(thread);
		OK(pthread_cond_destroy(&object.cond));
	}
	puts("two lives each");
	return 0;
}
