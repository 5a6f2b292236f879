/*
 * Description: threads, mutexes and condition variables of C11, which reach no pthread function.
 */
#include <threads.h>

#include "scene.h"

static mtx_t mutex;
static cnd_t cond;
static atomic_int tid;
static atomic_int main_tid;
static int ready;

static void locks(void)
{
	IS(mtx_trylock(&mutex), thrd_busy);
	tell_tid(&tid);
	IS(mtx_lock(&mutex), thrd_success);
}

static void waits(void)
{
	tell_tid(&tid);
	while (!ready) {
		IS(cnd_wait(&cond, &mutex), thrd_success);
	}
	tell_tid(&tid);
	while (ready < 2) {
		IS(cnd_wait(&cond, &mutex), thrd_success);
	}
}

static int c11_thread(void *arg)
{
	locks();
	atomic_store(&tid, 0);
	waits();
	IS(mtx_unlock(&mutex), thrd_success);
	reach(1);
	await(2);
	return *(int *)arg;
}

static void unlocks(void)
{
	AWAIT_ASLEEP_ON(&tid, &mutex);
	IS(mtx_unlock(&mutex), thrd_success);
}

static void signals(void)
{
	AWAIT_ASLEEP_ON(&tid, &cond);
	atomic_store(&tid, 0);
	IS(mtx_lock(&mutex), thrd_success);
	if (ready++) {
		IS(cnd_broadcast(&cond), thrd_success);
	} else {
		IS(cnd_signal(&cond), thrd_success);
	}
	IS(mtx_unlock(&mutex), thrd_success);
}

/* So that main is in its join before the thread ends. */
static void *releases(void *joined)
{
	await_joining(&main_tid, *(thrd_t *)joined);
	reach(2);
	return NULL;
}

static void joins(thrd_t thread)
{
	int result = 0;

	IS(thrd_join(thread, &result), thrd_success);
	IS(result, 42);
}

int main(void)
{
	pthread_t releasing;
	thrd_t thread;
	int value = 42;

	IS(mtx_init(&mutex, mtx_plain), thrd_success);
	IS(cnd_init(&cond), thrd_success);
	IS(mtx_lock(&mutex), thrd_success);
	IS(thrd_create(&thread, c11_thread, &value), thrd_success);
	unlocks();
	signals();
	signals();
	await(1);
	OK(pthread_create(&releasing, NULL, releases, &thread));
	tell_tid(&main_tid);
	joins(thread);
	join_ended(releasing);
	cnd_destroy(&cond);
	mtx_destroy(&mutex);
	puts("C11");
	return 0;
}
