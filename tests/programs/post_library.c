/*
 * A library that is preloaded beside the tracer's: where it is what the tracer's calls, a thread
 * that has just got a mutex by trylock finds it posted at once, as by another thread's unlock. Not
 * a program; see mutex_as_semaphore.c.
 */
#include "scene.h"

#include <dlfcn.h>

atomic_int posts_left;

int pthread_mutex_trylock(pthread_mutex_t *m)
{
	int (*trylock)(pthread_mutex_t *) = NULL;
	int (*unlock)(pthread_mutex_t *) = NULL;
	int r;

	*(void **)&trylock = dlsym(RTLD_NEXT, "pthread_mutex_trylock");
	*(void **)&unlock = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
	r = trylock(m);
	if (r == 0 && atomic_exchange(&posts_left, 0)) {
		OK(unlock(m));
	}
	return r;
}
