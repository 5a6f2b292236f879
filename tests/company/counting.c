/*
 * A library that counts what locks are taken and given through it, and says so in the end.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static atomic_long taken, given, read_locks, write_locks, unlocks;

/* What the next library has under that name, counted where it succeeds. */
static int counted(atomic_long *count, const char *name, void *lock)
{
	void *symbol = dlsym(RTLD_NEXT, name);
	int (*real)(void *);
	int r;

	memcpy(&real, &symbol, sizeof real);
	r = real(lock);
	*count += r == 0;
	return r;
}

#define COUNTED(name, type, count)                   \
	int name(type *lock)                         \
	{                                            \
		return counted(&count, #name, lock); \
	}
COUNTED(pthread_mutex_lock, pthread_mutex_t, taken)
COUNTED(pthread_mutex_trylock, pthread_mutex_t, taken)
COUNTED(pthread_mutex_unlock, pthread_mutex_t, given)
COUNTED(pthread_rwlock_rdlock, pthread_rwlock_t, read_locks)
COUNTED(pthread_rwlock_tryrdlock, pthread_rwlock_t, read_locks)
COUNTED(pthread_rwlock_wrlock, pthread_rwlock_t, write_locks)
COUNTED(pthread_rwlock_trywrlock, pthread_rwlock_t, write_locks)
COUNTED(pthread_rwlock_unlock, pthread_rwlock_t, unlocks)

__attribute__((destructor)) static void say(void)
{
	printf("mutexes: %ld taken, %ld given\n", (long)taken, (long)given);
	printf("rwlocks: %ld to read, %ld to write, %ld unlocked\n", (long)read_locks,
	       (long)write_locks, (long)unlocks);
}
