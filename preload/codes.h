/*
 * What the arguments and results of the waiting functions of pthread and C11 say.
 */
#pragma once

#include <errno.h>
#include <threads.h>
#include <time.h>

#include "base/spec.h"
#include "base/util.h"

/* How a wait of pthread ended that returned r, and one of C11. */
GT_INLINE enum gt_ended gt_ended_of(int r)
{
	return r == 0 ? GT_ENDED_WAKER : r == ETIMEDOUT ? GT_ENDED_TIMEOUT : GT_ENDED_ERROR;
}

GT_INLINE enum gt_ended gt_ended_of_c11(int r)
{
	return r == thrd_success    ? GT_ENDED_WAKER
	       : r == thrd_timedout ? GT_ENDED_TIMEOUT
				    : GT_ENDED_ERROR;
}

/*
 * Deadlines: some functions of glibc refuse an impossible one before they look at the object.
 * NULL can be one, where a function is said never to get it: for ever.
 */
GT_INLINE bool gt_until_possible(const struct timespec *until)
{
	GT_OPAQUE(until); /* else the compiler would leave the test out */
	return !until || (until->tv_nsec >= 0 && until->tv_nsec < 1000000000);
}

GT_INLINE bool gt_until_clock(clockid_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}
