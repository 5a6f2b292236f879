/*
 * Calls: noted when they begin, written when they end or when the advancer must.
 */
#include "call.h"

#include <errno.h>

#include "advance.h"
#include "brief.h"
#include "emit.h"
#include "hand_off.h"
#include "once.h"
#include "shm.h"
#include "stack_id.h"
#include "wait.h"

enum { KEEP = GT_CALL_KEEP_NS >> GT_TICK_SHIFT };

/*
 * errno stays as it is, unsaved: nothing on these ways calls a function that sets it, as the list
 * of imports shows (tests/hygiene/imports.allowed).
 */

/* None until a trace starts: a resolver of an IFUNC calls hooks before its TLS has its values. */
GT_OFTEN_READ uint64_t gt_classes;
GT_OFTEN_READ bool gt_calls_at_once;

/*
 * What the end of the call will look at, asked for while the kernel works: what a server does
 * between two calls drives much of it out of the caches, and there one load waits for another (the
 * generation, then its clock; the slot, then its buffer). What is read here lies on lines that both
 * ends need. Where the generation is another by then, or a value is none, nothing comes of it.
 *
 * Not where the last call began just now, some 2 us ago: it would take 1.5 ns, and find all there.
 */
enum { COLD_TICKS = 4096 };

GT_INLINE void fetch_for_end(const struct gt_thread *t)
{
	const struct gt_trace *trace = gt_trace;
	/* Of its last section. */
	const size_t parity = t->undo.parity;
	const uintptr_t slot = gt_load_relaxed(&t->x_slot[parity]);
	const uintptr_t p = gt_load_relaxed(&t->p);

	__builtin_prefetch(&trace->head.gen);
	__builtin_prefetch(&trace->clock[parity]);
	__builtin_prefetch(&trace->due);
	__builtin_prefetch(&t->mailbox[parity]);
	__builtin_prefetch(&t->brief.call[t->brief.at]);
	/* By numbers: these may be no addresses. */
	__builtin_prefetch((void *)((uintptr_t)trace->procs.proc + p * sizeof(struct gt_proc)));
	__builtin_prefetch(
		(void *)((uintptr_t)trace + slot * GT_REF_UNIT + offsetof(struct gt_buf, tail)));
}

/* It begins, in a stack of n frames; the rest is noted. */
GT_INLINE void begin_in(struct gt_thread *t, unsigned n, uint64_t moment)
{
	const uint64_t gone = moment - t->call_at;

	t->call_stack = n;
	t->call_at = moment;
	GT_DELAY();
	/* First, for a handler that jumps away from here: gt_call_end finds that nothing began. */
	gt_tls.busy = GT_BUSY_CALL;
	gt_signal_fence();
	/* Release: partner is the load of the advancer, who then reads the fields above. */
	gt_store_release(&t->x_in_call, 1);
	if (gone > COLD_TICKS) {
		fetch_for_end(t);
	}
}

static GT_NOINLINE void begin_walking(struct gt_thread *t, void *frame)
{
	const unsigned n = gt_thread_walk(t, frame, GT_WIRE_FRAMES_MAX);

	begin_in(t, n, gt_clock_counter());
}

static GT_NOINLINE void begin_slowly(struct gt_thread *t, void *frame)
{
	uint64_t moment;
	unsigned n;

	gt_meter_in(&t->meter);
	n = gt_thread_walk(t, frame, GT_WIRE_FRAMES_MAX);
	moment = gt_clock_moment();
	gt_meter_out(&t->meter, GT_COST_CALL);
	begin_in(t, n, moment);
}

/* What there may be to do besides begins with a jump: where there are no stacks, no register is
 * saved. */
void gt_call_begin(struct gt_thread *t, enum gt_call call, enum gt_reason as, int64_t arg,
		   void *frame)
{
	gt_guard_raise(frame);
	t->call = (uint16_t)call;
	t->call_as = (uint16_t)as;
	t->call_arg = arg;
	if (gt_unlikely(!gt_calls_at_once)) {
		begin_slowly(t, frame);
	} else if (gt_load_relaxed(&gt_stack_depth) || gt_unlikely(!gt_thread_walked_none(t))) {
		begin_walking(t, frame);
	} else {
		begin_in(t, gt_thread_walk_none(t), gt_clock_counter());
	}
}

/* The events with which a call that is longer than KEEP begins; it gives the P back. */
static void write_begin(struct gt_w *w, uint32_t p, struct gt_arg_stack stack, uint64_t now)
{
	struct gt_thread *t = w->t;

	GT_INVARIANT(4, gt_state_g(gt_load_relaxed(&t->x_state)) == GT_GO_RUNNING);
	if (t->call_as) {
		gt_event(w, GO_BLOCK, gt_str(t->call_as), stack);
	} else {
		gt_event(w, GO_SYSCALL_BEGIN, gt_seq_p(w, p), stack);
		w->ticks = GT_MIN(w->ticks + KEEP, now);
	}
	gt_event0(w, PROC_STOP);
}

/* Those with which it ends, on a P that this thread has. */
static void write_end(struct gt_w *w, uint32_t p)
{
	struct gt_thread *t = w->t;

	if (!t->call_as) {
		gt_event0(w, GO_SYSCALL_END_BLOCKED);
	}
	gt_proc_start(w, p);
	if (t->call_as) {
		gt_event(w, GO_UNBLOCK, gt_g(gt_thread_id(t)), gt_seq_g(w, t), gt_stack(0));
	}
	gt_event(w, GO_START, gt_g(gt_thread_id(t)), gt_seq_g(w, t));
	/* Many a thread waits nowhere else: for its socket, never for a lock. */
	if (gt_unlikely(gt_load_acquire(&t->name_new))) {
		gt_thread_emit_name(w);
	}
}

GT_INLINE void write_yields(struct gt_w *w)
{
	if (gt_unlikely(w->t->yields)) {
		GT_RARELY(w, gt_yields_emit(&rare, gt_clock_moment()));
	}
}

static void write_facts(struct gt_w *w, int64_t result)
{
	struct gt_thread *t = w->t;

	gt_put_call(w, t->call, (uint64_t)(t->call_arg + 1), gt_zigzag(result));
	write_yields(w);
}

/* Both ends of one that kept its P. */
GT_INLINE void write_short(struct gt_w *w, uint32_t p, uint64_t now, int64_t result)
{
	struct gt_thread *t = w->t;
	const uint64_t arg = (uint64_t)(t->call_arg + 1);

	/* Or the end would stand alone in a full buffer, as one whose fact is not written. */
	if (gt_unlikely(!gt_fact_fits(w))) {
		gt_make_room(w);
	}
	gt_event(w, GO_SYSCALL_BEGIN, gt_seq_p(w, p), gt_stack_put_walked(w, t->call_stack));
	w->ticks = GT_MAX(GT_MAX(now, w->last.event + 1), w->last.fact);
	gt_event0(w, GO_SYSCALL_END);
	if (gt_brief_is_next(&t->brief, t->call, arg, gt_zigzag(result))) {
		gt_brief_came(&t->brief, arg);
	} else {
		gt_put_call(w, t->call, arg, gt_zigzag(result));
	}
	write_yields(w);
}

/* Both ends of one that gave its P back, and has it again. */
static GT_NOINLINE void write_long(struct gt_w *w, uint32_t p, uint64_t now, int64_t result)
{
	write_begin(w, p, gt_stack_put_walked(w, w->t->call_stack), now);
	/* As in write_short, also where the counter has gone back: later than ends before it. */
	w->ticks = GT_MAX(GT_MAX(now, w->last.event + 1), w->last.fact);
	write_end(w, p);
	write_facts(w, result);
}

/* The section of a call that is written at once ends: the last event and fact are there. */
GT_INLINE void end_at_once(struct gt_thread *t, struct gt_buf *b, uint64_t tail,
			   struct gt_last last)
{
	gt_store_tail(b, tail, last);
	t->last_ticks = last.event;
	gt_section_end(t);
	gt_advance_if_due(t);
	gt_signal_fence();
	gt_tls.busy = 0;
}

/* The same with its fact, for which there is room, behind the tail that the section has come to. */
static GT_NOINLINE void end_with_fact(struct gt_thread *t, struct gt_buf *b, uint64_t tail,
				      uint64_t event, uint64_t fact, int64_t result)
{
	struct gt_w w = {.t = t,
			 .b = b,
			 .at = b->events + gt_tail_events(tail),
			 .facts_at = b->facts + gt_tail_facts(tail),
			 .last = {event, fact},
			 .ticks = event};

	gt_put_call(&w, t->call, (uint64_t)(t->call_arg + 1), gt_zigzag(result));
	tail = gt_tail(gt_tail_events(tail), (uint32_t)(w.facts_at - b->facts), gt_tail_side(tail));
	end_at_once(t, b, tail, w.last);
}

/*
 * Both ends of one that kept its P, as write_short has them, in a section that has nothing else to
 * do, as in most: what there might be is asked before anything is written. With that the call has
 * ended. False: nothing is written.
 */
GT_INLINE bool write_at_once(struct gt_thread *t, uint64_t moment, int64_t result)
{
	uint64_t tail, begin, took, end, dt, seq, arg;
	struct gt_last last;
	struct gt_once o;
	uint8_t *from, *at;
	uint64_t *p_seq;
	uint32_t p, id;

	if (gt_unlikely(!gt_once_begin(&o, t, t->yields)) || gt_unlikely(o.posts)) {
		goto not_at_once;
	}
	took = moment - o.clock->base_counter;
	/* It was over before the line began. */
	if (gt_unlikely((int64_t)took < 0)) {
		goto not_at_once;
	}
	begin = gt_clock_ticks_behind(o.clock, t->call_at - o.clock->base_counter);
	took = gt_clock_ticks_behind(o.clock, took) - begin;
	GT_OPAQUE(took);
	/* It took too long, or no tick; or it began before the line did, which is far ahead now. */
	if (gt_unlikely(took - 1 >= KEEP)) {
		goto not_at_once;
	}
	tail = o.tail;
	last = o.last;
	end = begin + took;
	/* Its times would be those of what is there already. */
	if (gt_unlikely(begin < last.event) || gt_unlikely(end < last.fact)) {
		goto not_at_once;
	}
	/* From here on neither of the two: there are few registers. */
	dt = begin - last.event;
	GT_OPAQUE(dt);
	p = gt_load_relaxed(&t->p);
	if (gt_unlikely(p == GT_PROC_NONE)) {
		goto not_at_once;
	}
	if (gt_unlikely(!gt_stack_walked_id(t, o.gen, &id))) {
		goto not_at_once;
	}
	p_seq = &gt_trace->procs.proc[p].seq[o.parity];
	seq = *p_seq;
	gt_once_undoable(&o, p, GT_WRITES_EVENTS);
	*p_seq = ++seq;
	from = o.b->events + gt_tail_events(tail);
	at = gt_bytes(from, dt, GO_SYSCALL_BEGIN, gt_seq(seq), gt_stack(id));
	at = gt_bytes0(at, took, GO_SYSCALL_END);
	last.event = end;
	tail += gt_tail((uint32_t)(at - from), 0, 0);
	arg = (uint64_t)(t->call_arg + 1);
	if (gt_likely(gt_brief_is_next(&t->brief, t->call, arg, gt_zigzag(result)))) {
		gt_brief_came(&t->brief, arg);
		end_at_once(t, o.b, tail, last);
	} else {
		end_with_fact(t, o.b, tail, last.event, last.fact, result);
	}
	return true;
not_at_once:
	gt_section_end(t);
	return false;
}

/* Nothing of the call has been written yet. */
static GT_NOINLINE void end_kept(struct gt_thread *t, uint64_t moment, int64_t result)
{
	uint32_t p = gt_load_relaxed(&t->p);
	uint64_t now;
	struct gt_w w;

	gt_open(&w, t, GT_WHEN_MOMENT, t->call_at);
	now = gt_section_ticks(&w, moment);
	gt_budget_took_call(&t->meter, t->call, t->call_at);
	/* Not by ticks: it may have begun in the generation before. */
	if (gt_unlikely(gt_env.min) && gt_clock_between(t->call_at, moment) < gt_env.min) {
		gt_store_relaxed(&t->calls_left_out, gt_load_relaxed(&t->calls_left_out) + 1);
		gt_release(&w);
		return;
	}
	if (gt_likely(now - w.ticks <= KEEP)) {
		gt_undoable_events(&w);
		write_short(&w, p, now, result);
	} else {
		gt_undoable(&w);
		GT_RARELY(&w, write_long(&rare, p, now, result));
	}
	gt_release(&w);
}

/* The advancer writes its beginning, in a generation that is over. */
static void end_handed_off(struct gt_thread *t, int64_t result)
{
	uint32_t p;
	struct gt_w w;

	/* What it had is the advancer's. */
	gt_store_relaxed(&t->p, GT_PROC_NONE);
	gt_thread_set_stack(t, t->walks.pcs, t->call_stack);
	p = gt_thread_take_p(t);
	GT_DELAY();
	gt_open(&w, t, GT_WHEN_NOW, 0);
	gt_undoable(&w);
	write_end(&w, p);
	write_facts(&w, result);
	gt_run_in(&w, p);
	gt_release(&w);
}

/*
 * The advancer has drafted the beginning of the call; the generation that it did that for may not
 * be over. True: it is, and the draft stands. False: the call is this thread's again.
 */
static bool draft_stands(struct gt_thread *t)
{
	bool stands;
	uint64_t gen;

	/* A section that writes nothing. Partner: gt_hand_off_write, as in thread.h, Protocol. */
	gt_fence_store(&t->x_seq, gt_load_relaxed(&t->x_seq) + 1);
	gen = gt_load_seq(&gt_trace->head.gen);
	stands = gen == 0 || gen != gt_load_relaxed(&t->draft.gen);
	GT_DELAY();
	if (!stands) {
		gt_store_relaxed(&t->x_claim, GT_CLAIM_NONE);
	}
	gt_store_release(&t->x_seq, gt_load_relaxed(&t->x_seq) + 1);
	return stands;
}

/* The thread is in no call any more, and says so: who writes its beginning. */
GT_INLINE uint32_t leave(struct gt_thread *t)
{
	/* Partner: gt_hand_off_draft; see thread.h, enum gt_claim. */
	gt_fence_store(&t->x_in_call, 0);
	return gt_load_seq(&t->x_claim);
}

/* What leave found is not NONE. */
static GT_COLD enum gt_claim take_back_claimed(struct gt_thread *t, uint32_t claim)
{
	if (claim == GT_CLAIM_WANTED && gt_cas_acq_rel(&t->x_claim, &claim, GT_CLAIM_NONE)) {
		return GT_CLAIM_NONE;
	}
	if (claim == GT_CLAIM_TAKEN) {
		GT_DELAY();
		if (!draft_stands(t)) {
			return GT_CLAIM_NONE;
		}
		gt_hand_off_settle(t);
		return GT_CLAIM_WRITTEN;
	}
	return claim == GT_CLAIM_WRITTEN ? GT_CLAIM_WRITTEN : GT_CLAIM_NONE;
}

/* The same, settled. GT_CLAIM_NONE: the thread writes all of it; WRITTEN: the end alone. */
static enum gt_claim take_back(struct gt_thread *t)
{
	const uint32_t claim = leave(t);

	return gt_likely(claim == GT_CLAIM_NONE) ? GT_CLAIM_NONE : take_back_claimed(t, claim);
}

/*
 * The end of a call that is not written at once. open: it was, when this was asked first. moment:
 * when it returned; 0: that has not been asked yet.
 */
static GT_NOINLINE void end_slowly(struct gt_thread *t, int64_t result, bool open, uint64_t moment)
{
	enum gt_claim claim;

	gt_meter_in(&t->meter);
	claim = take_back(t);
	if (gt_unlikely(claim == GT_CLAIM_WRITTEN)) {
		open = true;
		/* Where a handler jumped away just here, the end is written already. */
		if (gt_state_g(gt_load_relaxed(&t->x_state)) != GT_GO_RUNNING) {
			end_handed_off(t, result);
		}
		/* Release: partner is the load in gt_hand_off_write, to which the draft still is.
		 */
		gt_store_release(&t->x_claim,
				 gt_load_relaxed(&t->draft.gen) ? GT_CLAIM_BACK : GT_CLAIM_NONE);
	} else if (gt_likely(open)) {
		end_kept(t, moment ? moment : gt_clock_moment(), result);
	}
	gt_meter_out(&t->meter, GT_COST_CALL);
	/* Not where nothing was open: the thread may be in a wait. */
	if (open) {
		gt_advance_if_due(t);
	}
	/* The claim is gone before a handler can begin a call. */
	gt_signal_fence();
	gt_tls.busy = 0;
}

void gt_call_end(struct gt_thread *t, int64_t result)
{
	uint64_t moment = 0;
	bool open;

	/* Closed already, or a child's memory of its parent: t may not even be there. */
	if (gt_unlikely(gt_tls.busy != GT_BUSY_CALL) || gt_unlikely(gt_tls.thread != t)) {
		return;
	}
	/* Traced no more: neither the record nor the mapping is looked at. */
	if (gt_unlikely(gt_tls.epoch != gt_load_relaxed(&gt_gate->epoch))) {
		gt_tls.busy = 0;
		return;
	}
	/* From here on a handler that forks gives its child memory of its own to go on in. */
	gt_tls.busy = 1;
	gt_signal_fence();
	open = gt_load_relaxed(&t->x_in_call) != 0;
	if (gt_likely(open) && gt_likely(gt_calls_at_once)) {
		if (gt_likely(leave(t) == GT_CLAIM_NONE)) {
			moment = gt_clock_counter();
			if (gt_likely(write_at_once(t, moment, result))) {
				return;
			}
		}
	}
	end_slowly(t, result, open, moment);
}

void gt_call_left(struct gt_thread *t)
{
	gt_call_end(t, -ECANCELED);
}

void gt_call_recover(struct gt_thread *t)
{
	bool waits;

	if (!gt_trace_give_up_section() || gt_locks_held) {
		/* What a lock guards is half changed, or an event half written that others know of.
		 */
		gt_lock_leave();
		gt_trace_break(GT_BROKEN_LEFT);
	}
	gt_wait_drop(t);
	gt_tls.busy = GT_BUSY_CALL;
	gt_call_left(t);
	/* Odd while it waits (wait.h): the handler may have come between the number and the state.
	 */
	waits = gt_state_g(gt_load_relaxed(&t->x_state)) != GT_GO_RUNNING;
	if ((gt_load_relaxed(&t->wait_number) & 1) != waits) {
		gt_store_seq(&t->wait_number, gt_load_relaxed(&t->wait_number) + 1);
	}
}

void gt_yield_begin(struct gt_thread *t)
{
	t->yield_at = gt_clock_moment();
}

void gt_yield_end(struct gt_thread *t, void *frame)
{
	enum { MANY = 4096 };
	uint64_t back;

	if (gt_tls.epoch != gt_load_relaxed(&gt_gate->epoch) || gt_tls.busy || gt_tls.thread != t) {
		return;
	}
	gt_tls.busy++;
	gt_meter_in(&t->meter);
	back = gt_clock_moment();
	if (gt_clock_between(t->yield_at, back) > GT_CALL_KEEP_NS) {
		unsigned n = gt_thread_walk(t, frame, GT_WIRE_FRAMES_MAX);
		struct gt_w w;

		gt_open(&w, t, GT_WHEN_MOMENT, t->yield_at);
		gt_undoable(&w);
		gt_event(&w, GO_STOP, gt_str(GT_REASON_YIELD), gt_stack_put_walked(&w, n));
		w.ticks = gt_section_ticks(&w, back);
		gt_event(&w, GO_START, gt_g(gt_thread_id(t)), gt_seq_g(&w, t));
		gt_release(&w);
	} else {
		t->yields_since = t->yields ? t->yields_since : t->yield_at;
		t->yields++;
		if (t->yields == MANY) {
			struct gt_w w = gt_acquire(t);

			gt_undoable(&w);
			gt_yields_emit(&w, gt_clock_moment());
			gt_release(&w);
		}
	}
	gt_budget_took_call(&t->meter, GT_CALL_SCHED_YIELD, t->yield_at);
	gt_meter_out(&t->meter, GT_COST_CALL);
	gt_advance_if_due(t);
	gt_tls.busy--;
}
