/*
 * Writing events: the slow ways out of a section.
 */
#include "emit.h"

#include "shm.h"
#include "stack_id.h"

void gt_buf_refill(struct gt_w *w)
{
	struct gt_thread *t = w->t;
	struct gt_buf *full = w->b;
	uint64_t before = t->last_ticks; /* the last event of all sections but this one */
	uint64_t ticks;

	GT_INVARIANT(1, t->registered);
	if (full) {
		t->undo.writes = GT_WRITES;
		gt_signal_fence();
		gt_store_written(w);
		t->last_ticks = w->last.event;
		gt_store_relaxed(&t->x_slot[w->parity], 0);
		gt_buf_seal(full);
	}
	/*
	 * Posts that wait in the mailbox are older than now, and nothing in a batch is dated before
	 * what stands first in it: a batch that begins with posts begins with its generation.
	 */
	ticks = w->ticks;
	if (!full && gt_mailbox_left(&t->mailbox[w->parity])) {
		ticks = GT_MIN(ticks, gt_trace->stamp[w->parity].ticks);
	}
	/* Later than before: by that the end of a call in another batch has none of these facts
	 * (base/brief.h). */
	ticks = GT_MAX(ticks, GT_MAX(before + 1, t->last_ticks));
	if (t->kept_buf) {
		w->b = gt_ref_ptr(t->kept_buf);
		t->kept_buf = 0;
		gt_buf_begin(w->b, w->gen, gt_thread_tid(t), ticks);
	} else {
		w->b = gt_buf_new(w->gen, gt_thread_tid(t), ticks);
	}
	if (!w->b) {
		gt_trace_break(GT_BROKEN_MEMORY);
		gt_no_buf(w);
		return;
	}
	gt_at_tail(w);
	gt_brief_reset(&t->brief);
	t->brief_off = false;
	/* Release: partner is the advancer's exchange. */
	gt_store_release(&t->x_slot[w->parity], gt_ptr_ref(w->b));
}

void gt_status_proc(struct gt_w *w, uint32_t p)
{
	struct gt_proc *proc = &gt_trace->procs.proc[p];

	w->t->undo.p = GT_PROC_NONE;
	gt_signal_fence();
	w->t->undo.p_seq = 0;
	w->t->undo.p_listed = 1;
	gt_signal_fence();
	w->t->undo.p = p;
	gt_signal_fence();
	proc->traced[w->parity] = w->gen;
	proc->seq[w->parity] = 0;
	gt_event(w, PROC_STATUS, gt_p(p), gt_pstatus(GT_PROC_IDLE));
}

void gt_proc_missing(struct gt_w *w)
{
	gt_trace_break(GT_BROKEN_PROCS);
	gt_no_buf(w);
}

bool gt_section_undo(struct gt_thread *t)
{
	const struct gt_undo *u = &t->undo;
	uint32_t writes = u->writes;

	if (writes == GT_WRITES_UNDOABLE || writes == GT_WRITES_EVENTS) {
		struct gt_buf *b = gt_ref_ptr(gt_load_relaxed(&t->x_slot[u->parity]));

		/* With it come the times: what it chooses has not been written since. */
		gt_store_relaxed(&b->tail, u->tail);
		if (u->p != GT_PROC_NONE) {
			struct gt_proc *proc = &gt_trace->procs.proc[u->p];

			proc->seq[u->parity] = u->p_seq;
			proc->traced[u->parity] = u->p_listed ? 0 : proc->traced[u->parity];
		}
	}
	if (writes == GT_WRITES_UNDOABLE) {
		t->seq[u->parity] = u->seq;
		t->spare_p = u->spare_p;
		gt_store_relaxed(&t->p, u->own_p);
		gt_store_relaxed(&t->x_state, u->state);
	}
	/* What the section remembered of its facts is not in the batch. */
	gt_brief_reset(&t->brief);
	t->brief_off = true;
	/* A jump that comes before this does it all again. */
	gt_signal_fence();
	t->undo.writes = GT_WRITES_NOTHING;
#ifdef GT_DEBUG
	gt_store_relaxed(&t->x_section_gen, 0);
#endif
	gt_store_release(&t->x_seq, gt_load_relaxed(&t->x_seq) + 1);
	return writes == GT_WRITES_NOTHING || writes >= GT_WRITES_EVENTS;
}

/* The status event of a G in that state, in the name of w's M. It will say its name again. */
static void status_go(struct gt_w *w, struct gt_thread *of, unsigned state)
{
	uint64_t *pcs = w->t->walks.scratch;
	unsigned n = 0;

	/* Waiting and in a system call: where; else: what it is, by its start routine. */
	if (state == GT_GO_WAITING || state == GT_GO_SYSCALL) {
		n = gt_thread_get_stack(of, pcs);
	}
	if (n == 0) {
		pcs[n++] = of->root.entry;
	}
	GT_INVARIANT(11, gt_load_relaxed(&of->born_gen) - 1 < w->gen);
	GT_INVARIANT(4, gt_load_relaxed(&of->traced[w->parity]) != w->gen);
	of->seq[w->parity] = 0;
	gt_event(w, GO_STATUS_STACK, gt_g(gt_thread_id(of)), gt_m(gt_thread_tid(of)),
		 gt_gstatus(state), gt_stack_put(w, pcs, n));
	if (gt_load_relaxed(&of->name[0])) {
		/* Release: as in gt_thread_name, for who looks at the flag alone. */
		gt_store_release(&of->name_new, 1);
	}
}

void gt_status_other(struct gt_w *w, struct gt_thread *other)
{
	/* As above: the advancer may be about to look whether it is traced in the last one. */
	if (w->b && !gt_traced(other, w)) {
		status_go(w, other, gt_state_g(gt_load_relaxed(&other->x_state)));
		gt_store_relaxed(&other->traced[w->parity], w->gen);
	}
}

void gt_status_self(struct gt_w *w)
{
	struct gt_thread *t = w->t;
	uint64_t state = gt_load_relaxed(&t->x_state);
	struct gt_proc *proc = NULL;

	if (gt_state_g(state) == GT_GO_NEW || gt_state_g(state) == GT_GO_DEAD) {
		return;
	}
	if (gt_state_proc(state)) {
		proc = &gt_trace->procs.proc[gt_state_p(state)];
		/* Invariant 4: the slot is this thread's, so nobody else can have listed it. */
		GT_INVARIANT(4, proc->traced[w->parity] != w->gen);
		proc->seq[w->parity] = 0;
		gt_event(w, PROC_STATUS, gt_p(gt_state_p(state)), gt_pstatus(gt_state_proc(state)));
	}
	status_go(w, t, gt_state_g(state));
	if (gt_state_g(state) == GT_GO_RUNNING && gt_load_relaxed(&t->name_new)) {
		gt_thread_emit_name(w);
	}
	/* Counted first: a handler that ends the process leaves what is not counted yet. */
	gt_count(w);
	if (proc) {
		proc->traced[w->parity] = w->gen;
	}
	gt_store_relaxed(&t->traced[w->parity], w->gen);
}

/*
 * Writes the posts of its own box. Who posts meanwhile, and does not see that this thread has woken
 * since its hint, holds the lock by now (post in wait.c), and is waited for.
 */
GT_INLINE void drain(struct gt_w *w, struct gt_mailbox *box, uint64_t until)
{
	uint64_t ticks = w->ticks;
	uint32_t i = gt_load_relaxed(&box->written);
	uint32_t end = i + gt_mailbox_left(box);

	for (; i != end; i++) {
		const struct gt_post *post = &w->t->posts[w->parity][i % GT_MAILBOX];

		/* Dated at the wake-up; a status that comes first is as old, or it would push it
		 * on. */
		w->ticks = GT_MIN(post->ns >> GT_TICK_SHIFT, until);
		if (!gt_traced(w->t, w)) {
			GT_RARELY(w, gt_status_self(&rare));
		}
		gt_event(w, GO_UNBLOCK, gt_g(post->g), gt_seq(post->seq), gt_stack(post->stack));
	}
	/* As above: what is in the box still is the advancer's. */
	gt_count(w);
	/* Release: partner is post, which overwrites what was read. */
	gt_store_release(&box->written, end);
	w->ticks = ticks;
}

void gt_mailbox_drain(struct gt_thread *t, uint64_t gen, uint64_t ticks, uint64_t until)
{
	struct gt_w w = {.t = t, .gen = gen, .ticks = ticks, .parity = gen & 1};
	struct gt_mailbox *box = &t->mailbox[w.parity];

	t->undo.writes = GT_WRITES;
	gt_signal_fence();
	gt_load_buf(&w);
	if (gt_unlikely(!w.b)) {
		return;
	}
	/* As seen in gt_open, or later: after it no post is left out that must not be. */
	if (gt_unlikely(gt_load_acquire(&box->lock.word))) {
		gt_lock_take(&box->lock);
		gt_lock_drop(&box->lock);
	}
	drain(&w, box, until);
}

unsigned gt_mailbox_close(struct gt_w *w)
{
	struct gt_mailbox *mine = &w->t->mailbox[w->parity];
	struct gt_mailbox *other = &w->t->mailbox[!w->parity];
	unsigned left;

	/* Nobody can name it as a waker: no post comes, and none is there. */
	if (w->t->wake_version == w->t->born_version) {
		gt_store_release(&mine->closed, 1);
		gt_store_release(&other->closed, 1);
		return 0;
	}
	gt_lock_take(&mine->lock);
	/* No batch: tracing has ended, and the posts are the advancer's, of the last generation. */
	if (w->b) {
		GT_RARELY(w, drain(&rare, mine, rare.ticks));
	}
	gt_store_release(&mine->closed, 1);
	gt_lock_drop(&mine->lock);
	gt_lock_take(&other->lock);
	gt_store_release(&other->closed, 1);
	left = gt_mailbox_left(other);
	gt_lock_drop(&other->lock);
	return left;
}

void gt_yields_emit(struct gt_w *w, uint64_t until)
{
	struct gt_thread *t = w->t;

	gt_event(w, FACT_YIELDS, gt_value(t->yields),
		 gt_value(gt_clock_between(t->yields_since, until)));
	t->yields = 0;
}

void gt_buf_flush(struct gt_w *w)
{
	struct gt_buf *b = w->b;

	if (!b) {
		return;
	}
	gt_store_written(w);
	/*
	 * Given up here and not left in the slot: the kernel may give our tid to a new thread of
	 * this generation, and the batches of one M stand in the file in the order of its events.
	 */
	gt_store_relaxed(&w->t->x_slot[w->parity], 0);
	if (gt_buf_seal_last(b)) {
		w->t->kept_buf = gt_ptr_ref(b);
	}
	gt_no_buf(w);
}
