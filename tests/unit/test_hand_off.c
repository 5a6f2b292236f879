/*
 * Hand-offs: a thread comes back from its call before, while and after the advancer writes the
 * beginning in its name; and what a recovery finds of that.
 */
#include "started.h"

#include "advance.h"
#include "call.h"
#include "hand_off.h"
#include "shm.h"
#include "writer.h"

#include "../../tools/spool.h"

/* The calling thread, in a call. */
static struct gt_thread *in_call(enum gt_reason as)
{
	struct gt_thread *t = gt_tls.thread;

	gt_call_begin(t, GT_CALL_READ, as, -1, __builtin_frame_address(0));
	return t;
}

static bool slot_taken(uint32_t p)
{
	return gt_load_relaxed(&gt_trace->procs.taken[p]) != 0;
}

/* Batches of t that a recovery of generation 1 would find, and the last event if it has no time. */
static size_t batches_left(const struct gt_thread *t, uint8_t *last)
{
	struct gt_spool spool;
	struct gt_error e;
	struct gt_batch *found;
	size_t n;
	size_t of_t = 0;

	cr_assert_eq(gt_spool_open(&spool, gt_trace, gt_load_relaxed(&gt_trace->backed), &e), 0);
	found = gt_spool_batches(&spool, 1, &n);
	for (size_t i = 0; i < n; i++) {
		if (found[i].m == gt_thread_tid(t) && found[i].experiment == 0) {
			*last = found[i].data[found[i].size - 2];
			of_t++;
		}
	}
	free(found);
	return of_t;
}

/* As the advancer does it, but for the file. */
static void write_drafts(void)
{
	cr_assert_eq(gt_writer_begin(false), 0);
	gt_hand_off_write(1);
	gt_writer_end();
}

/* Short, and with a stack that is in the trace: without the claim it would be written at once. */
Test(hand_off, who_comes_back_at_once_keeps_its_call, .init = started, .fini = ended)
{
	struct gt_thread *t;

	gt_store_relaxed(&gt_stack_depth, 0);
	gt_call_end(in_call(GT_REASON_NONE), 0);
	t = in_call(GT_REASON_NONE);
	gt_hand_off_draft(1);
	cr_expect_eq(t->x_claim, (uint32_t)GT_CLAIM_TAKEN);
	gt_call_end(t, 0);
	cr_expect_eq(t->x_claim, (uint32_t)GT_CLAIM_NONE);
}

Test(hand_off, who_comes_back_in_time_keeps_its_call, .init = started, .fini = ended)
{
	struct gt_thread *t = in_call(GT_REASON_SLEEP);
	uint64_t state = gt_load_relaxed(&t->x_state);
	uint8_t last = 0;
	size_t before;

	gt_hand_off_draft(1);
	cr_expect_eq(t->x_claim, (uint32_t)GT_CLAIM_TAKEN);
	cr_expect_eq(t->x_state, state, "nothing of the thread has changed");
	cr_expect(slot_taken(gt_state_p(state)));
	before = batches_left(t, &last);
	cr_expect_eq(last, GT_EV_PROC_STOP, "what a killed process leaves is in the call");
	gt_call_end(t, 0);
	cr_expect_eq(t->x_claim, (uint32_t)GT_CLAIM_NONE);
	cr_expect_eq(t->x_state, state);
	cr_expect_eq(batches_left(t, &last), before, "its own instead of the draft");
	cr_expect_neq(last, GT_EV_PROC_STOP);
	write_drafts();
	cr_expect_eq(t->draft.gen, 0u);
	cr_expect_eq(t->x_state, state);
	cr_expect(slot_taken(gt_state_p(state)));
}

Test(hand_off, who_comes_back_while_it_is_written_runs_elsewhere, .init = started, .fini = ended)
{
	struct gt_thread *t = in_call(GT_REASON_SLEEP);
	uint32_t p = gt_load_relaxed(&t->p);
	uint8_t last = 0;
	uint64_t state;
	size_t before;

	gt_hand_off_draft(1);
	before = batches_left(t, &last);
	/* Another generation than that of the draft. */
	gt_store_relaxed(&t->draft.gen, 3);
	gt_call_end(t, 0);
	gt_store_relaxed(&t->draft.gen, 1);
	state = gt_load_relaxed(&t->x_state);
	cr_expect_eq(t->x_claim, (uint32_t)GT_CLAIM_BACK);
	cr_expect_eq(gt_state_g(state), (unsigned)GT_GO_RUNNING);
	cr_expect_neq(gt_state_p(state), p);
	cr_expect(slot_taken(p), "the advancer gives it back");
	cr_expect_eq(batches_left(t, &last), before + 1, "the draft counts");
	/* Calls since are its own. */
	in_call(GT_REASON_NONE);
	gt_call_end(t, 0);
	cr_expect_eq(t->x_claim, (uint32_t)GT_CLAIM_BACK);
	state = gt_load_relaxed(&t->x_state);
	/* What it wrote since would be of that other generation. */
	gt_store_relaxed(&t->traced[1], 0);
	write_drafts();
	cr_expect_not(slot_taken(p));
	cr_expect_eq(t->x_claim, (uint32_t)GT_CLAIM_NONE);
	cr_expect_eq(t->x_state, state);
}

Test(hand_off, who_stays_away_waits, .init = started, .fini = ended)
{
	struct gt_thread *t = in_call(GT_REASON_SLEEP);
	uint32_t p = gt_load_relaxed(&t->p);

	cr_assert(gt_advance(NULL, false, false));
	cr_expect_eq(t->x_claim, (uint32_t)GT_CLAIM_WRITTEN);
	cr_expect_eq(t->x_state, gt_state(GT_GO_WAITING, 0, 0));
	cr_expect_not(slot_taken(p));
	cr_assert(gt_advance(NULL, false, false));
	cr_expect_eq(t->x_claim, (uint32_t)GT_CLAIM_WRITTEN, "once is enough");
	gt_call_end(t, 0);
	cr_expect_eq(t->x_claim, (uint32_t)GT_CLAIM_NONE);
	cr_expect_eq(gt_state_g(t->x_state), (unsigned)GT_GO_RUNNING);
	cr_expect(slot_taken(gt_load_relaxed(&t->p)));
}

/* A handler jumps away when all is written but the claim: it is not written twice. */
Test(hand_off, who_jumps_away_when_it_has_come_back, .init = started, .fini = ended)
{
	struct gt_thread *t = in_call(GT_REASON_NONE);
	uint64_t state;

	cr_assert(gt_advance(NULL, false, false));
	gt_call_end(t, 0);
	state = gt_load_relaxed(&t->x_state);
	gt_store_relaxed(&t->x_claim, GT_CLAIM_WRITTEN);
	gt_tls.busy = 1;
	gt_call_recover(t);
	cr_expect_eq(t->x_claim, (uint32_t)GT_CLAIM_NONE);
	cr_expect_eq(t->x_state, state);
	cr_expect_not(gt_load_relaxed(&gt_trace->broken));
}
