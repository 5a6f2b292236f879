/*
 * Description: a thread is cancelled in the routine; one that waited for it runs it, and waits in
 * it.
 */
#include "scene.h"

static pthread_once_t control = PTHREAD_ONCE_INIT;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;
static int runs;

/* Deep enough that the text of the trace ends before libc's frames, which are not everywhere. */
static void waits(void)
{
	reach(2);
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
}

static void second_run(void)
{
	waits();
}

static void works(void)
{
	second_run();
}

static void routine(void)
{
	if (runs++ == 0) {
		reach(1);
		for (;;) {
			pthread_testcancel();
			scene_pause(200);
		}
	}
	works();
}

static void *cancelled(void *arg)
{
	OK(pthread_once(&control, routine));
	return arg;
}

static void *next(void *arg)
{
	tell_tid(&tid);
	OK(pthread_once(&control, routine));
	reach(3);
	return arg;
}

int main(void)
{
	pthread_t a;
	pthread_t b;
	void *result;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&a, NULL, cancelled, NULL));
	await(1);
	OK(pthread_create(&b, NULL, next, NULL));
	AWAIT_ASLEEP_ON(&tid, &control);
	atomic_store(&tid, 0);
	OK(pthread_cancel(a));
	while (pthread_tryjoin_np(a, &result) == EBUSY) {
		scene_pause(500);
	}
	IS(result == PTHREAD_CANCELED, 1);
	await(2);
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	await(3);
	join_ended(b);
	IS(runs, 2);
	puts("the second");
	return 0;
}
