/*
 * Waiting for a thread to end: who joins stands with that thread, and in no registry.
 */
#include "advance.h"
#include "delay.h"
#include "shm.h"
#include "wait_in.h"

/* Stands in target's x_joiner, if target is still the thread with that G id and has not ended. */
static bool stand(struct gt_thread *t, struct gt_thread *target, uint64_t id)
{
	uint32_t none = GT_JOINER_NONE;
	uint32_t mine = gt_ptr_ref(t);

	/* Release: partner is the exchange in gt_thread_end; the block is written. */
	if (!gt_cas_acq_rel(&target->x_joiner, &none, mine)) {
		return false;
	}
	/* Has the record become another thread's meanwhile? Out again, unless that one claimed us.
	 */
	return gt_thread_id(target) == id ||
	       !gt_cas_acq_rel(&target->x_joiner, &mine, GT_JOINER_NONE);
}

uint32_t gt_join_begin(struct gt_thread *t, struct gt_thread *target, uint64_t id, void *frame)
{
	struct gt_wait_for what = {.reason = GT_REASON_JOIN,
				   .kind = GT_OBJECT_THREAD,
				   .object = (const void *)(uintptr_t)id,
				   .owner = gt_thread_tid(target),
				   .frame = frame};
	uint32_t number;

	gt_tls.busy++;
	gt_meter_in(&t->meter);
	t->join_g = id;
	t->join_target = target;
	t->wait_at = 0;
	if (GT_WRONG == GT_WRONG_REGISTER_BEFORE_BLOCK) {
		t->join_stood = stand(t, target, id);
		GT_DELAY();
	}
	number = gt_wait_write_block(t, &what);
	GT_DELAY();
	if (GT_WRONG != GT_WRONG_REGISTER_BEFORE_BLOCK) {
		t->join_stood = stand(t, target, id);
	}
	gt_meter_out(&t->meter, GT_COST_LIFE);
	gt_tls.busy--;
	return number;
}

void gt_join_end(struct gt_thread *t, struct gt_thread *target, uint32_t number,
		 enum gt_ended ended, int result)
{
	uint32_t mine;

	if (!gt_wait_still(t, number)) {
		return;
	}
	mine = gt_ptr_ref(t);
	gt_tls.busy++;
	t->join_target = NULL;
	/* Withdraw. Where that fails the ending thread has claimed us, or we never stood there. */
	if (t->join_stood && gt_state_g(gt_load_acquire(&t->x_state)) == GT_GO_WAITING &&
	    !gt_cas_acq_rel(&target->x_joiner, &mine, GT_JOINER_NONE) &&
	    GT_WRONG != GT_WRONG_NO_PUBLICATION && GT_WRONG != GT_WRONG_REGISTER_BEFORE_BLOCK) {
		/*
		 * Acquire: partner is the store in gt_set_state. It ends because the claimer is
		 * between its claim and the end of its last section, which never blocks. Only a
		 * join that failed finds it there: not worth a wake-up at every thread's end.
		 */
		while (gt_state_g(gt_load_acquire(&t->x_state)) == GT_GO_WAITING) {
			gt_sys_sleep(20000);
		}
	}
	gt_meter_in(&t->meter);
	gt_wait_write_joined(t, number, ended, result);
	gt_meter_out(&t->meter, GT_COST_LIFE);
	gt_advance_if_due(t);
	gt_tls.busy--;
}
