/*
 * Preloaded behind the library that is measured: notes when the real function begins and returns.
 */
#include "hooktime.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>
#include <x86intrin.h>

static __thread struct inside inside __attribute__((tls_model("initial-exec")));

struct inside *hooktime_inside(void)
{
	return &inside;
}

/* Of several real calls in one hook, from the first to the last: a lock is tried first. */
static struct switches begins(void)
{
	inside.begin = inside.begin ? inside.begin : __rdtsc();
	return switches_now();
}

static void returns(struct switches before)
{
	struct switches now = switches_now();

	inside.switches.waited += now.waited - before.waited;
	inside.switches.preempted += now.preempted - before.preempted;
	inside.end = __rdtsc();
}

static __typeof__(read) *real_read;
#define T(name, types, args) static __typeof__(name) *real_##name;
TIMED(T)
#undef T

__attribute__((constructor)) static void find(void)
{
#define T(name, types, args) *(void **)&real_##name = dlsym(RTLD_NEXT, #name);
	TIMED(T)
#undef T
	*(void **)&real_read = dlsym(RTLD_NEXT, "read");
	/* The default version; without one glibc gives the oldest. */
	*(void **)&real_pthread_cond_signal =
		dlvsym(RTLD_NEXT, "pthread_cond_signal", "GLIBC_2.3.2");
	*(void **)&real_pthread_cond_wait = dlvsym(RTLD_NEXT, "pthread_cond_wait", "GLIBC_2.3.2");
}

#define T(name, types, args)            \
	int name types                  \
	{                               \
		struct switches before; \
		int r;                  \
                                        \
		if (!real_##name) {     \
			find();         \
		}                       \
		before = begins();      \
		r = real_##name args;   \
		returns(before);        \
		return r;               \
	}
TIMED(T)
#undef T

ssize_t read(int fd, void *to, size_t n)
{
	struct switches before;
	ssize_t r;

	if (!real_read) {
		find();
	}
	before = begins();
	r = real_read(fd, to, n);
	returns(before);
	return r;
}
