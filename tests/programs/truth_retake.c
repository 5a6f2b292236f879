/*
 * Description: a signal is given 10 ms before the mutex that the wait takes back; ten times.
 *
 * signaller tells on standard error how long it kept the mutex by its own clock, at least, between
 * the two calls, and at most, with them. truth compares.
 */
#include "scene.h"

enum { ROUNDS = 10 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tid;
static int turn;
static uint64_t least;
static uint64_t most;

static void waiter(int i)
{
	OK(pthread_mutex_lock(&mutex));
	tell_tid(&tid);
	while (turn == i) {
		OK(pthread_cond_wait(&cond, &mutex));
	}
	OK(pthread_mutex_unlock(&mutex));
}

static void *waiting_thread(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		await(2 * i + 1);
		waiter(i);
		reach(2 * i + 2);
	}
	return arg;
}

static void signaller(int i)
{
	uint64_t begin;
	uint64_t signalled;

	AWAIT_ASLEEP_ON(&tid, &cond);
	OK(pthread_mutex_lock(&mutex));
	turn = i + 1;
	begin = clock_ns(CLOCK_MONOTONIC);
	OK(pthread_cond_signal(&cond));
	signalled = clock_ns(CLOCK_MONOTONIC);
	/* It was woken, and sleeps for the mutex. */
	AWAIT_ASLEEP_ON(&tid, &mutex);
	scene_pause(10000);
	least += clock_ns(CLOCK_MONOTONIC) - signalled;
	OK(pthread_mutex_unlock(&mutex));
	most += clock_ns(CLOCK_MONOTONIC) - begin;
}

static void *signalling_thread(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		await(2 * i);
		atomic_store(&tid, 0);
		reach(2 * i + 1);
		signaller(i);
	}
	/* Who has ended can no longer be named as the waker. */
	await(2 * ROUNDS);
	return arg;
}

int main(void)
{
	pthread_t threads[2];

	OK(pthread_create(&threads[0], NULL, waiting_thread, NULL));
	OK(pthread_create(&threads[1], NULL, signalling_thread, NULL));
	join_ended(threads[0]);
	join_ended(threads[1]);
	dprintf(2, "signaller least_ns %llu most_ns %llu\n", (unsigned long long)least,
		(unsigned long long)most);
	return 0;
}
