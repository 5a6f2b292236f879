/*
 * Description: a signal is given 10 ms before the mutex that the wait takes back; ten times.
 *
 * signaller tells on standard error how long it kept the mutex by its own clock; truth compares.
 */
#include "scene.h"

enum { ROUNDS = 10 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tid;
static int turn;
static uint64_t kept;

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

	AWAIT_ASLEEP_ON(&tid, &cond);
	OK(pthread_mutex_lock(&mutex));
	turn = i + 1;
	begin = clock_ns(CLOCK_MONOTONIC);
	OK(pthread_cond_signal(&cond));
	scene_pause(10000);
	kept += clock_ns(CLOCK_MONOTONIC) - begin;
	OK(pthread_mutex_unlock(&mutex));
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
	dprintf(2, "signaller kept_ns %llu\n", (unsigned long long)kept);
	return 0;
}
