/*
 * Four locks that are hot, each held for a moment; and one that a single function keeps for long:
 * rebuild_index, while three threads come to lookup. No luck in it: the slow function begins when
 * the others are about to come, and sleeps.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { READERS = 3, ROUNDS = 4, HOT = 4, TAKES = 200 };

static pthread_mutex_t hot[HOT], table = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t round_begins, round_ends;
static atomic_int taken;

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static __attribute__((noinline)) void quick(pthread_mutex_t *lock)
{
	pthread_mutex_lock(lock);
	atomic_fetch_add(&taken, 1);
	pthread_mutex_unlock(lock);
}

static __attribute__((noinline)) void lookup(void)
{
	pthread_mutex_lock(&table);
	atomic_fetch_add(&taken, 1);
	pthread_mutex_unlock(&table);
}

static __attribute__((noinline)) void rebuild_index(void)
{
	pthread_mutex_lock(&table);
	pthread_barrier_wait(&round_begins);
	pause_ms(60);
	pthread_mutex_unlock(&table);
}

static void *reader(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		for (int k = 0; k < TAKES; k++) {
			quick(&hot[k % HOT]);
		}
		pthread_barrier_wait(&round_begins);
		lookup();
		pthread_barrier_wait(&round_ends);
	}
	return arg;
}

static void *janitor(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		rebuild_index();
		pthread_barrier_wait(&round_ends);
	}
	return arg;
}

int main(void)
{
	pthread_t threads[READERS + 1];

	for (int i = 0; i < HOT; i++) {
		pthread_mutex_init(&hot[i], NULL);
	}
	pthread_barrier_init(&round_begins, NULL, READERS + 1);
	pthread_barrier_init(&round_ends, NULL, READERS + 1);
	for (int i = 0; i <= READERS; i++) {
		pthread_create(&threads[i], NULL, i < READERS ? reader : janitor, NULL);
	}
	for (int i = 0; i <= READERS; i++) {
		pthread_join(threads[i], NULL);
	}
	return 0;
}
