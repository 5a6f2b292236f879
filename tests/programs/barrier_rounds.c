/*
 * Description: two threads wait at a barrier for main, which comes last, three rounds long.
 */
#include "scene.h"

enum { ROUNDS = 3 };

static pthread_barrier_t barrier;
static atomic_int tids[2];
static atomic_int left;

static void *early(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		tell_tid(arg);
		OK(pthread_barrier_wait(&barrier));
		atomic_store((atomic_int *)arg, 0);
		atomic_fetch_add(&left, 1);
		await(i + 1);
	}
	return NULL;
}

static void last(void)
{
	IS(pthread_barrier_wait(&barrier), PTHREAD_BARRIER_SERIAL_THREAD);
}

int main(void)
{
	pthread_t threads[2];

	OK(pthread_barrier_init(&barrier, NULL, 3));
	OK(pthread_create(&threads[0], NULL, early, &tids[0]));
	OK(pthread_create(&threads[1], NULL, early, &tids[1]));
	for (int i = 0; i < ROUNDS; i++) {
		AWAIT_ASLEEP_ON(&tids[0], &barrier);
		AWAIT_ASLEEP_ON(&tids[1], &barrier);
		last();
		await_at_least(&left, 2 * (i + 1));
		reach(i + 1);
	}
	join_ended(threads[0]);
	join_ended(threads[1]);
	OK(pthread_barrier_destroy(&barrier));

	/* Alone nobody waits. */
	IS(pthread_barrier_init(&barrier, NULL, 0), EINVAL);
	OK(pthread_barrier_init(&barrier, NULL, 1));
	last();
	last();
	OK(pthread_barrier_destroy(&barrier));
	puts("together");
	return 0;
}
