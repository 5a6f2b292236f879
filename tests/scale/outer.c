/*
 * Preloaded before the library that is measured: how long each call was in that library, that is in
 * neither the program nor the real function; and whether its thread left the processor there, of
 * itself (it waited for somebody) or not. At the end one line of JSON per function goes to
 * HOOKTIME_OUT.
 */
#include "hooktime.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

/* Buckets of a quarter of a power of two up to 2^40 ticks. */
enum { STEPS = 4, BUCKETS = 40 * STEPS };

static struct timing {
	_Atomic uint64_t undisturbed[BUCKETS];
	_Atomic uint64_t calls;
	_Atomic uint64_t longest; /* of those that were not preempted */
	_Atomic uint64_t waited;  /* calls that left the processor of themselves, in the hook */
	_Atomic uint64_t waited_longest;
	_Atomic uint64_t preempted;
} timings[TIMED_END];

static uint64_t first_ticks;
static struct timespec first_time;

static unsigned bucket_of(uint64_t ticks)
{
	unsigned power = ticks < 4 ? 2 : 63u - (unsigned)__builtin_clzll(ticks);
	unsigned b = (power - 2) * STEPS + (unsigned)(ticks >> (power - 2) & 3);

	return b < BUCKETS ? b : BUCKETS - 1;
}

/* The upper end of a bucket. */
static uint64_t bucket_end(unsigned b)
{
	return (uint64_t)(4 + b % STEPS + 1) << (b / STEPS);
}

static void most(_Atomic uint64_t *at, uint64_t v)
{
	uint64_t old = *at;

	while (old < v && !atomic_compare_exchange_weak(at, &old, v)) {
	}
}

struct call {
	struct switches before;
	uint64_t begin;
};

static struct call comes(void)
{
	struct call c;

	*hooktime_inside() = (struct inside){0};
	c.before = switches_now();
	c.begin = __rdtsc();
	return c;
}

static void goes(enum timed what, struct call c)
{
	uint64_t end = __rdtsc();
	struct switches now = switches_now();
	const struct inside *in = hooktime_inside();
	uint64_t ticks = end - c.begin - (in->end - in->begin);
	struct timing *t = &timings[what];

	t->calls++;
	if (now.waited - c.before.waited > in->switches.waited) {
		t->waited++;
		most(&t->waited_longest, ticks);
	}
	if (now.preempted - c.before.preempted > in->switches.preempted) {
		t->preempted++;
	} else {
		t->undisturbed[bucket_of(ticks)]++;
		most(&t->longest, ticks);
	}
}

static __typeof__(read) *next_read;
#define T(name, types, args) static __typeof__(name) *next_##name;
TIMED(T)
#undef T

__attribute__((constructor)) static void find(void)
{
#define T(name, types, args) *(void **)&next_##name = dlsym(RTLD_NEXT, #name);
	TIMED(T)
#undef T
	*(void **)&next_read = dlsym(RTLD_NEXT, "read");
	*(void **)&next_pthread_cond_signal =
		dlvsym(RTLD_NEXT, "pthread_cond_signal", "GLIBC_2.3.2");
	*(void **)&next_pthread_cond_wait = dlvsym(RTLD_NEXT, "pthread_cond_wait", "GLIBC_2.3.2");
	first_ticks = __rdtsc();
	clock_gettime(CLOCK_MONOTONIC, &first_time);
}

#define T(name, types, args)            \
	int name types                  \
	{                               \
		struct call it;         \
		int r;                  \
                                        \
		if (!next_##name) {     \
			find();         \
		}                       \
		it = comes();           \
		r = next_##name args;   \
		goes(TIMED_##name, it); \
		return r;               \
	}
TIMED(T)
#undef T

ssize_t read(int fd, void *to, size_t n)
{
	struct call c;
	ssize_t r;

	if (!next_read) {
		find();
	}
	c = comes();
	r = next_read(fd, to, n);
	goes(TIMED_read, c);
	return r;
}

static double ns_per_tick(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ((double)(now.tv_sec - first_time.tv_sec) * 1e9 +
		(double)(now.tv_nsec - first_time.tv_nsec)) /
	       (double)(__rdtsc() - first_ticks);
}

static double part(const struct timing *t, uint64_t all, double share, double ns)
{
	uint64_t wanted = (uint64_t)((double)all * share);
	uint64_t seen = 0;

	for (unsigned b = 0; b < BUCKETS; b++) {
		seen += t->undisturbed[b];
		if (seen > wanted) {
			return (double)bucket_end(b) * ns;
		}
	}
	return (double)t->longest * ns;
}

__attribute__((destructor)) static void report(void)
{
	static const char *const names[] = {
#define T(name, types, args) #name,
		TIMED(T)
#undef T
			"read",
	};
	const char *path = getenv("HOOKTIME_OUT");
	FILE *file = path ? fopen(path, "w") : NULL;
	double ns = ns_per_tick();

	if (!file) {
		return;
	}
	for (unsigned i = 0; i < TIMED_END; i++) {
		const struct timing *t = &timings[i];
		uint64_t all = t->calls - t->preempted;

		fprintf(file,
			"{\"call\": \"%s\", \"calls\": %lu, \"p50\": %.0f, \"p99\": %.0f, "
			"\"p99.9\": %.0f, \"p99.99\": %.0f, \"longest\": %.0f, \"waited\": %lu, "
			"\"waited_longest\": %.0f, \"preempted\": %lu}\n",
			names[i], t->calls, part(t, all, 0.5, ns), part(t, all, 0.99, ns),
			part(t, all, 0.999, ns), part(t, all, 0.9999, ns), (double)t->longest * ns,
			t->waited, (double)t->waited_longest * ns, t->preempted);
	}
	fclose(file);
}
