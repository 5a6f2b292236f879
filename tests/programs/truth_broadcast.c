/*
 * Description: broadcaster ends the wait of eight waiters, five times.
 */
#include "scene.h"

enum { N = 8, ROUNDS = 5 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tids[N];
static atomic_int finished;
static int now;

static void waiter(int until)
{
	OK(pthread_mutex_lock(&mutex));
	while (now < until) {
		OK(pthread_cond_wait(&cond, &mutex));
	}
	OK(pthread_mutex_unlock(&mutex));
}

static void *waiting_thread(void *arg)
{
	for (int i = 1; i <= ROUNDS; i++) {
		tell_tid(arg);
		waiter(i);
		atomic_store((atomic_int *)arg, 0);
		atomic_fetch_add(&finished, 1);
		await(i);
	}
	return NULL;
}

static void broadcaster(void)
{
	OK(pthread_mutex_lock(&mutex));
	now++;
	OK(pthread_cond_broadcast(&cond));
	OK(pthread_mutex_unlock(&mutex));
}

int main(void)
{
	pthread_t threads[N];

	for (int i = 0; i < N; i++) {
		OK(pthread_create(&threads[i], NULL, waiting_thread, &tids[i]));
	}
	for (int round = 1; round <= ROUNDS; round++) {
		for (int i = 0; i < N; i++) {
			AWAIT_ASLEEP_ON(&tids[i], &cond);
		}
		broadcaster();
		await_at_least(&finished, N * round);
		reach(round);
	}
	for (int i = 0; i < N; i++) {
		join_ended(threads[i]);
	}
	return 0;
}
