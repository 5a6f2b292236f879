/*
 * The lock: one at a time, and nobody sleeps for ever.
 */
#include <criterion/criterion.h>

#include <pthread.h>

#include "lock.h"

enum { THREADS = 8, ROUNDS = 20000 };

static struct gt_lock lock;
static uint64_t count; /* under lock */
static _Atomic uint32_t inside;
static _Atomic uint32_t intruders;

static void *add(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		gt_lock_take(&lock);
		if (gt_add_relaxed(&inside, 1) != 0) {
			gt_add_relaxed(&intruders, 1);
		}
		count++;
		/* Descheduled inside now and then, so that others go to sleep. */
		if (i % 1000 == 0) {
			gt_sys_yield();
		}
		gt_add_relaxed(&inside, (uint32_t)-1);
		gt_lock_drop(&lock);
	}
	return arg;
}

Test(lock, one_at_a_time)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++) {
		cr_assert_eq(pthread_create(&threads[i], NULL, add, NULL), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	cr_expect_eq(intruders, 0u);
	cr_expect_eq(count, (uint64_t)THREADS * ROUNDS);
	cr_expect_eq(lock.word, 0u, "nobody holds it or waits");
}

Test(lock, without_others_there_is_no_sleeper)
{
	gt_lock_take(&lock);
	cr_expect_eq(lock.word, 1u);
	cr_expect_not(gt_lock_try(&lock), "held");
	cr_expect_eq(lock.word, 1u, "a try leaves no trace");
	gt_lock_drop(&lock);
	cr_expect_eq(lock.word, 0u);
	cr_expect(gt_lock_try(&lock));
	gt_lock_drop(&lock);
	cr_expect_eq(lock.word, 0u);
}

static void *take_once(void *arg)
{
	gt_lock_take(&lock);
	count++;
	gt_lock_drop(&lock);
	return arg;
}

/* Holders never sleep, but if one does, the others sleep too, and each is woken. */
Test(lock, sleepers_are_woken, .timeout = 20)
{
	pthread_t threads[3];

	gt_lock_take(&lock);
	for (size_t i = 0; i < GT_LEN(threads); i++) {
		cr_assert_eq(pthread_create(&threads[i], NULL, take_once, NULL), 0);
	}
	while (gt_load_relaxed(&lock.word) != 2) {
		gt_sys_sleep(100000);
	}
	gt_sys_sleep(20000000);
	cr_expect_eq(count, 0u);
	gt_lock_drop(&lock);
	for (size_t i = 0; i < GT_LEN(threads); i++) {
		pthread_join(threads[i], NULL);
	}
	cr_expect_eq(count, GT_LEN(threads));
	cr_expect_eq(lock.word, 0u);
}
