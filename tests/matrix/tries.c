/*
 * Behind the library, in front of the C library: how often a read-write lock is tried, said at the
 * end. No lock is glibc's own then, for whom the hook does it itself.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_int tries;

#define TRY(name)                                                          \
	int name(pthread_rwlock_t *l)                                      \
	{                                                                  \
		int (*real)(pthread_rwlock_t *) = dlsym(RTLD_NEXT, #name); \
                                                                           \
		atomic_fetch_add(&tries, 1);                               \
		return real(l);                                            \
	}
TRY(pthread_rwlock_tryrdlock)
TRY(pthread_rwlock_trywrlock)

__attribute__((destructor)) static void say(void)
{
	printf("tries: %d\n", atomic_load(&tries));
}
