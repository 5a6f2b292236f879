/*
 * Description: destructors of thread-specific data lock, wait and signal when their thread is over.
 * Schedule: free
 * Expect: 1 create
 * Expect: 1 destroy
 */
#include "scene.h"

static pthread_key_t key;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tid;
static int rounds;

static void destroy(void *value)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_cond_broadcast(&cond));
	rounds++;
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_setname_np(pthread_self(), "leaving"));
	/* glibc makes four rounds; the last one is after everybody else's. */
	OK(pthread_setspecific(key, value));
}

static void *worker(void *arg)
{
	OK(pthread_setspecific(key, &rounds));
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_key_create(&key, destroy));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, worker, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_join(thread, NULL));
	printf("%d rounds\n", rounds);
	return 0;
}
