/*
 * For the programs that make calls of libc one after the other: each says its result and its error,
 * which must be the same with and without a tracer. They know nothing of gtrace.
 */
#pragma once

#include "scene.h"

/* stdio's own calls are made inside libc, and are no part of the play. */
#define SAY(call)                             \
	do {                                  \
		long r_;                      \
                                              \
		errno = 0;                    \
		r_ = (long)(call);            \
		say_result(#call, r_, errno); \
	} while (0)

/* One whose result differs from run to run: whether it is positive. */
#define SAY_SIGN(call)                                                \
	do {                                                          \
		long r_;                                              \
                                                                      \
		errno = 0;                                            \
		r_ = (long)(call);                                    \
		say_result("sign of " #call, r_ > 0 ? 1 : r_, errno); \
	} while (0)

UNUSED static void say_result(const char *what, long result, int error)
{
	printf("%s = %ld", what, result);
	printf(error ? " (%s)\n" : "\n", strerror(error));
}

/*
 * Pointers that no call may use: it must fail with EFAULT, and not in the tracer. Volatile, lest a
 * compiler knows better.
 */
UNUSED static void *volatile says_bad = (void *)16;
UNUSED static void *volatile says_null;
#define BAD     ((void *)says_bad)
#define NOTHING ((void *)says_null)
