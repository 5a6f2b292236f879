/*
 * The registry of waiters alone: whose cause is whose.
 */
#include <criterion/criterion.h>

#include "waiters.h"

static uint64_t objects[4];
static struct gt_wait waits[4];

static struct gt_hint by(uint32_t who, uint64_t ns)
{
	return (struct gt_hint){.who = who, .ns = ns, .g = who};
}

static void enter(int i, const void *object, uint64_t since)
{
	gt_waiters_enter(&waits[i], object, since, 0);
}

static uint32_t left_by(int i, bool woken)
{
	return gt_waiters_leave(&waits[i], woken).who;
}

Test(waiters, one_cause_each_in_order)
{
	struct gt_hint first = by(8, 10);
	struct gt_hint second = by(9, 11);

	cr_expect_not(gt_wake_wanted(&objects[0]));
	enter(0, &objects[0], 1);
	enter(1, &objects[0], 2);
	cr_expect(gt_wake_wanted(&objects[0]));
	gt_waiters_tell(&objects[0], 1, UINT32_MAX, &first);
	gt_waiters_tell(&objects[0], 1, UINT32_MAX, &second);
	cr_expect_eq(left_by(1, true), 9u);
	cr_expect_eq(left_by(0, true), 8u);
	cr_expect_not(gt_wake_wanted(&objects[0]));
}

Test(waiters, the_other_one_woke)
{
	struct gt_hint hint = by(8, 10);

	enter(0, &objects[0], 1);
	enter(1, &objects[0], 2);
	gt_waiters_tell(&objects[0], 1, UINT32_MAX, &hint);
	cr_expect_eq(left_by(1, true), 8u, "what was meant for the longest");
	cr_expect_eq(left_by(0, true), 0u);
}

Test(waiters, a_cause_is_older_than_the_wait)
{
	struct gt_hint hint = by(8, 10);

	enter(0, &objects[0], 1);
	gt_waiters_tell(&objects[0], 1, UINT32_MAX, &hint);
	enter(1, &objects[0], 20);
	cr_expect_eq(left_by(1, true), 0u, "nothing for one that came later");
	enter(2, &objects[0], 0);
	cr_expect_eq(left_by(2, true), 8u, "but a token is a token");
	cr_expect_eq(left_by(0, true), 0u);
}

Test(waiters, who_gives_up_passes_it_on)
{
	struct gt_hint hint = by(8, 10);

	enter(0, &objects[0], 1);
	enter(1, &objects[0], 2);
	gt_waiters_tell(&objects[0], 1, UINT32_MAX, &hint);
	cr_expect_eq(left_by(0, false), 0u, "it timed out");
	cr_expect_eq(left_by(1, true), 8u);
}

Test(waiters, a_spent_cause_is_free_for_the_next)
{
	struct gt_hint first = by(8, 10);
	struct gt_hint second = by(9, 11);

	enter(0, &objects[0], 1);
	gt_waiters_tell(&objects[0], 1, UINT32_MAX, &first);
	gt_waiters_spend(&objects[0]);
	gt_waiters_tell(&objects[0], 1, UINT32_MAX, &second);
	cr_expect_eq(left_by(0, true), 9u);
}

Test(waiters, masks)
{
	struct gt_hint hint = by(8, 10);

	gt_waiters_enter(&waits[0], &objects[0], 1, 1);
	gt_waiters_enter(&waits[1], &objects[0], 2, 2);
	gt_waiters_tell(&objects[0], 1, 2, &hint);
	cr_expect_eq(left_by(1, true), 8u);
	cr_expect_eq(left_by(0, true), 0u);
}

Test(waiters, moved_to_another_object)
{
	struct gt_hint hint = by(8, 10);

	for (int i = 0; i < 3; i++) {
		enter(i, &objects[0], 1);
	}
	gt_waiters_requeue(&objects[0], &objects[3], 2);
	gt_waiters_tell(&objects[3], UINT32_MAX, UINT32_MAX, &hint);
	cr_expect_eq(left_by(0, true), 8u);
	cr_expect_eq(left_by(1, true), 8u);
	cr_expect_eq(left_by(2, true), 0u, "it stayed");
	cr_expect_not(gt_wake_wanted(&objects[0]));
	cr_expect_not(gt_wake_wanted(&objects[3]));
}

static uint64_t mutex;

/* --- Identity --------------------------------------------------------------------------------- */

Test(waiters, an_object_made_again_is_another)
{
	uint32_t before = gt_object_epoch(&mutex);

	cr_expect_eq(gt_object_epoch(&mutex), before);
	gt_object_renew(&mutex);
	cr_expect_neq(gt_object_epoch(&mutex), before);
}
