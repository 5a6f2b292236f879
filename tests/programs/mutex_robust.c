/*
 * Description: the owner of a robust mutex ends; the waiter gets EOWNERDEAD and repairs it.
 */
#include "scene.h"

static pthread_mutex_t mutex;
static atomic_int tid;

static void *owner(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	reach(1);
	AWAIT_ASLEEP_ON(&tid, &mutex);
	return arg;
}

static void *heir(void *arg)
{
	await(1);
	tell_tid(&tid);
	IS(pthread_mutex_lock(&mutex), EOWNERDEAD);
	OK(pthread_mutex_consistent(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

static void *careless(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	return arg;
}

static void run(void *(*routine)(void *))
{
	pthread_t thread;

	OK(pthread_create(&thread, NULL, routine, NULL));
	join_ended(thread);
}

int main(void)
{
	pthread_mutexattr_t attr;
	pthread_t a;
	pthread_t b;

	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	OK(pthread_mutex_init(&mutex, &attr));
	OK(pthread_create(&a, NULL, owner, NULL));
	OK(pthread_create(&b, NULL, heir, NULL));
	join_ended(a);
	join_ended(b);

	/* Not repaired: nobody can ever have it again. */
	run(careless);
	IS(pthread_mutex_trylock(&mutex), EOWNERDEAD);
	OK(pthread_mutex_unlock(&mutex));
	/* Ever: a trylock in place of the lock would, in glibc, leave the mutex locked for good. */
	IS(pthread_mutex_lock(&mutex), ENOTRECOVERABLE);
	IS(pthread_mutex_lock(&mutex), ENOTRECOVERABLE);
	OK(pthread_mutex_destroy(&mutex));
	puts("repaired once, lost once");
	return 0;
}
