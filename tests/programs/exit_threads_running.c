/*
 * Description: main calls exit while threads wait for a mutex, for a condition, and compute.
 * Exit: 3
 */
#include "scene.h"

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tids[2];

static void *in_lock(void *arg)
{
	tell_tid(&tids[0]);
	OK(pthread_mutex_lock(&held));
	return arg;
}

static void *in_cond(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	tell_tid(&tids[1]);
	for (;;) {
		OK(pthread_cond_wait(&cond, &mutex));
	}
	return arg;
}

static void *computing(void *arg)
{
	reach(1);
	for (volatile long i = 0;; i++) {
	}
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&held));
	OK(pthread_create(&thread, NULL, in_lock, NULL));
	AWAIT_ASLEEP_ON(&tids[0], &held);
	OK(pthread_create(&thread, NULL, in_cond, NULL));
	AWAIT_ASLEEP_ON(&tids[1], &cond);
	OK(pthread_create(&thread, NULL, computing, NULL));
	await(1);
	puts("leaving");
	exit(3);
}
