/*
 * The trace clock: never back, never far from CLOCK_MONOTONIC, no step from line to line.
 */
#include <criterion/criterion.h>

#include <time.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/wire.h"

#define MS UINT64_C(1000000)

/* What the line says at that count. */
static uint64_t at(const struct gt_clock *c, uint64_t counter)
{
	return c->base_ns + (uint64_t)(((gt_u128)(counter - c->base_counter) * c->mult) >> 32);
}

static uint64_t libc_monotonic(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* How far the clock is from CLOCK_MONOTONIC: the best of many looks, as we may be descheduled. */
static uint64_t error_of(const struct gt_clock *c)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 1000; i++) {
		uint64_t a = libc_monotonic();
		uint64_t now = gt_clock_now(c);
		uint64_t b = libc_monotonic();
		uint64_t off = now < a ? a - now : now > b ? now - b : 0;

		/* Between two looks that are far apart, anything would do. */
		if (b - a < 500) {
			least = GT_MIN(least, off + (b - a));
		}
	}
	return least;
}

static void clock_begin(struct gt_clock *c)
{
	struct gt_clock_mark mark;

	gt_clock_mark(&mark);
	gt_clock_init(c, &mark);
}

/* A calibrated clock; where the kernel's clock is not the counter there is none. */
static struct gt_clock calibrated(void)
{
	struct gt_clock c;

	clock_begin(&c);
	if (!gt_clock_unit) {
		cr_skip_test("the clocksource is not tsc");
	}
	return c;
}

Test(clock, never_goes_back)
{
	struct gt_clock c;
	uint64_t last = 0;

	clock_begin(&c);
	for (int line = 0; line < 20; line++) {
		struct gt_clock next;

		for (int i = 0; i < 20000; i++) {
			uint64_t now = gt_clock_now(&c);

			cr_assert(now >= last, "%llu after %llu", (unsigned long long)now,
				  (unsigned long long)last);
			last = now;
		}
		gt_clock_next(&c, &next, 2 * MS);
		c = next;
	}
}

Test(clock, stays_with_monotonic)
{
	struct gt_clock c = calibrated();

	for (int line = 0; line < 30; line++) {
		struct gt_clock next;
		uint64_t begin = libc_monotonic();

		gt_sys_sleep(12 * MS);
		gt_clock_next(&c, &next, 12 * MS);
		c = next;
		/* Where we were held up, the line was followed for longer than it was made for. */
		if (line >= 5 && libc_monotonic() - begin < 50 * MS) {
			uint64_t error = error_of(&c);

			cr_expect(error < 1000, "line %d is off by %llu ns", line,
				  (unsigned long long)error);
		}
	}
}

Test(clock, lines_meet)
{
	struct gt_clock c = calibrated();

	for (int line = 0; line < 100; line++) {
		struct gt_clock next;
		uint64_t before;

		gt_sys_sleep(line % 10 * MS / 5);
		gt_clock_next(&c, &next, MS);
		before = at(&c, next.base_counter);
		cr_assert_eq(next.base_ns, before, "line %d begins %lld ns away", line,
			     (long long)(next.base_ns - before));
		cr_assert_geq(next.base_ticks, gt_clock_ticks_at(&c, next.base_counter));
		c = next;
	}
}

/* The line of ticks lies below that of ns, by less than one. */
Test(clock, ticks_follow_ns)
{
	struct gt_clock c = calibrated();

	for (uint64_t d = 0; d < UINT64_C(1) << 44; d += d / 7 + 1) {
		uint64_t moment = c.base_counter + d;
		uint64_t ns = gt_clock_at(&c, moment);
		uint64_t ticks = gt_clock_ticks_at(&c, moment);

		cr_assert_leq(ticks, ns >> GT_TICK_SHIFT);
		cr_assert_geq(ticks + 1, ns >> GT_TICK_SHIFT);
	}
	cr_expect_eq(gt_clock_ticks_at(&c, c.base_counter - 1), c.base_ticks);
}

/* A clock that is wrong comes back slowly, without a step, and not beyond the truth. */
static void check_steering(int64_t wrong_by)
{
	struct gt_clock c = calibrated();
	struct gt_clock next;
	uint64_t counter;
	int64_t before;
	int64_t after;

	c.base_ns += (uint64_t)wrong_by;
	gt_sys_sleep(15 * MS);
	gt_clock_next(&c, &next, 100 * MS);
	cr_expect(next.mult <= next.rate + next.rate / 1000 &&
			  next.mult >= next.rate - next.rate / 1000,
		  "steered by more than 1/1024");
	/* Where both lines are 100 ms later, the truth being that of next's own measurement. */
	counter = next.base_counter + (uint64_t)(((gt_u128)(100 * MS) << 32) / next.rate);
	before = (int64_t)(next.base_ns - next.base_mono);
	after = (int64_t)(at(&next, counter) - (next.base_mono + 100 * MS));
	cr_expect(before < 0 ? after > before && after < 1000 : after < before && after > -1000,
		  "%lld ns off became %lld", (long long)before, (long long)after);
}

Test(clock, steers_forward)
{
	check_steering(-50000);
}

Test(clock, steers_back)
{
	check_steering(50000);
}

Test(clock, one_bad_reading_does_no_harm)
{
	check_steering(-1000 * (int64_t)MS);
	check_steering(1000 * (int64_t)MS);
}

Test(clock, a_count_before_the_line_is_its_beginning)
{
	struct gt_clock c = calibrated();

	c.base_counter = gt_clock_counter() + UINT64_C(1000000000);
	cr_expect_eq(gt_clock_now(&c), c.base_ns);
}

Test(clock, without_a_counter)
{
	struct gt_clock c;
	struct gt_clock next;
	uint64_t a;
	uint64_t now;
	uint64_t b;

	clock_begin(&c);
	gt_clock_unit = 0;
	gt_clock_next(&c, &next, MS);
	c = next;
	for (int line = 0; line < 3; line++) {
		a = libc_monotonic();
		now = gt_clock_now(&c);
		b = libc_monotonic();
		cr_expect(a <= now && now <= b);
		gt_clock_next(&c, &next, MS);
		cr_expect_eq(gt_clock_at(&next, next.base_ns + 12345), next.base_ns + 12345);
		cr_expect_eq(gt_clock_at(&next, next.base_ns - 1), next.base_ns);
		cr_expect_eq(gt_clock_ticks_at(&next, next.base_ns + 12345),
			     (next.base_ns >> GT_TICK_SHIFT) + (12345 >> GT_TICK_SHIFT));
		c = next;
	}
}

/* The age of a line tells when a program without an advancer is due (core/advance.c). */
Test(clock, a_line_without_a_counter_has_a_beginning)
{
	struct gt_clock c = {.base_ns = 1};
	struct gt_clock next;
	uint64_t before = gt_clock_monotonic();

	gt_clock_unit = 0;
	gt_clock_next(&c, &next, 1000000000);
	cr_expect_geq(next.base_ns, before);
	cr_expect_leq(next.base_ns, gt_clock_now(&next));
}

/* Also before gt_clock_mark has found the vDSO, by a system call. */
Test(clock, monotonic_without_libc)
{
	struct gt_clock c;

	for (int found = 0; found < 2; found++) {
		uint64_t a = libc_monotonic();
		uint64_t now = gt_clock_monotonic();
		uint64_t b = libc_monotonic();

		cr_expect(a <= now && now <= b);
		clock_begin(&c);
	}
}
