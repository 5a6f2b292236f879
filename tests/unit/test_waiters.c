/*
 * The registry of waiters alone: whose cause is whose.
 */
#include <criterion/criterion.h>

#include "waiters.h"

static uint64_t objects[4];
static struct gt_wait waits[4];

static struct gt_hint by(uint32_t who, uint64_t at)
{
	return (struct gt_hint){.who = who, .at = at, .g = who};
}

static void enter(int i, const void *object, uint64_t since)
{
	gt_waiters_enter(&waits[i], object, since, 0);
}

static uint32_t who_of(const struct gt_hint *hint)
{
	return hint ? hint->who : 0;
}

static uint32_t left_by(int i, bool woken)
{
	return who_of(gt_waiters_leave(&waits[i], woken));
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

/* --- A queue: its waiters say when they sleep, and an unlock is for the next
 * ---------------------- */

static void on_its_way(int i, uint64_t since)
{
	gt_waiters_enter(&waits[i], &objects[0], since, GT_MASK_ON_ITS_WAY);
}

static void sleeps(int i, uint64_t since)
{
	on_its_way(i, since);
	gt_waiters_sleep(&waits[i], since, false);
}

static void unlock(uint32_t who, uint64_t at, bool contended)
{
	struct gt_hint hint = by(who, at);

	hint.contended = contended;
	gt_waiters_tell_unlock(&objects[0], &hint, true);
}

static uint32_t queue_left_by(int i, bool woken)
{
	return who_of(gt_waiters_leave_queue(&waits[i], woken));
}

Test(waiters, each_unlock_is_for_the_next_of_the_queue)
{
	sleeps(0, 1);
	sleeps(1, 2);
	unlock(8, 10, true);
	unlock(9, 11, true);
	unlock(7, 12, true);
	cr_expect_eq(queue_left_by(0, true), 8u, "not the last one");
	cr_expect_eq(queue_left_by(1, true), 9u);
	cr_expect_not(gt_wake_wanted(&objects[0]));
}

Test(waiters, who_sleeps_again_goes_to_the_end)
{
	sleeps(0, 1);
	sleeps(1, 2);
	unlock(8, 10, true);
	gt_waiters_sleep(&waits[0], 12, true);
	unlock(9, 13, true);
	unlock(7, 14, true);
	cr_expect_eq(queue_left_by(0, true), 7u);
	cr_expect_eq(queue_left_by(1, true), 9u);
}

Test(waiters, who_was_woken_and_slept_no_more_keeps_the_cause)
{
	sleeps(0, 1);
	unlock(8, 10, true);
	gt_waiters_sleep(&waits[0], 12, true);
	unlock(9, 13, false);
	cr_expect_eq(queue_left_by(0, false), 8u, "its last sleep is what 8 ended");
}

Test(waiters, who_is_on_its_way_is_not_the_next)
{
	on_its_way(0, 1);
	sleeps(1, 2);
	unlock(8, 10, true);
	cr_expect_eq(queue_left_by(1, true), 8u);
	unlock(9, 11, false);
	cr_expect_eq(queue_left_by(0, false), 8u, "it never slept: the last that was contended");
}

Test(waiters, who_did_not_sleep_after_all_passes_it_on)
{
	sleeps(0, 1);
	sleeps(1, 2);
	unlock(8, 10, true);
	cr_expect_eq(queue_left_by(0, false), 8u, "the last unlock, for lack of a wake-up");
	cr_expect_eq(queue_left_by(1, true), 8u);
}

Test(waiters, who_sleeps_is_not_coming)
{
	cr_expect_not(gt_wake_coming(&objects[0]));
	on_its_way(0, 1);
	cr_expect(gt_wake_coming(&objects[0]));
	gt_waiters_sleep(&waits[0], 2, false);
	cr_expect_not(gt_wake_coming(&objects[0]));
	gt_waiters_sleep(&waits[0], 3, true);
	queue_left_by(0, true);
	on_its_way(1, 4);
	queue_left_by(1, false);
	cr_expect_not(gt_wake_coming(&objects[0]));
}

Test(waiters, who_makes_a_call_that_sleeps_is_not_coming)
{
	on_its_way(0, 1);
	on_its_way(1, 2);
	gt_waiters_arrive(&waits[0]);
	cr_expect(gt_wake_coming(&objects[0]), "the other");
	gt_waiters_arrive(&waits[1]);
	cr_expect_not(gt_wake_coming(&objects[0]));
	gt_waiters_leave(&waits[0], true);
	gt_waiters_leave(&waits[1], true);
	cr_expect_not(gt_wake_coming(&objects[0]));
	cr_expect_not(gt_wake_wanted(&objects[0]));
}

Test(waiters, who_never_slept_has_the_last_unlock)
{
	on_its_way(0, 1);
	unlock(8, 10, false);
	unlock(9, 11, false);
	cr_expect_eq(queue_left_by(0, false), 9u);
}

Test(waiters, who_is_woken_out_of_the_line_has_the_oldest_cause)
{
	sleeps(0, 1);
	sleeps(1, 2);
	unlock(8, 10, true);
	cr_expect_eq(queue_left_by(1, true), 8u);
	unlock(9, 11, true);
	cr_expect_eq(queue_left_by(0, true), 9u);
}

Test(waiters, an_unlock_that_looked_too_early)
{
	sleeps(0, 5);
	unlock(8, 4, false);
	cr_expect_eq(queue_left_by(0, true), 8u, "no other can have woken it");
}

/*
 * waits[2] and [3] are for a condition, whose mutex the queue is of. Of one that has left: who gave
 * its mutex back.
 */
static uint32_t back_by(int i, bool has)
{
	return who_of(gt_waiters_back(&waits[i], has));
}

Test(waiters, who_takes_a_mutex_back_was_before_the_queue)
{
	struct gt_hint signal = by(6, 3);

	gt_waiters_enter_cond(&waits[2], &objects[1], &objects[0], 1);
	gt_waiters_tell(&objects[1], 1, UINT32_MAX, &signal);
	sleeps(0, 5);
	sleeps(1, 6);
	unlock(8, 10, true);
	unlock(9, 11, true);
	unlock(7, 12, true);
	cr_expect_eq(left_by(2, true), 6u);
	cr_expect_eq(back_by(2, true), 7u, "the last unlock");
	cr_expect_eq(queue_left_by(0, true), 9u, "8 was for the other");
	cr_expect_eq(queue_left_by(1, true), 7u);
}

Test(waiters, who_was_called_behind_the_queue_was_not_before_it)
{
	struct gt_hint early = by(5, 2);
	struct gt_hint late = by(6, 7);

	/* Two were called, one of them after the first of the queue slept. */
	gt_waiters_enter_cond(&waits[2], &objects[1], &objects[0], 1);
	gt_waiters_enter_cond(&waits[3], &objects[1], &objects[0], 1);
	gt_waiters_tell(&objects[1], 1, UINT32_MAX, &early);
	sleeps(0, 5);
	gt_waiters_tell(&objects[1], 1, UINT32_MAX, &late);
	cr_expect_eq(left_by(2, true), 5u);
	cr_expect_eq(back_by(2, true), 0u, "it was free");
	unlock(8, 10, true);
	unlock(9, 11, true);
	cr_expect_eq(left_by(3, true), 6u);
	cr_expect_eq(back_by(3, true), 9u);
	cr_expect_eq(queue_left_by(0, true), 9u, "as a called one may have been before it");
}

Test(waiters, who_was_not_signalled_does_not_take_the_mutex_back)
{
	gt_waiters_enter_cond(&waits[2], &objects[1], &objects[0], 1);
	sleeps(0, 5);
	unlock(8, 10, true);
	unlock(9, 11, true);
	cr_expect_eq(queue_left_by(0, true), 8u);
	cr_expect_eq(left_by(2, false), 0u);
	cr_expect_eq(back_by(2, true), 0u);
}

Test(waiters, who_takes_a_mutex_back_is_counted_once_and_stands_in_no_line)
{
	struct gt_hint signal = by(6, 3);
	const struct gt_bucket *b = gt_bucket_of((uintptr_t)&objects[0]);

	gt_waiters_enter_cond(&waits[2], &objects[1], &objects[0], 1);
	cr_expect_eq(b->count, 0u);
	sleeps(0, 5);
	cr_expect_eq(b->line.first, &waits[0]);
	cr_expect_eq(b->called, 0u);
	gt_waiters_tell(&objects[1], 1, UINT32_MAX, &signal);
	gt_waiters_signal(&objects[1], UINT32_MAX, &signal);
	cr_expect_eq(b->called, 1u, "once");
	cr_expect_eq(left_by(2, true), 6u);
	unlock(8, 10, true);
	cr_expect_eq(back_by(2, false), 0u, "its thread ended");
	cr_expect_eq(b->called, 0u);
	cr_expect_eq(back_by(2, true), 0u, "once");
	cr_expect_eq(queue_left_by(0, true), 8u);
	cr_expect_not(gt_wake_wanted(&objects[0]));
}

Test(waiters, an_unlock_does_not_concern_who_waits_for_a_condition_until_it_is_signalled)
{
	struct gt_hint signal = by(6, 3);

	gt_waiters_enter_cond(&waits[2], &objects[1], &objects[0], 1);
	cr_expect_not(gt_wake_wanted(&objects[0]));
	gt_waiters_signal(&objects[1], 1, &signal);
	cr_expect(gt_wake_wanted(&objects[0]));
	cr_expect_not(gt_wake_asks(&objects[0]), "not from where");
	cr_expect_eq(left_by(2, true), 6u);
	cr_expect(gt_wake_wanted(&objects[0]));
	cr_expect_eq(back_by(2, true), 0u);
	cr_expect_not(gt_wake_wanted(&objects[0]));
}

Test(waiters, who_gave_the_mutex_back_is_the_last_that_found_somebody_asleep)
{
	struct gt_hint signal = by(6, 3);

	unlock(4, 1, true);
	gt_waiters_enter_cond(&waits[2], &objects[1], &objects[0], 1);
	gt_waiters_tell(&objects[1], 1, UINT32_MAX, &signal);
	unlock(7, 4, true);
	unlock(8, 5, true);
	unlock(9, 6, false);
	unlock(5, 7, true);
	gt_waiters_untell_unlock(&objects[0], 5, 1);
	cr_expect_eq(left_by(2, true), 6u);
	cr_expect_eq(back_by(2, true), 5u, "that was another of its unlocks");

	gt_waiters_enter_cond(&waits[2], &objects[1], &objects[0], 7);
	gt_waiters_tell(&objects[1], 1, UINT32_MAX, &signal);
	unlock(9, 8, true);
	unlock(5, 9, true);
	gt_waiters_untell_unlock(&objects[0], 5, 0);
	cr_expect_eq(left_by(2, true), 6u);
	cr_expect_eq(back_by(2, true), 9u, "the other woke nobody");
}

Test(waiters, an_unlock_that_woke_nobody_may_be_the_last_but_one)
{
	struct gt_hint signal = by(6, 3);

	gt_waiters_enter_cond(&waits[2], &objects[1], &objects[0], 1);
	gt_waiters_tell(&objects[1], 1, UINT32_MAX, &signal);
	unlock(8, 4, true);
	unlock(9, 5, true);
	/* Each tells after its mutex is free. */
	gt_waiters_untell_unlock(&objects[0], 8, 0);
	gt_waiters_untell_unlock(&objects[0], 9, 0);
	cr_expect_eq(left_by(2, true), 6u);
	cr_expect_eq(back_by(2, true), 0u);
}

Test(waiters, who_is_woken_in_anothers_place_is_called_in_its_place)
{
	struct gt_hint first = by(6, 3);
	struct gt_hint second = by(7, 8);
	const struct gt_bucket *b = gt_bucket_of((uintptr_t)&objects[0]);

	gt_waiters_enter_cond(&waits[2], &objects[1], &objects[0], 1);
	gt_waiters_enter_cond(&waits[3], &objects[1], &objects[0], 2);
	gt_waiters_tell(&objects[1], 1, UINT32_MAX, &first);
	unlock(8, 4, true);
	cr_expect_eq(left_by(3, true), 6u);
	cr_expect_eq(back_by(3, true), 8u);
	cr_expect_eq(b->called, 0u, "the other waits on");
	sleeps(0, 6);
	gt_waiters_tell(&objects[1], 1, UINT32_MAX, &second);
	unlock(9, 10, true);
	cr_expect_eq(left_by(2, true), 7u);
	cr_expect_eq(back_by(2, true), 9u);
	cr_expect_eq(queue_left_by(0, true), 9u);
	cr_expect_eq(b->called, 0u);
}

Test(waiters, who_gets_the_signal_of_one_that_gave_up_is_called)
{
	struct gt_hint signal = by(6, 3);
	const struct gt_bucket *b = gt_bucket_of((uintptr_t)&objects[0]);

	gt_waiters_enter_cond(&waits[2], &objects[1], &objects[0], 1);
	gt_waiters_enter_cond(&waits[3], &objects[1], &objects[0], 2);
	gt_waiters_tell(&objects[1], 1, UINT32_MAX, &signal);
	cr_expect_eq(left_by(2, false), 0u);
	cr_expect_eq(b->called, 2u);
	back_by(2, true);
	unlock(8, 4, true);
	cr_expect_eq(left_by(3, true), 6u);
	cr_expect_eq(back_by(3, true), 8u);
	cr_expect_eq(b->called, 0u);
}

Test(waiters, who_is_woken_by_a_signal_for_another_asks_for_its_mutex_too)
{
	struct gt_hint signal = by(6, 3);
	const struct gt_bucket *b = gt_bucket_of((uintptr_t)&objects[0]);

	gt_waiters_enter_cond(&waits[2], &objects[1], &objects[0], 1);
	gt_waiters_enter_cond(&waits[3], &objects[1], &objects[0], 2);
	gt_waiters_signal(&objects[1], 1, &signal);
	unlock(8, 5, true);
	cr_expect_eq(left_by(2, true), 6u);
	cr_expect_eq(back_by(2, true), 8u);
	cr_expect_eq(left_by(3, true), 6u, "the last that signalled");
	cr_expect_eq(back_by(3, true), 8u);
	cr_expect_eq(b->called, 0u);
}

Test(waiters, an_unlock_that_woke_nobody_is_no_cause)
{
	unlock(9, 1, true);
	sleeps(0, 5);
	unlock(8, 10, true);
	gt_waiters_untell_unlock(&objects[0], 8, 0);
	unlock(9, 11, true);
	cr_expect_eq(queue_left_by(0, true), 9u);
}
