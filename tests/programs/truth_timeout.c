/*
 * Description: 5 ms waits that nobody ends, ten of each kind, beside a thread that unlocks a lot.
 */
#include "scene.h"

enum { ROUNDS = 10, MS = 5 };

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t elsewhere = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t nobody = PTHREAD_COND_INITIALIZER;
static pthread_t endless;

static void in_lock(void)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, MS);

	IS(pthread_mutex_timedlock(&held, &t), ETIMEDOUT);
}

static void in_cond(void)
{
	struct timespec t = deadline_in(CLOCK_MONOTONIC, MS);

	OK(pthread_mutex_lock(&own));
	IS(pthread_cond_clockwait(&cond, &own, CLOCK_MONOTONIC, &t), ETIMEDOUT);
	OK(pthread_mutex_unlock(&own));
}

static void in_join(void)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, MS);

	IS(pthread_timedjoin_np(endless, NULL, &t), ETIMEDOUT);
}

static void *timing_out(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		in_lock();
		in_cond();
		in_join();
	}
	reach(1);
	return arg;
}

static void *unlocking(void *arg)
{
	while (atomic_load(&scene_stage) == 0) {
		OK(pthread_mutex_lock(&elsewhere));
		OK(pthread_cond_signal(&nobody));
		OK(pthread_mutex_unlock(&elsewhere));
		scene_pause(100);
	}
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&held));
	OK(pthread_create(&endless, NULL, unlocking, NULL));
	OK(pthread_create(&thread, NULL, timing_out, NULL));
	join_ended(thread);
	join_ended(endless);
	return 0;
}
