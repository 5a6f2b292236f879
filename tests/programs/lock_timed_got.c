/*
 * Description: a timed lock that waits and gets its mutex in time.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;

static void *patient(void *arg)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 100000);

	tell_tid(&tid);
	OK(pthread_mutex_timedlock(&mutex, &t));
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, patient, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	puts("got it");
	return 0;
}
