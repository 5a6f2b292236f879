/*
 * Description: three threads at a barrier; each in its turn comes 10 ms after the others.
 *
 * Then a hundred rounds in which they come as they like. Told on standard error, by their own
 * clocks: how long each waited in the first part at most, all that its calls took; and at least,
 * while the last one knew that it slept.
 */
#include "scene.h"

enum { N = 3, ROUNDS = 12, FREE = 100 };

static pthread_barrier_t barrier;
static pthread_barrier_t crowd;
static atomic_int tids[N];
static atomic_int left;
static atomic_int serial;
static uint64_t least[N];
static uint64_t most[N];

static void arrives(int self)
{
	uint64_t begin = clock_ns(CLOCK_MONOTONIC);

	pthread_barrier_wait(&barrier);
	most[self] += clock_ns(CLOCK_MONOTONIC) - begin;
}

static void comes_last(void)
{
	IS(pthread_barrier_wait(&barrier), PTHREAD_BARRIER_SERIAL_THREAD);
}

static void in_the_crowd(void)
{
	if (pthread_barrier_wait(&crowd) == PTHREAD_BARRIER_SERIAL_THREAD) {
		atomic_fetch_add(&serial, 1);
	}
}

static void play(int self)
{
	for (int i = 0; i < ROUNDS; i++) {
		if (i % N == self) {
			uint64_t begin;
			uint64_t slept;

			for (int other = 0; other < N; other++) {
				if (other != self) {
					AWAIT_ASLEEP_ON(&tids[other], &barrier);
				}
			}
			begin = clock_ns(CLOCK_MONOTONIC);
			scene_pause(10000);
			slept = clock_ns(CLOCK_MONOTONIC) - begin;
			for (int other = 0; other < N; other++) {
				least[other] += other != self ? slept : 0;
			}
			comes_last();
		} else {
			tell_tid(&tids[self]);
			arrives(self);
			atomic_store(&tids[self], 0);
		}
		atomic_fetch_add(&left, 1);
		await_at_least(&left, N * (i + 1));
	}
	for (int i = 0; i < FREE; i++) {
		in_the_crowd();
	}
}

static void *first(void *arg)
{
	play(0);
	return arg;
}

static void *second(void *arg)
{
	play(1);
	return arg;
}

static void *third(void *arg)
{
	play(2);
	return arg;
}

int main(void)
{
	static void *(*const starts[N])(void *) = {first, second, third};
	static const char *const names[N] = {"first", "second", "third"};
	pthread_t threads[N];

	OK(pthread_barrier_init(&barrier, NULL, N));
	OK(pthread_barrier_init(&crowd, NULL, N));
	for (int i = 0; i < N; i++) {
		OK(pthread_create(&threads[i], NULL, starts[i], NULL));
	}
	for (int i = 0; i < N; i++) {
		join_ended(threads[i]);
		dprintf(2, "%s least_ns %llu most_ns %llu\n", names[i],
			(unsigned long long)least[i], (unsigned long long)most[i]);
	}
	IS(serial, FREE);
	return 0;
}
