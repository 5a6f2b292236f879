/*
 * A lock of our own: the slow path.
 */
#include "lock.h"

#include "base/clock.h"

bool gt_lock_void;
_Atomic bool gt_lock_left;
GT_TLS uint32_t gt_locks_held;

void gt_lock_take_slow(struct gt_lock *l)
{
	if (gt_lock_void) {
		return;
	}
	/* Holders take tens of nanoseconds: look again before asking the kernel. */
	for (int i = 0; i < 64; i++) {
		uint32_t free_word = 0;

		gt_pause();
		if (gt_load_relaxed(&l->word) == 0 && gt_cas_seq(&l->word, &free_word, 1)) {
			return;
		}
	}
	/* Void, where a handler has forked during the sleep and this is the child. */
	while (!gt_lock_void && gt_exchange_seq(&l->word, 2) != 0 &&
	       !gt_load_relaxed(&gt_lock_left)) {
		gt_sys_futex_wait(&l->word, 2, 1000000);
	}
}

void gt_lock_leave(void)
{
	if (gt_locks_held) {
		gt_locks_held = 0;
		gt_store_relaxed(&gt_lock_left, true);
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
