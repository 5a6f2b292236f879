/*
 * Description: a mutex is no cancellation point: a cancelled waiter gets it, and goes on to one.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tid;
static int got;

static void *waiter(void *arg)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	got = 1;
	OK(pthread_cond_signal(&cond));
	OK(pthread_cond_broadcast(&cond));
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_setname_np(pthread_self(), "cancelled"));
	pthread_testcancel();
	got = 2;
	return arg;
}

int main(void)
{
	pthread_t thread;
	void *result;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_cancel(thread));
	OK(pthread_mutex_unlock(&mutex));
	while (pthread_tryjoin_np(thread, &result) == EBUSY) {
		scene_pause(500);
	}
	IS(result == PTHREAD_CANCELED, 1);
	IS(got, 1);
	puts("later");
	return 0;
}
