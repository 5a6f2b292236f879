/*
 * System calls: begin, end, hand-off.
 */
#include "syscall.h"

#include "advance.h"
#include "emit.h"
#include "wait.h"

void gt_syscall_begin(struct gt_thread *t, void *frame)
{
	uint32_t p = gt_load_relaxed(&t->p);
	unsigned n;
	struct gt_w w;

	gt_tls.busy++;
	n = gt_thread_walk(t, frame, GT_WIRE_FRAMES_MAX);
	gt_thread_set_stack(t, t->pcs, n);
	w = gt_acquire(t);
	GT_INVARIANT(4, gt_state_g(gt_load_relaxed(&t->x_state)) == GT_GO_RUNNING);
	t->syscall_ticks = w.ticks;
	t->syscall_gen = w.gen;
	gt_event(&w, GO_SYSCALL_BEGIN, gt_seq_p(&w, p), gt_stack_put(&w, t->pcs, n));
	gt_set_state(&w, t, GT_GO_SYSCALL, GT_PROC_SYSCALL, p);
	gt_release(&w);
	GT_DELAY();
	/* Release: partner is the CAS of the advancer; from here on it may take the P. */
	gt_store_release(&t->x_handoff, GT_HANDOFF_SYSCALL);
	gt_tls.busy--;
}

void gt_syscall_end(struct gt_thread *t)
{
	uint32_t expected = GT_HANDOFF_SYSCALL;
	bool kept;
	uint32_t p;
	struct gt_w w;

	if (gt_tls.epoch != gt_load_relaxed(&gt_gate->epoch)) {
		return;
	}
	gt_tls.busy++;
	/* Acquire: partner is the advancer's store of IDLE, after it wrote in our name. */
	kept = gt_cas_acq_rel(&t->x_handoff, &expected, GT_HANDOFF_OWN);
	if (kept) {
		p = gt_load_relaxed(&t->p);
	} else {
		/* It ends because the advancer holds TAKEN only while it writes two events. */
		while ((expected = gt_load_acquire(&t->x_handoff)) == GT_HANDOFF_TAKEN) {
			gt_sys_futex_wait(&t->x_handoff, GT_HANDOFF_TAKEN, 1000000);
		}
		gt_store_relaxed(&t->x_handoff, GT_HANDOFF_OWN);
		p = gt_thread_take_p(t);
	}
	GT_DELAY();
	w = gt_acquire(t);
	if (p == GT_PROC_NONE) {
		gt_trace_break(GT_BROKEN_PROCS);
		w.b = NULL;
	} else if (kept && w.ticks - t->syscall_ticks <= GT_SYSCALL_KEEP_NS >> GT_TICK_SHIFT) {
		gt_event0(&w, GO_SYSCALL_END);
	} else {
		if (kept) {
			uint64_t now = w.ticks;

			w.ticks = t->syscall_ticks + (GT_SYSCALL_KEEP_NS >> GT_TICK_SHIFT);
			gt_event0(&w, PROC_STOP);
			w.ticks = now;
		}
		gt_event0(&w, GO_SYSCALL_END_BLOCKED);
		gt_status_proc(&w, p);
		gt_event(&w, PROC_START, gt_p(p), gt_seq_p(&w, p));
		gt_event(&w, GO_START, gt_g(gt_thread_id(t)), gt_seq_g(&w, t));
	}
	gt_store_relaxed(&t->p, p);
	gt_set_state(&w, t, GT_GO_RUNNING, GT_PROC_RUNNING, p);
	gt_release(&w);
	gt_advance_if_due(t);
	gt_tls.busy--;
}

void gt_syscall_hand_off_all(void)
{
	for (struct gt_thread *t = gt_thread_first(); t; t = gt_thread_next(t)) {
		uint32_t expected = GT_HANDOFF_SYSCALL;
		uint32_t p;
		struct gt_w w;

		/* Acquire: partner is the store in gt_syscall_begin. The thread is shut out now. */
		if (!gt_cas_acq_rel(&t->x_handoff, &expected, GT_HANDOFF_TAKEN)) {
			continue;
		}
		p = gt_load_relaxed(&t->p);
		w = gt_acquire(t);
		if (t->syscall_gen == w.gen) {
			w.ticks = GT_MIN(t->syscall_ticks + (GT_SYSCALL_KEEP_NS >> GT_TICK_SHIFT),
					 w.ticks);
		}
		gt_event0(&w, PROC_STOP);
		gt_store_relaxed(&t->p, GT_PROC_NONE);
		gt_set_state(&w, t, GT_GO_SYSCALL, 0, 0);
		gt_release(&w);
		gt_thread_give_p(t, p);
		/* Release: partner is the load in gt_syscall_end. */
		gt_store_release(&t->x_handoff, GT_HANDOFF_IDLE);
		gt_sys_futex_wake(&t->x_handoff, 1);
	}
}
