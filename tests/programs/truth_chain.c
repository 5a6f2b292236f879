/*
 * Description: main wakes first, first wakes second, second wakes third; each in a known function.
 */
#include "scene.h"

enum { N = 3 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t conds[N] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER,
				  PTHREAD_COND_INITIALIZER};
static atomic_int tids[N];
static int woken[N];

static void wait_for_turn(int me)
{
	OK(pthread_mutex_lock(&mutex));
	tell_tid(&tids[me]);
	while (!woken[me]) {
		OK(pthread_cond_wait(&conds[me], &mutex));
	}
	OK(pthread_mutex_unlock(&mutex));
}

static void wake(int whom)
{
	OK(pthread_mutex_lock(&mutex));
	woken[whom] = 1;
	OK(pthread_cond_signal(&conds[whom]));
	OK(pthread_mutex_unlock(&mutex));
}

static void main_wakes_first(void)
{
	wake(0);
}

static void first_wakes_second(void)
{
	wake(1);
}

static void second_wakes_third(void)
{
	wake(2);
}

static void *first(void *arg)
{
	wait_for_turn(0);
	scene_pause(2000);
	first_wakes_second();
	await(1); /* who has ended can no longer be named as the waker */
	return arg;
}

static void *second(void *arg)
{
	wait_for_turn(1);
	scene_pause(2000);
	second_wakes_third();
	await(1);
	return arg;
}

static void *third(void *arg)
{
	wait_for_turn(2);
	reach(1);
	return arg;
}

int main(void)
{
	void *(*const routines[N])(void *) = {first, second, third};
	pthread_t threads[N];

	for (int i = 0; i < N; i++) {
		OK(pthread_create(&threads[i], NULL, routines[i], NULL));
		AWAIT_ASLEEP_ON(&tids[i], &conds[i]);
	}
	scene_pause(2000);
	main_wakes_first();
	for (int i = 0; i < N; i++) {
		join_ended(threads[i]);
	}
	return 0;
}
