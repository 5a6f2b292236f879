/*
 * A library that counts what mutexes are locked and unlocked through it, and says so in the end.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

typedef int call(pthread_mutex_t *);

static atomic_long taken, given;

static call *real(const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);
	call *c;

	memcpy(&c, &symbol, sizeof c);
	return c;
}

int pthread_mutex_lock(pthread_mutex_t *m)
{
	int r = real("pthread_mutex_lock")(m);

	taken += r == 0;
	return r;
}

int pthread_mutex_trylock(pthread_mutex_t *m)
{
	int r = real("pthread_mutex_trylock")(m);

	taken += r == 0;
	return r;
}

int pthread_mutex_unlock(pthread_mutex_t *m)
{
	given++;
	return real("pthread_mutex_unlock")(m);
}

__attribute__((destructor)) static void say(void)
{
	printf("%ld taken, %ld given\n", (long)taken, (long)given);
}
