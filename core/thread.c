/*
 * Threads: their sections at start and end, names, Ps. Their records: registry.c.
 */
#include "thread.h"

#include <signal.h>

#include "advancer.h"
#include "emit.h"
#include "shm.h"
#include "stack_id.h"
#include "wait.h"

GT_TLS struct gt_tls gt_tls = {.epoch = GT_EPOCH_NONE};

void gt_thread_name(struct gt_thread *t, const char *name)
{
	uint64_t words[GT_NAME_MAX / 8] = {0};
	char *bytes = (char *)words;

	for (size_t i = 0; i < GT_NAME_MAX - 1 && name[i]; i++) {
		bytes[i] = name[i];
	}
	for (size_t i = 0; i < GT_LEN(words); i++) {
		gt_store_relaxed(&t->name[i], words[i]);
	}
	/* Release: partner is the exchange in gt_thread_emit_name. */
	gt_store_release(&t->name_new, 1);
}

uint32_t gt_thread_name_id(const struct gt_thread *t, unsigned parity)
{
	uint64_t name[GT_NAME_MAX / 8 + 1] = {0};
	uint32_t id;

	for (size_t i = 0; i < GT_LEN(t->name); i++) {
		name[i] = gt_load_relaxed(&t->name[i]);
	}
	/* Rule 17: an empty label is refused. */
	if (!*(const char *)name) {
		return 0;
	}
	id = gt_table_put(&gt_trace->strings[parity], name, strlen((const char *)name));
	if (!id) {
		gt_loss_add(GT_LOSS_TABLE_FULL);
	}
	return id;
}

void gt_thread_emit_name(struct gt_w *w)
{
	uint32_t id;

	/* Acquire: partner is gt_thread_name, of whose name this then is not too early. */
	gt_exchange_acq_rel(&w->t->name_new, 0);
	id = w->b ? gt_thread_name_id(w->t, w->parity) : 0;
	if (id) {
		gt_event(w, GO_LABEL, gt_str(id));
	}
}

uint32_t gt_thread_take_p(struct gt_thread *t)
{
	GT_INVARIANT(5, !gt_in_section(t) || GT_WRONG == GT_WRONG_PROC_INSIDE_SECTION);
	if (t->is_advancer) {
		return 0;
	}
	/* One that a handler kept it from running in is still there. */
	if (gt_likely(t->spare_p == GT_PROC_NONE)) {
		t->spare_p = gt_proc_take();
	}
	return t->spare_p;
}

void gt_thread_give_p(struct gt_thread *t, uint32_t p)
{
	GT_INVARIANT(5, !gt_in_section(t));
	if (!t->is_advancer && p != GT_PROC_NONE) {
		gt_proc_give(p);
	}
}

bool gt_frame_left(struct gt_thread *t, uintptr_t left, uintptr_t sp)
{
	stack_t other = {0};

	/* Stacks grow down: a frame is gone once somebody runs above it, or in its place. */
	if (sp < left || sp >= t->root.hi) {
		return false;
	}
	/* Unless that is a handler whose own stack lies above: somebody's local array. */
	return gt_sys_sigaltstack(&other) != 0 || !(other.ss_flags & SS_ONSTACK);
}

void gt_thread_walk_entry(struct gt_thread *t)
{
	struct gt_walks *walks = &t->walks;
	const uint64_t entry = t->root.entry;

	walks->id = NULL;
	gt_signal_fence();
	if (walks->none.entry != entry) {
		walks->none.id.gen = 0;
		gt_signal_fence();
		walks->none.entry = entry;
	}
	/* As of a walk that found nothing (gt_seen_hash). */
	walks->hash = gt_seen_hash_and(1, entry, 1);
	walks->pcs = &walks->none.entry;
	/* A handler may jump out of here: it leads there when the rest is so. */
	gt_signal_fence();
	walks->id = &walks->none.id;
}

void gt_thread_start(struct gt_thread *t, bool created)
{
	uint32_t p;
	struct gt_w w;

	gt_tls.thread = t;
	gt_tls.epoch = gt_load_relaxed(&gt_gate->epoch);
	if (gt_tls.epoch == GT_EPOCH_OFF) {
		/* Created before the end of tracing, started after it: not traced. */
		gt_tls.epoch = GT_EPOCH_ENDED;
	}
	gt_tls.rounds = 0;
	gt_meter_in(&t->meter);
	if (!gt_thread_tid(t)) {
		gt_store_relaxed(&t->tid, (uint32_t)gt_sys_tid());
	}
	p = GT_WRONG == GT_WRONG_PROC_INSIDE_SECTION ? GT_PROC_NONE : gt_thread_take_p(t);
	w = gt_acquire(t);
	if (GT_WRONG == GT_WRONG_PROC_INSIDE_SECTION) {
		p = gt_thread_take_p(t);
	}
	gt_proc_start(&w, p);
	if (!created) {
		uint64_t entry[1] = {t->root.entry};

		GT_INVARIANT(11, gt_load_relaxed(&t->born_gen) == 0);
		gt_thread_born(&w, t);
		gt_event(&w, GO_CREATE, gt_g(gt_thread_id(t)), gt_stack_put(&w, entry, 1),
			 gt_stack(0));
	}
	gt_event(&w, GO_START, gt_g(gt_thread_id(t)), gt_seq_g(&w, t));
	gt_run_in(&w, p);
	gt_release(&w);
	gt_meter_out(&t->meter, GT_COST_LIFE);
}

struct gt_thread *gt_thread_attach(uintptr_t entry)
{
	struct gt_thread *t = gt_thread_new(entry);

	if (t) {
		gt_thread_register(t);
		gt_thread_start(t, false);
	}
	return t;
}

void gt_thread_announce(struct gt_thread *creator, struct gt_thread *t, void *frame)
{
	unsigned n = gt_thread_walk(creator, frame, GT_WIRE_FRAMES_MAX);
	uint64_t entry[1] = {t->root.entry};
	struct gt_w w = gt_acquire(creator);

	gt_thread_born(&w, t);
	gt_event(&w, GO_CREATE, gt_g(gt_thread_id(t)), gt_stack_put(&w, entry, 1),
		 gt_stack_put_walked(&w, n));
	gt_set_state(&w, t, GT_GO_RUNNABLE, 0, 0);
	gt_release(&w);
}

void gt_thread_create_failed(struct gt_thread *creator, struct gt_thread *t)
{
	struct gt_w w = gt_acquire(creator);

	gt_status_other(&w, t);
	gt_event(&w, GO_STOP, gt_str(GT_REASON_YIELD), gt_stack(0));
	gt_event(&w, GO_START, gt_g(gt_thread_id(t)), gt_seq_g(&w, t));
	gt_event0(&w, GO_DESTROY);
	gt_event(&w, GO_START, gt_g(gt_thread_id(creator)), gt_seq_g(&w, creator));
	gt_set_state(&w, t, GT_GO_DEAD, 0, 0);
	gt_release(&w);
	gt_thread_retire(t, w.gen, false);
}

/* The joiner that stands in x_joiner: from here on its transition is ours. NULL: none. */
static struct gt_thread *claim_joiner(struct gt_thread *t)
{
	/* Acquire: partner is the CAS in gt_join_begin; its GoBlock is written. */
	uint32_t ref = gt_exchange_acq_rel(&t->x_joiner, GT_JOINER_CLOSED);

	return ref > GT_JOINER_CLOSED ? gt_ref_ptr(ref) : NULL;
}

void gt_thread_end(struct gt_thread *t)
{
	uint32_t p = gt_load_relaxed(&t->p);
	struct gt_thread *joiner = NULL;
	struct gt_w w;
	unsigned left;

	gt_meter_in(&t->meter);
	/*
	 * Claimed before the generation is loaded (invariant 10): the joiner's block is then in
	 * this generation or an older one, never in a newer.
	 */
	if (GT_WRONG != GT_WRONG_GEN_BEFORE_CLAIM) {
		joiner = claim_joiner(t);
	}
	GT_DELAY();
	w = gt_acquire(t);
	GT_DELAY();
	if (GT_WRONG == GT_WRONG_GEN_BEFORE_CLAIM) {
		joiner = claim_joiner(t);
	}
	gt_wait_drop(t);
	left = gt_mailbox_close(&w);
	if (gt_load_acquire(&t->name_new)) {
		gt_thread_emit_name(&w);
	}
	if (t->yields) {
		gt_yields_emit(&w, gt_clock_moment());
	}
	if (gt_load_relaxed(&t->calls_left_out)) {
		gt_add_relaxed(&gt_trace->losses[GT_LOSS_SHORT],
			       gt_exchange_acq_rel(&t->calls_left_out, 0));
	}
	if (joiner) {
		GT_INVARIANT(10, !w.b || gt_load_relaxed(&joiner->block_gen) <= w.gen);
		GT_INVARIANT(4, gt_state_g(gt_load_relaxed(&joiner->x_state)) == GT_GO_WAITING);
		gt_status_other(&w, joiner);
		gt_event(&w, GO_UNBLOCK, gt_g(gt_thread_id(joiner)), gt_seq_g(&w, joiner),
			 gt_stack(0));
	}
	gt_event0(&w, GO_DESTROY);
	gt_event0(&w, PROC_STOP);
	gt_buf_flush(&w);
	if (joiner && GT_WRONG != GT_WRONG_STATE_AFTER_SECTION) {
		gt_set_state(&w, joiner, GT_GO_RUNNABLE, 0, 0);
	}
	gt_set_state(&w, t, GT_GO_DEAD, 0, 0);
	gt_release(&w);
	if (joiner && GT_WRONG == GT_WRONG_STATE_AFTER_SECTION) {
		GT_DELAY();
		gt_store_release(&joiner->x_state, gt_state(GT_GO_RUNNABLE, 0, 0));
	}
	gt_tls.epoch = GT_EPOCH_ENDED;
	if (p != GT_PROC_NONE) {
		gt_store_relaxed(&t->p, GT_PROC_NONE);
		gt_thread_give_p(t, p);
	}
	gt_thread_give_p(t, t->spare_p);
	gt_meter_out(&t->meter, GT_COST_LIFE);
	gt_budget_meter_close(&t->meter);
	gt_thread_retire(t, w.gen, left != 0);
}
