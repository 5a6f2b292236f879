/*
 * The stage on which the traced programs play: checks, and an order of events that does not depend
 * on luck. For the programs of this folder only; it knows nothing of gtrace.
 *
 * Waiting here enters the kernel by its own instruction, not through functions that a tracer may
 * hook, so that the direction of a play never shows in its trace.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
#include <atomic>
using std::atomic_int;
using std::atomic_load;
using std::atomic_store;
#else
#include <stdatomic.h>
#endif

/* The call stands in its caller's frame, so that stacks show the play and not the stage. */
#define OK(call)       scene_is((call), 0, #call, __FILE__, __LINE__)
#define IS(call, want) scene_is((call), (want), #call, __FILE__, __LINE__)
#define UNUSED         __attribute__((unused))

UNUSED static void scene_is(int got, int want, const char *what, const char *file, int line)
{
	if (got != want) {
		dprintf(2, "%s:%d: %s gave %d, expected %d\n", file, line, what, got, want);
		_exit(99);
	}
}

/* A number that grows: who comes to a stage tells, who needs it waits. */
static atomic_int scene_stage;

/* A system call that no library sees: the result as the kernel gives it, -errno for a failure. */
UNUSED static long raw_syscall(long number, long a, long b, long c, long d)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
#elif defined(__aarch64__)
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
#else
#error "the stage knows x86-64 and aarch64"
#endif
}

UNUSED static void scene_pause(long us)
{
	struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

	raw_syscall(SYS_nanosleep, (long)&t, 0, 0, 0);
}

UNUSED static void reach(int stage)
{
	atomic_store(&scene_stage, stage);
}

UNUSED static void await(int stage)
{
	while (atomic_load(&scene_stage) < stage) {
		scene_pause(200);
	}
}

UNUSED static void await_at_least(atomic_int *n, int value)
{
	while (atomic_load(n) < value) {
		scene_pause(200);
	}
}

/*
 * What thread tid sleeps in, as /proc says it: the number of the system call and its first
 * argument. False: it runs, or there is no such thread.
 */
UNUSED static bool sleeps_in(int tid, long *number, unsigned long *argument)
{
	char path[64];
	char line[256];
	long fd;
	long n;

	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
	fd = raw_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0) {
		return false;
	}
	n = raw_syscall(SYS_read, fd, (long)line, sizeof line - 1, 0);
	raw_syscall(SYS_close, fd, 0, 0, 0);
	line[n < 0 ? 0 : n] = '\0';
	return sscanf(line, "%ld %lx", number, argument) == 2;
}

/*
 * Waits until thread tid sleeps in futex(2) on a word of the object: from then on it can only be
 * woken, whatever the scheduler does. Another futex would not do: a tracer may have its own.
 */
UNUSED static void await_asleep(atomic_int *tid, const void *object, size_t size)
{
	long number;
	unsigned long address;

	/* The number is loaded each time: its thread may take it back until it tells it again. */
	while (!sleeps_in(atomic_load(tid), &number, &address) || number != SYS_futex ||
	       address - (uintptr_t)object >= size) {
		scene_pause(200);
	}
}

#define AWAIT_ASLEEP_ON(tid, object) await_asleep(tid, object, sizeof *(object))

/* The same for one that joins that thread: glibc's futex is in what pthread_t points to. */
UNUSED static void await_joining(atomic_int *tid, pthread_t joined)
{
	enum { DESCRIPTOR = 2048 };

	await_asleep(tid, (const void *)joined, DESCRIPTOR);
}

/* Waits until thread tid sleeps in that system call. */
UNUSED static void await_call(atomic_int *tid, long number)
{
	long found;
	unsigned long argument;

	while (!sleeps_in(atomic_load(tid), &found, &argument) || found != number) {
		scene_pause(200);
	}
}

/* Waits until thread tid is gone for the kernel, which is later than for who joins it. */
UNUSED static void await_gone(atomic_int *tid)
{
	char path[64];

	await_at_least(tid, 1);
	snprintf(path, sizeof path, "/proc/self/task/%d", atomic_load(tid));
	while (raw_syscall(SYS_access, (long)path, F_OK, 0, 0) == 0) {
		scene_pause(500);
	}
}

UNUSED static void tell_tid(atomic_int *tid)
{
	atomic_store(tid, (int)raw_syscall(SYS_gettid, 0, 0, 0, 0));
}

UNUSED static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * Joins without ever blocking: pthread_join waits or does not wait, as the scheduler pleases, and
 * so would be in one trace and not in the next.
 */
UNUSED static void join_ended(pthread_t thread)
{
	int err;

	while ((err = pthread_tryjoin_np(thread, NULL)) == EBUSY) {
		scene_pause(500);
	}
	OK(err);
}

/* The moment that many milliseconds from now. */
UNUSED static struct timespec deadline_in(clockid_t clock, int ms)
{
	uint64_t ns = clock_ns(clock) + (uint64_t)ms * 1000000u;
	struct timespec t = {.tv_sec = (time_t)(ns / 1000000000u),
			     .tv_nsec = (long)(ns % 1000000000u)};

	return t;
}
