/*
 * Description: the joins of GNU: try (busy, then done), timed and clocked (too late, then in time).
 */
#include "scene.h"

static atomic_int tid;
static atomic_int started;

static void *until(void *arg)
{
	atomic_store(&started, 1);
	await((int)(intptr_t)arg);
	return arg;
}

static void *until_joiner_sleeps(void *arg)
{
	atomic_store(&started, 1);
	await_joining(&tid, pthread_self());
	return arg;
}

static pthread_t start(void *(*routine)(void *), intptr_t arg)
{
	pthread_t thread;

	atomic_store(&started, 0);
	OK(pthread_create(&thread, NULL, routine, (void *)arg));
	await_at_least(&started, 1);
	return thread;
}

static void try_join(void)
{
	pthread_t thread = start(until, 1);
	void *result;

	IS(pthread_tryjoin_np(thread, &result), EBUSY);
	reach(1);
	while (pthread_tryjoin_np(thread, &result) == EBUSY) {
		scene_pause(500);
	}
	IS((int)(intptr_t)result, 1);
}

static void timed_join(void)
{
	pthread_t thread = start(until, 2);
	struct timespec t = deadline_in(CLOCK_REALTIME, 20);

	IS(pthread_timedjoin_np(thread, NULL, &t), ETIMEDOUT);
	reach(2);
	join_ended(thread);
	thread = start(until_joiner_sleeps, 0);
	t = deadline_in(CLOCK_REALTIME, 100000);
	tell_tid(&tid);
	OK(pthread_timedjoin_np(thread, NULL, &t));
	atomic_store(&tid, 0);
}

static void clock_join(void)
{
	pthread_t thread = start(until, 3);
	struct timespec t = deadline_in(CLOCK_MONOTONIC, 20);

	IS(pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &t), ETIMEDOUT);
	reach(3);
	join_ended(thread);
	thread = start(until_joiner_sleeps, 0);
	t = deadline_in(CLOCK_MONOTONIC, 100000);
	tell_tid(&tid);
	OK(pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &t));
	atomic_store(&tid, 0);
}

int main(void)
{
	IS(pthread_join(pthread_self(), NULL), EDEADLK);
	try_join();
	timed_join();
	clock_join();
	puts("joined");
	return 0;
}
