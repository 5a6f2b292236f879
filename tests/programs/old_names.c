/*
 * Description: the old names of mutexes, rwlocks and once, bound by a program from before 2021.
 */
#include "scene.h"

#define OLD(name) __asm__(".symver old_" #name ", __pthread_" #name "@GLIBC_2.2.5")
OLD(mutex_init);
OLD(mutex_destroy);
OLD(mutex_lock);
OLD(mutex_trylock);
OLD(mutex_unlock);
OLD(rwlock_init);
OLD(rwlock_destroy);
OLD(rwlock_rdlock);
OLD(rwlock_wrlock);
OLD(rwlock_tryrdlock);
OLD(rwlock_trywrlock);
OLD(rwlock_unlock);
OLD(once);
__typeof__(pthread_mutex_init) old_mutex_init;
__typeof__(pthread_mutex_destroy) old_mutex_destroy;
__typeof__(pthread_mutex_lock) old_mutex_lock;
__typeof__(pthread_mutex_trylock) old_mutex_trylock;
__typeof__(pthread_mutex_unlock) old_mutex_unlock;
__typeof__(pthread_rwlock_init) old_rwlock_init;
__typeof__(pthread_rwlock_destroy) old_rwlock_destroy;
__typeof__(pthread_rwlock_rdlock) old_rwlock_rdlock;
__typeof__(pthread_rwlock_wrlock) old_rwlock_wrlock;
__typeof__(pthread_rwlock_tryrdlock) old_rwlock_tryrdlock;
__typeof__(pthread_rwlock_trywrlock) old_rwlock_trywrlock;
__typeof__(pthread_rwlock_unlock) old_rwlock_unlock;
__typeof__(pthread_once) old_once;

static pthread_mutex_t mutex;
static pthread_rwlock_t rwlock;
static pthread_once_t control = PTHREAD_ONCE_INIT;
static atomic_int tid;
static int runs;

static void routine(void)
{
	runs++;
}

static void *waiter(void *arg)
{
	IS(old_mutex_trylock(&mutex), EBUSY);
	tell_tid(&tid);
	OK(old_mutex_lock(&mutex));
	OK(old_mutex_unlock(&mutex));
	reach(1);
	await(2);
	IS(old_rwlock_tryrdlock(&rwlock), EBUSY);
	IS(old_rwlock_trywrlock(&rwlock), EBUSY);
	tell_tid(&tid);
	OK(old_rwlock_rdlock(&rwlock));
	OK(old_rwlock_unlock(&rwlock));
	reach(3);
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(old_mutex_init(&mutex, NULL));
	OK(old_rwlock_init(&rwlock, NULL));
	OK(old_mutex_lock(&mutex));
	OK(old_rwlock_wrlock(&rwlock));
	OK(old_once(&control, routine));
	OK(old_once(&control, routine));
	IS(runs, 1);
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(old_mutex_unlock(&mutex));
	await(1);
	atomic_store(&tid, 0);
	reach(2);
	AWAIT_ASLEEP_ON(&tid, &rwlock);
	OK(old_rwlock_unlock(&rwlock));
	await(3);
	join_ended(thread);
	OK(old_rwlock_destroy(&rwlock));
	OK(old_mutex_destroy(&mutex));
	puts("old names");
	return 0;
}
