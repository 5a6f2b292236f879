/*
 * Description: four waiters at one semaphore, two posters that take turns, forty posts.
 *
 * A poster posts only while all waiters are asleep, so the longest one gets it.
 */
#include <semaphore.h>

#include "scene.h"

enum { N = 4, POSTS = 40 };

static sem_t sem;
static atomic_int tids[N];
static atomic_int taken;

static void waiter(atomic_int *tid)
{
	tell_tid(tid);
	OK(sem_wait(&sem));
	atomic_store(tid, 0);
}

static void *waiting_thread(void *arg)
{
	for (int i = 0; i < POSTS / N; i++) {
		waiter(arg);
		atomic_fetch_add(&taken, 1);
		/* Not again before the others had their turn: all are asleep at every round. */
		await_at_least(&taken, (i + 1) * N);
	}
	return arg;
}

static void post(void)
{
	OK(sem_post(&sem));
}

static void round_of(int i)
{
	for (int w = 0; w < N; w++) {
		AWAIT_ASLEEP_ON(&tids[w], &sem);
	}
	for (int w = 0; w < N; w++) {
		post();
		await_at_least(&taken, i * N + w + 1);
	}
}

static void *odd(void *arg)
{
	for (int i = 0; i < POSTS / N; i += 2) {
		await(i);
		round_of(i);
		reach(i + 1);
	}
	return arg;
}

static void *even(void *arg)
{
	for (int i = 1; i < POSTS / N; i += 2) {
		await(i);
		round_of(i);
		reach(i + 1);
	}
	return arg;
}

int main(void)
{
	pthread_t threads[N + 2];

	OK(sem_init(&sem, 0, 0));
	for (int w = 0; w < N; w++) {
		OK(pthread_create(&threads[w], NULL, waiting_thread, &tids[w]));
	}
	OK(pthread_create(&threads[N], NULL, odd, NULL));
	OK(pthread_create(&threads[N + 1], NULL, even, NULL));
	for (int i = 0; i < N + 2; i++) {
		join_ended(threads[i]);
	}
	return 0;
}
