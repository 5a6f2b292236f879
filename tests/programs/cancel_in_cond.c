/*
 * Description: a thread is cancelled in a condition wait; its cleanup handler holds the mutex.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tid;

static void unlock(void *arg)
{
	/* Error-checking: it says so if the mutex is not ours. */
	OK(pthread_mutex_unlock(arg));
	puts("cleaned up");
}

static void *waiter(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	pthread_cleanup_push(unlock, &mutex);
	tell_tid(&tid);
	for (;;) {
		OK(pthread_cond_wait(&cond, &mutex));
	}
	pthread_cleanup_pop(0);
	return arg;
}

static void *timed_waiter(void *arg)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 100000);

	OK(pthread_mutex_lock(&mutex));
	pthread_cleanup_push(unlock, &mutex);
	tell_tid(&tid);
	for (;;) {
		OK(pthread_cond_timedwait(&cond, &mutex, &t));
	}
	pthread_cleanup_pop(0);
	return arg;
}

static void cancel(void *(*routine)(void *))
{
	pthread_t thread;
	void *result;

	atomic_store(&tid, 0);
	OK(pthread_create(&thread, NULL, routine, NULL));
	AWAIT_ASLEEP_ON(&tid, &cond);
	OK(pthread_cancel(thread));
	while (pthread_tryjoin_np(thread, &result) == EBUSY) {
		scene_pause(500);
	}
	IS(result == PTHREAD_CANCELED, 1);
}

int main(void)
{
	cancel(waiter);
	cancel(timed_waiter);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	return 0;
}
