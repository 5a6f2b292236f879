/*
 * The set of lists: what is put is found again, told apart by all of its numbers.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "lists.h"

/* A list of n numbers that only i makes; of one, two and more bytes. */
static void fill(uint32_t *numbers, size_t n, uint32_t i)
{
	for (size_t k = 0; k < n; k++) {
		numbers[k] = (uint32_t)k % 3 == 0 ? i : (uint32_t)k % 3 == 1 ? i << 12 : 7;
	}
}

Test(lists, empty)
{
	struct gt_lists lists = {0};
	uint32_t numbers[GT_LISTS_MAX];

	cr_expect_eq(gt_lists_put(&lists, NULL, 0), 0);
	cr_expect_eq(gt_lists_put(&lists, NULL, 0), 0);
	cr_expect_eq(gt_lists_get(&lists, 0, numbers), 0);
	cr_expect_eq(lists.count, 1);
	gt_lists_fini(&lists);
}

/* Of two lists, one is the beginning of the other, or differs in the last number alone. */
Test(lists, alike)
{
	static const uint32_t a[] = {1, 2, 3}, b[] = {1, 2, UINT32_MAX};
	struct gt_lists lists = {0};

	cr_expect_eq(gt_lists_put(&lists, a, 3), 0);
	cr_expect_eq(gt_lists_put(&lists, a, 2), 1);
	cr_expect_eq(gt_lists_put(&lists, b, 3), 2);
	cr_expect_eq(gt_lists_put(&lists, a + 1, 2), 3);
	cr_expect_eq(gt_lists_put(&lists, a, 3), 0);
	cr_expect_eq(lists.count, 4);
	gt_lists_fini(&lists);
}

/* More than a chunk holds, of all lengths. */
Test(lists, many)
{
	enum { MANY = 30000 };
	struct gt_lists lists = {0};
	uint32_t numbers[GT_LISTS_MAX], found[GT_LISTS_MAX];

	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < MANY; i++) {
			const size_t n = 1 + i % GT_LISTS_MAX;

			fill(numbers, n, i);
			cr_assert_eq(gt_lists_put(&lists, numbers, n), i);
		}
	}
	cr_expect_eq(lists.count, MANY);
	cr_expect_gt(lists.nchunks, 1);
	for (uint32_t i = 0; i < MANY; i++) {
		const size_t n = 1 + i % GT_LISTS_MAX;

		fill(numbers, n, i);
		cr_assert_eq(gt_lists_get(&lists, i, found), n);
		cr_assert_eq(memcmp(found, numbers, n * sizeof(*found)), 0);
	}
	gt_lists_fini(&lists);
}

/* The longest, of the largest numbers: each just fits where the chunk ends. */
Test(lists, longest)
{
	struct gt_lists lists = {0};
	uint32_t numbers[GT_LISTS_MAX], found[GT_LISTS_MAX];

	memset(numbers, 0xff, sizeof(numbers));
	for (uint32_t i = 0; i < 5000; i++) {
		numbers[i % GT_LISTS_MAX] -= 1 + i / GT_LISTS_MAX;
		cr_assert_eq(gt_lists_put(&lists, numbers, GT_LISTS_MAX), i);
		cr_assert_eq(gt_lists_get(&lists, i, found), GT_LISTS_MAX);
		cr_assert_eq(memcmp(found, numbers, sizeof(found)), 0);
	}
	gt_lists_fini(&lists);
}
