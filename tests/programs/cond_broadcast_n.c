/*
 * Description: one broadcast wakes every waiter.
 * Schedule: free
 * Expect: 5 wait in=waiter reason=cond
 * Expect: 1+ wait in=waiter reason=cond by=main
 * Expect: 0 wait in=waiter reason=cond by=nobody
 */
#include "scene.h"

enum { N = 5 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tids[N];
static int go;
static atomic_int woken;

static void *waiter(void *arg)
{
	tell_tid(arg);
	OK(pthread_mutex_lock(&mutex));
	while (!go) {
		OK(pthread_cond_wait(&cond, &mutex));
	}
	OK(pthread_mutex_unlock(&mutex));
	/* Who has ended can no longer be named as the waker of the next. */
	atomic_fetch_add(&woken, 1);
	await_at_least(&woken, N);
	return NULL;
}

int main(void)
{
	pthread_t threads[N];

	for (int i = 0; i < N; i++) {
		OK(pthread_create(&threads[i], NULL, waiter, &tids[i]));
	}
	for (int i = 0; i < N; i++) {
		AWAIT_ASLEEP_ON(&tids[i], &cond);
	}
	OK(pthread_mutex_lock(&mutex));
	go = 1;
	OK(pthread_cond_broadcast(&cond));
	OK(pthread_mutex_unlock(&mutex));
	for (int i = 0; i < N; i++) {
		join_ended(threads[i]);
	}
	printf("%d woken\n", atomic_load(&woken));
	return 0;
}
