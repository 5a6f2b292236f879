/*
 * The functions whose hooks are timed, and what two preloads note of each call.
 *
 * The library that is measured stands between them: LD_PRELOAD="outer.so libgtrace.so inner.so".
 * outer notes when a call comes and when it goes back to the program, inner the same of the real
 * function; what is between the two is the hook's, as it is shipped.
 */
#pragma once

#include <stdint.h>
#include <sys/resource.h>

/* T(name, arguments with types, arguments) */
#define TIMED(T)                                                                                 \
	T(sem_post, (sem_t * a), (a))                                                            \
	T(pthread_mutex_unlock, (pthread_mutex_t * a), (a))                                      \
	T(pthread_mutex_trylock, (pthread_mutex_t * a), (a))                                     \
	T(pthread_cond_signal, (pthread_cond_t * a), (a))                                        \
	T(pthread_cond_wait, (pthread_cond_t * a, pthread_mutex_t * b), (a, b))                  \
	T(pthread_rwlock_unlock, (pthread_rwlock_t * a), (a))                                    \
	T(pthread_join, (pthread_t a, void **b), (a, b))                                         \
	T(pthread_create, (pthread_t * a, const pthread_attr_t *b, void *(*c)(void *), void *d), \
	  (a, b, c, d))

enum timed {
#define T(name, types, args) TIMED_##name,
	TIMED(T)
#undef T
		TIMED_read,
	TIMED_END
};

/* How often a thread has left its processor so far: to wait, and because it had to. */
struct switches {
	uint64_t waited;
	uint64_t preempted;
};

/* Of the calling thread's call: when the real function began and returned; 0: not called. */
struct inside {
	uint64_t begin;
	uint64_t end;
	struct switches switches; /* in it */
};

static inline struct switches switches_now(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (struct switches){(uint64_t)usage.ru_nvcsw, (uint64_t)usage.ru_nivcsw};
}

/* inner.so's, which outer.so reads. */
struct inside *hooktime_inside(void);
