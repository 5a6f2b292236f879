/*
 * A lock of our own: the slow path.
 */
#include "lock.h"

#include "base/clock.h"

bool gt_lock_void;

void gt_lock_take_slow(struct gt_lock *l)
{
	if (gt_lock_void) {
		return;
	}
	/* Holders take tens of nanoseconds: look again before asking the kernel. */
	for (int i = 0; i < 64; i++) {
		uint32_t free_word = 0;

		gt_pause();
		if (gt_load_relaxed(&l->word) == 0 && gt_cas_acq_rel(&l->word, &free_word, 1)) {
			return;
		}
	}
	while (gt_exchange_acq_rel(&l->word, 2) != 0) {
		gt_sys_futex_wait(&l->word, 2, UINT64_MAX);
	}
}

bool gt_lock_take_until(struct gt_lock *l, uint64_t until)
{
	while (!gt_lock_try(l)) {
		if (gt_clock_monotonic() >= until) {
			return false;
		}
		gt_sys_sleep(1000000);
	}
	return true;
}
