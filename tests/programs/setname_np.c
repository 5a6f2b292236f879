/*
 * Description: threads get names, from themselves and from others; too long a name is refused.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;

/* A thread's name comes into the trace when it waits. */
static void wait_once(void)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
}

static void let_wait_once(void)
{
	AWAIT_ASLEEP_ON(&tid, &mutex);
	atomic_store(&tid, 0);
	OK(pthread_mutex_unlock(&mutex));
}

static void *worker(void *arg)
{
	char name[16];

	await(1);
	OK(pthread_getname_np(pthread_self(), name, sizeof name));
	puts(name);
	wait_once();
	reach(2);
	await(3);
	OK(pthread_setname_np(pthread_self(), "mine"));
	OK(pthread_getname_np(pthread_self(), name, sizeof name));
	puts(name);
	wait_once();
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_setname_np(pthread_self(), "the main one"));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, worker, NULL));
	IS(pthread_setname_np(thread, "much too long a name"), ERANGE);
	OK(pthread_setname_np(thread, "given"));
	reach(1);
	let_wait_once();
	await(2);
	OK(pthread_mutex_lock(&mutex));
	reach(3);
	let_wait_once();
	join_ended(thread);
	OK(pthread_setname_np(pthread_self(), ""));
	return 0;
}
