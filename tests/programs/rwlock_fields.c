/*
 * Description: a read-write lock looks as glibc leaves it, and whoever wants it comes to it.
 * Traces: 1
 * Schedule: free
 * Expect: 4 create of=hammer
 * Expect: 3 create of=writer
 * Expect: 1 about what=13 value=1
 * Expect: 1 about what=15 value=1
 */
#include "scene.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>

/* What glibc keeps in __readers (nptl/pthread_rwlock_common.c, since 2.25). */
enum { PHASE_WRITE = 1, WRITER = 2, ONE = 8, OVERFLOW = 0x7ffffff8, ROUNDS = 100000 };

static pthread_rwlock_t hammered = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t wanted = PTHREAD_RWLOCK_INITIALIZER;
static atomic_int waits;
static long counter, seen;
static volatile long first, second; /* a writer makes them differ for a while */

static void look(int preference)
{
	pthread_rwlock_t lock;
	pthread_rwlockattr_t a;
	unsigned *readers = &lock.__data.__readers;

	OK(pthread_rwlockattr_init(&a));
	OK(pthread_rwlockattr_setkind_np(&a, preference));
	OK(pthread_rwlock_init(&lock, &a));
	IS((int)*readers, 0);
	OK(pthread_rwlock_rdlock(&lock));
	IS((int)*readers, ONE);
	OK(pthread_rwlock_tryrdlock(&lock));
	IS((int)*readers, 2 * ONE);
	IS(pthread_rwlock_trywrlock(&lock), EBUSY);
	OK(pthread_rwlock_unlock(&lock));
	OK(pthread_rwlock_unlock(&lock));
	IS((int)*readers, 0);
	OK(pthread_rwlock_wrlock(&lock));
	IS((int)*readers, PHASE_WRITE | WRITER);
	IS(lock.__data.__cur_writer, (int)raw_syscall(SYS_gettid, 0, 0, 0, 0));
	IS(pthread_rwlock_tryrdlock(&lock), EBUSY);
	IS(pthread_rwlock_rdlock(&lock), EDEADLK);
	OK(pthread_rwlock_unlock(&lock));
	IS((int)*readers, PHASE_WRITE);
	IS(lock.__data.__cur_writer, 0);
	OK(pthread_rwlock_tryrdlock(&lock));
	IS((int)*readers, ONE);
	IS((int)lock.__data.__wrphase_futex, 0);
	OK(pthread_rwlock_unlock(&lock));
	/* As many readers as there can be. */
	*readers = OVERFLOW - ONE;
	OK(pthread_rwlock_rdlock(&lock));
	IS((int)*readers, OVERFLOW);
	IS(pthread_rwlock_rdlock(&lock), EAGAIN);
	IS(pthread_rwlock_tryrdlock(&lock), EAGAIN);
	IS((int)*readers, OVERFLOW);
	OK(pthread_rwlock_unlock(&lock));
	*readers = 0;
	OK(pthread_rwlock_destroy(&lock));
}

typedef int rwlock_call(pthread_rwlock_t *lock);

/* glibc's own, where no tracer sees it. */
static rwlock_call *libc(const char *name)
{
	rwlock_call *call;
	void *library = dlopen("libpthread.so.0", RTLD_NOW | RTLD_NOLOAD); /* before glibc 2.34 */
	void *symbol = dlsym(library ? library : dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD), name);

	memcpy(&call, &symbol, sizeof(call));
	return call;
}

/* A lock and an unlock to write leave the same as by glibc alone. */
static void write_alike(pthread_rwlock_t *lock, rwlock_call *take)
{
	pthread_rwlock_t other = *lock;

	OK(take(lock));
	OK(libc("pthread_rwlock_wrlock")(&other));
	IS(memcmp(lock, &other, sizeof(other)), 0);
	OK(pthread_rwlock_unlock(lock));
	OK(libc("pthread_rwlock_unlock")(&other));
	IS(memcmp(lock, &other, sizeof(other)), 0);
}

static void look_at_writers(int preference, int shared)
{
	pthread_rwlock_t lock;
	pthread_rwlockattr_t a;

	OK(pthread_rwlockattr_init(&a));
	OK(pthread_rwlockattr_setkind_np(&a, preference));
	OK(pthread_rwlockattr_setpshared(&a, shared));
	memset(&lock, 0, sizeof(lock));
	OK(pthread_rwlock_init(&lock, &a));
	write_alike(&lock, pthread_rwlock_wrlock);
	write_alike(&lock, pthread_rwlock_trywrlock);
	OK(pthread_rwlock_rdlock(&lock));
	IS(pthread_rwlock_trywrlock(&lock), EBUSY);
	OK(pthread_rwlock_unlock(&lock));
	write_alike(&lock, pthread_rwlock_trywrlock);
	OK(pthread_rwlock_wrlock(&lock));
	IS(pthread_rwlock_wrlock(&lock), EDEADLK);
	IS(pthread_rwlock_trywrlock(&lock), EBUSY);
	OK(pthread_rwlock_unlock(&lock));
	OK(pthread_rwlock_destroy(&lock));
}

static void *writer(void *arg)
{
	tell_tid(&waits);
	OK(libc("pthread_rwlock_wrlock")(&wanted));
	OK(pthread_rwlock_unlock(&wanted));
	return arg;
}

/* A writer that waits where no tracer sees it: the last reader lets it in. */
static void let_in(void)
{
	unsigned *readers = &wanted.__data.__readers;
	pthread_t thread;

	OK(pthread_rwlock_rdlock(&wanted));
	OK(pthread_rwlock_rdlock(&wanted));
	OK(pthread_create(&thread, NULL, writer, NULL));
	AWAIT_ASLEEP_ON(&waits, &wanted);
	OK(pthread_rwlock_unlock(&wanted));
	IS((int)__atomic_load_n(readers, __ATOMIC_RELAXED), ONE | WRITER);
	OK(pthread_rwlock_unlock(&wanted));
	OK(pthread_join(thread, NULL));
	IS((int)*readers, PHASE_WRITE);
}

/* A writer that sleeps in glibc's call is woken by who sets the lock free. */
static void wake_writer(int preference)
{
	pthread_rwlockattr_t a;
	pthread_t thread;

	OK(pthread_rwlockattr_init(&a));
	OK(pthread_rwlockattr_setkind_np(&a, preference));
	OK(pthread_rwlock_init(&wanted, &a));
	waits = 0;
	OK(pthread_rwlock_wrlock(&wanted));
	OK(pthread_create(&thread, NULL, writer, NULL));
	AWAIT_ASLEEP_ON(&waits, &wanted.__data.__writers_futex);
	IS((int)wanted.__data.__readers, PHASE_WRITE | WRITER);
	OK(pthread_rwlock_unlock(&wanted));
	OK(pthread_join(thread, NULL));
	IS((int)wanted.__data.__readers, PHASE_WRITE);
}

/* arg: by glibc's own functions, but for tries. */
/* Tries may leave a reader asleep for good, in glibc 2.25 to 2.29 (bug 23844; seen in 2.27). */
static bool tries_are_safe(void)
{
	unsigned minor = 0;

	IS(sscanf(gnu_get_libc_version(), "2.%u", &minor), 1);
	return minor < 25 || minor > 29;
}

static void *hammer(void *arg)
{
	const bool tries = tries_are_safe();
	rwlock_call *wrlock = arg ? libc("pthread_rwlock_wrlock") : pthread_rwlock_wrlock;
	rwlock_call *rdlock = arg ? libc("pthread_rwlock_rdlock") : pthread_rwlock_rdlock;
	rwlock_call *unlock = arg ? libc("pthread_rwlock_unlock") : pthread_rwlock_unlock;

	for (int i = 0; i < ROUNDS; i++) {
		if (i % 8 == 0 ||
		    (tries && i % 16 == 1 && pthread_rwlock_trywrlock(&hammered) == 0)) {
			if (i % 8 == 0) {
				OK(wrlock(&hammered));
				counter++;
			}
			first++;
			second++;
			OK(unlock(&hammered));
		} else {
			if (!tries || i % 8 > 3 || pthread_rwlock_tryrdlock(&hammered) != 0) {
				OK(rdlock(&hammered));
			}
			IS((int)(first - second), 0);
			__atomic_fetch_add(&seen, counter > 0, __ATOMIC_RELAXED);
			OK(unlock(&hammered));
		}
	}
	return arg;
}

int main(void)
{
	pthread_t thread[4];

	look(PTHREAD_RWLOCK_PREFER_READER_NP);
	look(PTHREAD_RWLOCK_PREFER_WRITER_NP);
	look(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	for (int shared = 0; shared < 2; shared++) {
		look_at_writers(PTHREAD_RWLOCK_PREFER_READER_NP, shared);
		look_at_writers(PTHREAD_RWLOCK_PREFER_WRITER_NP, shared);
		look_at_writers(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP, shared);
	}
	let_in();
	wake_writer(PTHREAD_RWLOCK_PREFER_READER_NP);
	wake_writer(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	for (int i = 0; i < 4; i++) {
		OK(pthread_create(&thread[i], NULL, hammer, i % 2 ? thread : NULL));
	}
	for (int i = 0; i < 4; i++) {
		OK(pthread_join(thread[i], NULL));
	}
	look(PTHREAD_RWLOCK_PREFER_READER_NP);
	printf("%ld %s\n", counter, seen > 0 ? "seen" : "not seen");
	return counter == 4L * ROUNDS / 8 ? 0 : 1;
}
