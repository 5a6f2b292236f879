/*
 * A library that is preloaded beside the tracer's: its constructor locks, makes a thread that
 * waits, and its destructor does so again. Not a program; see preloaded_library.c.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tid;

static void *library_waiter(void *arg)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

static void contend(const char *when)
{
	pthread_t thread;

	atomic_store(&tid, 0);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_cond_broadcast(&cond));
	OK(pthread_create(&thread, NULL, library_waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_join(thread, NULL));
	dprintf(1, "library, %s main\n", when);
}

__attribute__((constructor)) static void before(void)
{
	contend("before");
}

__attribute__((destructor)) static void after(void)
{
	contend("after");
}
