/*
 * Description: an error-checking mutex says EDEADLK and EPERM, at once.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static atomic_int tid;

static void *other(void *arg)
{
	IS(pthread_mutex_unlock(&mutex), EPERM);
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	IS(pthread_mutex_lock(&mutex), EDEADLK);
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

int main(void)
{
	pthread_t thread;
	struct timespec t = deadline_in(CLOCK_REALTIME, 100000);

	IS(pthread_mutex_unlock(&mutex), EPERM);
	OK(pthread_mutex_lock(&mutex));
	IS(pthread_mutex_lock(&mutex), EDEADLK);
	IS(pthread_mutex_timedlock(&mutex, &t), EDEADLK);
	IS(pthread_mutex_trylock(&mutex), EBUSY);
	IS(pthread_mutex_destroy(&mutex), EBUSY);
	OK(pthread_create(&thread, NULL, other, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	OK(pthread_mutex_destroy(&mutex));
	puts("checked");
	return 0;
}
