/*
 * Description: a writer holds a rwlock 10 ms while readers wait; the last reader lets a writer in.
 *
 * Told on standard error, by their own clocks: how long the writer waited at most, all that its
 * calls took; and at least, from when it was seen asleep until the last reader left. truth
 * compares.
 */
#include "scene.h"

enum { ROUNDS = 10, READERS = 3 };

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t second = PTHREAD_RWLOCK_INITIALIZER;
static atomic_int tids[READERS];
static atomic_int writer_tid;
static atomic_int have_read;
static uint64_t writer_sleeps; /* since then; the lock hands it on */
static uint64_t least;
static uint64_t most;

static void reader(void)
{
	OK(pthread_rwlock_rdlock(&lock));
}

/* Each of them has both locks for reading, the second one until its turn comes to leave. */
static void *reading_thread(void *arg)
{
	int self = (int)((atomic_int *)arg - tids);

	for (int i = 0; i < ROUNDS; i++) {
		await(3 * i + 1);
		OK(pthread_rwlock_rdlock(&second));
		tell_tid(arg);
		reader();
		OK(pthread_rwlock_unlock(&lock));
		atomic_store((atomic_int *)arg, 0);
		AWAIT_ASLEEP_ON(&writer_tid, &second);
		await_at_least(&have_read, READERS * i + self);
		if (self == READERS - 1) {
			least += clock_ns(CLOCK_MONOTONIC) - writer_sleeps;
		}
		OK(pthread_rwlock_unlock(&second));
		atomic_fetch_add(&have_read, 1);
		await(3 * i + 3);
	}
	return arg;
}

static void writer(void)
{
	uint64_t begin = clock_ns(CLOCK_MONOTONIC);

	OK(pthread_rwlock_wrlock(&second));
	most += clock_ns(CLOCK_MONOTONIC) - begin;
	OK(pthread_rwlock_unlock(&second));
}

static void *writing_thread(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		await(3 * i + 2);
		tell_tid(&writer_tid);
		writer();
		atomic_store(&writer_tid, 0);
		await_at_least(&have_read, READERS * (i + 1));
		reach(3 * i + 3);
	}
	return arg;
}

static void holder(int i)
{
	OK(pthread_rwlock_wrlock(&lock));
	reach(3 * i + 1);
	for (int r = 0; r < READERS; r++) {
		AWAIT_ASLEEP_ON(&tids[r], &lock);
	}
	reach(3 * i + 2);
	AWAIT_ASLEEP_ON(&writer_tid, &second);
	writer_sleeps = clock_ns(CLOCK_MONOTONIC);
	scene_pause(10000);
	OK(pthread_rwlock_unlock(&lock));
}

static void *holding_thread(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		holder(i);
		await(3 * i + 3);
	}
	return arg;
}

int main(void)
{
	pthread_t threads[READERS + 2];

	for (int r = 0; r < READERS; r++) {
		OK(pthread_create(&threads[r], NULL, reading_thread, &tids[r]));
	}
	OK(pthread_create(&threads[READERS], NULL, writing_thread, NULL));
	OK(pthread_create(&threads[READERS + 1], NULL, holding_thread, NULL));
	for (int i = 0; i < READERS + 2; i++) {
		join_ended(threads[i]);
	}
	dprintf(2, "writing_thread least_ns %llu most_ns %llu\n", (unsigned long long)least,
		(unsigned long long)most);
	return 0;
}
