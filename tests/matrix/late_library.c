/*
 * The plugin of late.c: threads, and all that must be found after the start.
 */
#include <semaphore.h>

#include "../programs/scene.h"

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static int ready;

static void *work(void *arg)
{
	IS(pthread_mutex_trylock(arg), EBUSY);
	OK(pthread_rwlock_rdlock(&rwlock));
	OK(pthread_rwlock_unlock(&rwlock));
	OK(sem_wait(&sem));
	OK(pthread_mutex_lock(&own));
	ready = 1;
	OK(pthread_cond_signal(&cond));
	OK(pthread_mutex_unlock(&own));
	return NULL;
}

int late_work(pthread_mutex_t *held)
{
	pthread_attr_t attr;
	pthread_t thread;

	OK(sem_init(&sem, 0, 0));
	OK(pthread_attr_init(&attr));
	OK(pthread_attr_setstacksize(&attr, 256 << 10));
	OK(pthread_create(&thread, &attr, work, held));
	OK(pthread_attr_destroy(&attr));
	OK(sem_post(&sem));
	OK(pthread_mutex_lock(&own));
	while (!ready) {
		OK(pthread_cond_wait(&cond, &own));
	}
	OK(pthread_mutex_unlock(&own));
	OK(pthread_join(thread, NULL));
	return 42;
}
