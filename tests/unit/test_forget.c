/*
 * Rows of the unwinder are kept until they are forgotten: then the code is asked again, for each
 * of them.
 */
#include <criterion/criterion.h>

#include "cfi.h"
#include "stack.h"
#include "unwind.h"

static unsigned asked;

struct gt_cfi_row __real_gt_cfi_find(uintptr_t lo, uintptr_t hi, uintptr_t hdr, uintptr_t pc);
struct gt_cfi_row __wrap_gt_cfi_find(uintptr_t lo, uintptr_t hi, uintptr_t hdr, uintptr_t pc);

/* Linked in the place of core's (meson.build). */
struct gt_cfi_row __wrap_gt_cfi_find(uintptr_t lo, uintptr_t hi, uintptr_t hdr, uintptr_t pc)
{
	asked++;
	return __real_gt_cfi_find(lo, hi, hdr, pc);
}

static __attribute__((noinline)) void walk(struct gt_stack_root *root)
{
	uint64_t pcs[64];
	bool whole;

	gt_unwind_walk(root, (uintptr_t)__builtin_frame_address(0), pcs, 64, &whole, NULL);
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void below(struct gt_stack_root *root, unsigned depth)
{
	if (depth > 0) {
		below(root, depth - 1);
	} else {
		walk(root);
	}
	__asm__ volatile("" ::: "memory");
}

Test(forget, each_row_is_looked_up_again)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	struct gt_stack_root root = {.lo = here - (64 << 10), .hi = here + 16};
	unsigned first[4];

	gt_stack_init();
	if (!gt_unwind_ready()) {
		cr_skip_test("no unwinder here");
	}
	for (unsigned i = 0; i < 4; i++) {
		if (i % 2 == 0) {
			gt_stack_forget();
		}
		asked = 0;
		below(&root, 5);
		first[i] = asked;
	}
	cr_expect_geq(first[0], 2u, "%u", first[0]);
	cr_expect_eq(first[1], 0u, "kept: %u", first[1]);
	cr_expect_eq(first[2], first[0], "forgotten: %u of %u", first[2], first[0]);
	cr_expect_eq(first[3], 0u, "kept again: %u", first[3]);
}
