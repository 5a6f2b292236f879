/*
 * Sleeping, and giving up the processor.
 */
#include "plain.h"

/* clang-format off */
GT_PLAIN(int, nanosleep, NANOSLEEP, GT_NO_ARG, (const struct timespec *time, struct timespec *left), (time, left))
GT_PLAIN_CODE(clock_nanosleep, CLOCK_NANOSLEEP, GT_NO_ARG, (clockid_t clock, int flags, const struct timespec *time, struct timespec *left), (clock, flags, time, left))
GT_PLAIN_AS(unsigned, sleep, SLEEP, GT_NO_ARG, (unsigned seconds), (seconds), r)
GT_PLAIN(int, usleep, USLEEP, GT_NO_ARG, (useconds_t us), (us))
/* 0, -1 for a signal, another negative number for an error. */
GT_PLAIN_AS(int, thrd_sleep, THRD_SLEEP, GT_NO_ARG, (const struct timespec *time, struct timespec *left), (time, left), r == -1 ? -EINTR : r < 0 ? -EINVAL : 0)
/* clang-format on */

static struct gt_thread *yield_open(void *frame)
{
	struct gt_thread *t = gt_self_to_call(GT_CLASS_SLEEP, GT_CALL_SCHED_YIELD, frame);

	if (t) {
		gt_yield_begin(t);
	}
	return t;
}

#define YIELDS(id)                                            \
	int gt_hook_##id(void)                                \
	{                                                     \
		struct gt_thread *t = yield_open(GT_FRAME()); \
		int r;                                        \
                                                              \
		if (!t) { /* as in plain.h */                 \
			return GT_REAL(id)();                 \
		}                                             \
		r = GT_REAL(id)();                            \
		gt_yield_end(t, GT_FRAME());                  \
		return r;                                     \
	}
YIELDS(sched_yield)
#undef YIELDS

void gt_hook_thrd_yield(void)
{
	struct gt_thread *t = yield_open(GT_FRAME());

	GT_REAL(thrd_yield)();
	if (t) {
		gt_yield_end(t, GT_FRAME());
	}
}

#define GT_EXPORT_sleep(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
