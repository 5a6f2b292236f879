/*
 * The trace clock: nanoseconds, one clock read an event.
 *
 * Where the kernel itself takes CLOCK_MONOTONIC from the TSC (clocksource "tsc": invariant and the
 * same on all processors), the time of an event is one rdtsc, scaled. The scale is steered to
 * CLOCK_MONOTONIC once a generation, so that the trace clock neither drifts nor jumps: the line of
 * the next generation starts where the line of this one is and meets CLOCK_MONOTONIC one period
 * later. Elsewhere the clock is CLOCK_MONOTONIC through the vDSO (18 ns instead of 8).
 *
 * Two threads in two generations may read two lines. They differ by less than the steering error
 * of the first period (200 ppm of the time since the line began), never by a jump; a writer clamps
 * its own times so that they never fall.
 */
#pragma once

#include "base/util.h"

/*
 * One line of the clock: ns = base_ns + (counter - base_counter) * mult >> 32. Where there is no
 * counter the vDSO's ns are counted instead, and the line is themselves.
 *
 * Sections ask for ticks, by a line of their own below that of ns by less than a tick, and in the
 * high half of one product: what an event waits for between the counter and its bytes is short.
 */
struct gt_clock {
	uint64_t base_counter;
	uint64_t base_ticks;
	uint64_t tick_mult; /* ticks * 2^64 per count */
	uint64_t base_ns;
	uint64_t mult; /* ns * 2^32 per count; below 8 ns, so that tick_mult has 64 bits */
	/* For the next line: where CLOCK_MONOTONIC was at base_counter, and its measured slope. */
	uint64_t base_mono;
	uint64_t rate;
} GT_ALIGNED(GT_LINE);

/* Both clocks at one moment. */
struct gt_clock_mark {
	uint64_t counter;
	uint64_t ns;
};

/*
 * ns * 2^32 per count of the counter, as gt_clock_init has measured it; 0: there is none. Written
 * before the first thread of a trace, then read by all.
 */
extern GT_HIDDEN uint64_t gt_clock_unit;

/* To be passed to gt_clock_init some time later. */
void gt_clock_mark(struct gt_clock_mark *mark);
/*
 * The clock of the first generation. Its scale is measured from the mark on, over 0.3 ms at least:
 * what is left of these passes in here.
 */
void gt_clock_init(struct gt_clock *c, const struct gt_clock_mark *since);
/* The line after *c, to be used from about now on for about period ns. */
void gt_clock_next(const struct gt_clock *c, struct gt_clock *next, uint64_t period);
/* CLOCK_MONOTONIC in ns, without libc. */
uint64_t gt_clock_monotonic(void);

GT_INLINE uint64_t gt_clock_counter(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#else
	return 0;
#endif
}

/*
 * This moment, as the counter says it: what can be kept and compared without a line, and becomes a
 * time of the trace by gt_clock_at. Any thread, any context.
 */
GT_INLINE uint64_t gt_clock_moment(void)
{
	return gt_likely(gt_clock_unit != 0) ? gt_clock_counter() : gt_clock_monotonic();
}

/* A moment in ns of the trace clock; one before the line is its beginning. */
GT_INLINE uint64_t gt_clock_at(const struct gt_clock *c, uint64_t moment)
{
	uint64_t d = moment - c->base_counter;

	/* A counter read just before the line began gives a small negative distance. */
	if (gt_unlikely((int64_t)d < 0)) {
		return c->base_ns;
	}
	return c->base_ns + (uint64_t)(((gt_u128)d * c->mult) >> 32);
}

/* In ticks of the trace, so many counts behind the line's beginning. */
GT_INLINE uint64_t gt_clock_ticks_behind(const struct gt_clock *c, uint64_t counts)
{
	return c->base_ticks + (uint64_t)(((gt_u128)counts * c->tick_mult) >> 64);
}

/* The same of a moment. */
GT_INLINE uint64_t gt_clock_ticks_at(const struct gt_clock *c, uint64_t moment)
{
	uint64_t d = moment - c->base_counter;

	return gt_unlikely((int64_t)d < 0) ? c->base_ticks : gt_clock_ticks_behind(c, d);
}

/* From one moment to a later one, in ns. */
GT_INLINE uint64_t gt_clock_between(uint64_t from, uint64_t to)
{
	uint64_t d = to > from ? to - from : 0;

	return gt_likely(gt_clock_unit != 0) ? (uint64_t)(((gt_u128)d * gt_clock_unit) >> 32) : d;
}

/* Now, in ns of the trace clock; in ticks. Any thread, any context. */
GT_INLINE uint64_t gt_clock_now(const struct gt_clock *c)
{
	return gt_clock_at(c, gt_clock_moment());
}

GT_INLINE uint64_t gt_clock_ticks_now(const struct gt_clock *c)
{
	return gt_clock_ticks_at(c, gt_clock_moment());
}
