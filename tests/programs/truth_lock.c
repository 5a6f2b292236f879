/*
 * Description: a lock held 10 ms by holder while waiter waits, twenty times.
 *
 * Told on standard error, by their own clocks: how long waiter waited at most, all that its calls
 * took; and at least, while holder knew that it slept. truth compares.
 */
#include "scene.h"

enum { ROUNDS = 20 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;
static uint64_t least;
static uint64_t most;

static void waiter(void)
{
	uint64_t begin = clock_ns(CLOCK_MONOTONIC);

	OK(pthread_mutex_lock(&mutex));
	most += clock_ns(CLOCK_MONOTONIC) - begin;
	OK(pthread_mutex_unlock(&mutex));
}

static void *waiting_thread(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		await(2 * i + 1);
		tell_tid(&tid);
		waiter();
		reach(2 * i + 2);
	}
	return arg;
}

static void holder(int i)
{
	uint64_t begin;

	OK(pthread_mutex_lock(&mutex));
	reach(2 * i + 1);
	AWAIT_ASLEEP_ON(&tid, &mutex);
	begin = clock_ns(CLOCK_MONOTONIC);
	scene_pause(10000);
	least += clock_ns(CLOCK_MONOTONIC) - begin;
	OK(pthread_mutex_unlock(&mutex));
}

static void *holding_thread(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		await(2 * i);
		atomic_store(&tid, 0);
		holder(i);
	}
	/* Who has ended can no longer be named as the waker. */
	await(2 * ROUNDS);
	return arg;
}

int main(void)
{
	pthread_t threads[2];

	OK(pthread_create(&threads[0], NULL, holding_thread, NULL));
	OK(pthread_create(&threads[1], NULL, waiting_thread, NULL));
	join_ended(threads[0]);
	join_ended(threads[1]);
	dprintf(2, "waiting_thread least_ns %llu most_ns %llu\n", (unsigned long long)least,
		(unsigned long long)most);
	return 0;
}
