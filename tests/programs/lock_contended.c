/*
 * Description: A holds a mutex, B waits for it and gets it.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid_b;

static void *thread_b(void *arg)
{
	await(1);
	tell_tid(&tid_b);
	OK(pthread_mutex_lock(&mutex));
	puts("B has it");
	OK(pthread_mutex_unlock(&mutex));
	reach(2);
	return arg;
}

static void *thread_a(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	reach(1);
	AWAIT_ASLEEP_ON(&tid_b, &mutex);
	puts("A had it");
	OK(pthread_mutex_unlock(&mutex));
	/* Who has ended can no longer be named as the waker. */
	await(2);
	return arg;
}

int main(void)
{
	pthread_t a;
	pthread_t b;

	OK(pthread_create(&a, NULL, thread_a, NULL));
	OK(pthread_create(&b, NULL, thread_b, NULL));
	join_ended(a);
	join_ended(b);
	return 0;
}
