/*
 * Writing events: acquire, event, release. The only way to bytes in a batch, but for sections that
 * have nothing else to do, as most of calls and waits (once.h).
 *
 *	struct gt_w w = gt_acquire(t);
 *	gt_event(&w, GO_BLOCK, gt_str(GT_REASON_MUTEX), gt_stack(id));
 *	gt_event0(&w, PROC_STOP);
 *	gt_set_state(&w, GT_GO_WAITING, 0, 0);
 *	gt_release(&w);
 *
 * What lies between is a section: all in one generation, seen whole or not at all by the advancer.
 * A section reads the clock once at most; its events have that time, and Go's reader spreads equal
 * times by 1 ns. A time from outside of a section is a moment (base/clock.h), which only a section
 * can turn into one of its generation. Only the thread itself opens a section on its record (the
 * advancer on its own).
 *
 * The right to write is the value w: it carries the generation, loaded inside the section, so a
 * stale one cannot be used. It is never held across the program's own code or a blocking call
 * (invariant 8). Whoever calls gt_open has set the thread's guard, so that no signal handler
 * can open a second section inside.
 */
#pragma once

#include "base/check.h"
#include "base/spec.h"
#include "base/varint.h"

#include "delay.h"
#include "fence.h"
#include "thread.h"
#include "trace.h"

struct gt_w {
	struct gt_thread *t;
	struct gt_buf *b; /* NULL: nothing is recorded now; events are skipped (gt_no_buf) */
	uint8_t *at;
	uint8_t *facts_at;
	struct gt_last last; /* as in the buffer, of what is written so far */
	uint64_t gen;
	uint64_t ticks; /* the time of its events */
	unsigned parity;
	unsigned side; /* the buffer's, of what counts */
};

/*
 * A call that is rarely made gets a copy, rare, of w: then nobody has the address of w itself, and
 * it stays in registers, which is half of what a section costs.
 */
#define GT_RARELY(w, call)               \
	do {                             \
		struct gt_w rare = *(w); \
		call;                    \
		*(w) = rare;             \
	} while (0)

/* Arguments that must not be mixed are types of their own. */
#define GT_ARG_TYPE(type)                                    \
	struct gt_arg_##type {                               \
		uint64_t v;                                  \
	};                                                   \
	GT_INLINE struct gt_arg_##type gt_##type(uint64_t v) \
	{                                                    \
		return (struct gt_arg_##type){v};            \
	}
GT_ARG_TYPE(g)
GT_ARG_TYPE(m)
GT_ARG_TYPE(p)
GT_ARG_TYPE(seq)
GT_ARG_TYPE(str)
GT_ARG_TYPE(stack)
GT_ARG_TYPE(value)
GT_ARG_TYPE(pstatus)
GT_ARG_TYPE(gstatus)
GT_ARG_TYPE(addr)
#undef GT_ARG_TYPE

/* Slow: seals the batch and takes an empty one. On failure w->b is NULL and the trace is broken. */
GT_COLD void gt_buf_refill(struct gt_w *w);
/*
 * The unblocks that others have posted to t, written in its stream, each at its own time, or at
 * until (ticks) where that is earlier. Inside the section of that generation and time, but before
 * it has its buffer.
 */
GT_NOINLINE void gt_mailbox_drain(struct gt_thread *t, uint64_t gen, uint64_t ticks,
				  uint64_t until);
/* At thread end: the same, and no more posts are taken. Returns how many of another generation
 * stay. */
unsigned gt_mailbox_close(struct gt_w *w);
/* The name that somebody gave this thread, as its label; it runs. */
GT_COLD void gt_thread_emit_name(struct gt_w *w);
/* The yields of this thread that were summed up until that moment, as a fact. */
GT_COLD void gt_yields_emit(struct gt_w *w, uint64_t until);
/* At thread end: the last batch goes to the full list, inside the section. */
void gt_buf_flush(struct gt_w *w);
/* Slow: the state of this thread and its P at its first mention in the generation. */
GT_COLD void gt_status_self(struct gt_w *w);
/* Slow: the state of a P that this thread has just taken, and that has none in this generation. */
GT_COLD void gt_status_proc(struct gt_w *w, uint32_t p);
/* Slow: there was no P, and recording breaks off. */
GT_COLD void gt_proc_missing(struct gt_w *w);
/*
 * A section of the calling thread t ends, and is left for good by a handler that interrupted it.
 * What it has written is not counted, and what it has changed is as before. False: that is not
 * possible, and the generation cannot be finished.
 */
GT_COLD bool gt_section_undo(struct gt_thread *t);
/* The state of another thread that this one owns at the moment. */
void gt_status_other(struct gt_w *w, struct gt_thread *other);

GT_INLINE bool gt_traced(const struct gt_thread *t, const struct gt_w *w)
{
	/* Relaxed: only who owns the transition writes it; the advancer reads it after the drain.
	 */
	return gt_load_relaxed(&t->traced[w->parity]) == w->gen;
}

/*
 * What time the events of a section have, until its owner says otherwise: now; a moment that has
 * been, or the beginning of the generation if that was later; that beginning, or the time of the
 * thread's last event, since the moment has yet to come (gt_section_now). What opening it writes,
 * statuses above all, has that time too.
 */
enum gt_when { GT_WHEN_NOW, GT_WHEN_MOMENT, GT_WHEN_LATER };

/* Not 0: there are posts, or one that its poster is just about to write. */
GT_INLINE uint32_t gt_mailbox_wants(struct gt_mailbox *box)
{
	/* In this order: who posts takes the lock, then counts, then drops it. */
	uint32_t locked = gt_load_seq(&box->lock.word);

	return locked | gt_mailbox_left(box);
}

/* There is no buffer: no event has room. */
GT_INLINE void gt_no_buf(struct gt_w *w)
{
	w->b = NULL;
	w->at = w->facts_at = (uint8_t *)UINTPTR_MAX;
}

/* The buffer that the section has, as the last one left it. */
GT_INLINE void gt_at_tail(struct gt_w *w)
{
	uint64_t tail = gt_load_relaxed(&w->b->tail);

	w->side = gt_tail_side(tail);
	w->at = w->b->events + gt_tail_events(tail);
	w->facts_at = w->b->facts + gt_tail_facts(tail);
	w->last = w->b->last[w->side];
}

/* Its buffer. */
GT_INLINE void gt_load_buf(struct gt_w *w)
{
	/* Acquire: partner is the exchange of the advancer that gave the slot back empty. */
	uint32_t slot = gt_load_acquire(&w->t->x_slot[w->parity]);

	if (gt_likely(slot)) {
		w->b = (struct gt_buf *)(void *)((char *)gt_trace + (uint64_t)slot * 64);
		gt_at_tail(w);
		GT_INVARIANT(2, w->b->gen == w->gen && w->b->m == gt_thread_tid(w->t));
	} else {
		GT_RARELY(w, gt_buf_refill(&rare));
	}
}

/*
 * A section's first and its last step, which gt_open and gt_release take. The generation; 0:
 * nothing is recorded any more.
 */
GT_INLINE uint64_t gt_section_begin(struct gt_thread *t, const struct gt_trace *trace)
{
	uint64_t gen;

	GT_INVARIANT(8, !gt_in_section(t));
	/* The guard is up before, and down after: for this thread's own signal handlers. */
	gt_signal_fence();
	/* Partner: the loads of x_seq in advance.c; see thread.h, Protocol. */
	gt_fence_store(&t->x_seq, gt_load_relaxed(&t->x_seq) + 1);
	gen = gt_load_seq(&trace->head.gen);
	GT_DELAY();
#ifdef GT_DEBUG
	gt_store_relaxed(&t->x_section_gen, gen);
#endif
	return gen;
}

GT_INLINE void gt_section_end(struct gt_thread *t)
{
	/* A jump that comes before this finds all of it undone; one that comes after, done. */
	gt_signal_fence();
	t->undo.writes = GT_WRITES_NOTHING;
	GT_DELAY();
#ifdef GT_DEBUG
	gt_store_relaxed(&t->x_section_gen, 0);
#endif
	/* Release: partner is the advancer's load of x_seq. Only the owner writes it. */
	gt_store_release(&t->x_seq, gt_load_relaxed(&t->x_seq) + 1);
	gt_signal_fence();
}

/* Opens one. Through a pointer: to copy what was just written costs more than to write it. */
GT_INLINE void gt_open(struct gt_w *w, struct gt_thread *t, enum gt_when when, uint64_t moment)
{
	const struct gt_trace *trace = gt_trace;
	const struct gt_clock *clock;

	*w = (struct gt_w){.t = t};
	w->gen = gt_section_begin(t, trace);
	w->parity = w->gen & 1;
	/* The line was stored before gen (prepare_clock in advance.c), and is not changed while
	 * this section is open. */
	clock = &trace->clock[w->parity];
	w->ticks = when == GT_WHEN_LATER ? clock->base_ticks
		   : when == GT_WHEN_NOW ? gt_clock_ticks_now(clock)
					 : gt_clock_ticks_at(clock, moment);
	if (gt_unlikely(w->gen == 0 || gt_load_relaxed(&trace->broken))) {
		gt_no_buf(w);
		return;
	}
	/* Partner: post (wait.c), which must be seen here unless it sees that this thread woke. */
	if (gt_unlikely(gt_mailbox_wants(&t->mailbox[w->parity]))) {
		/* Before its time is known there is none to keep to: all that is posted has been.
		 */
		gt_mailbox_drain(t, w->gen, w->ticks,
				 when == GT_WHEN_LATER ? UINT64_MAX : w->ticks);
	}
	gt_load_buf(w);
	t->undo.writes = GT_WRITES;
	gt_signal_fence();
	if (gt_unlikely(!gt_traced(t, w))) {
		GT_RARELY(w, gt_status_self(&rare));
	}
}

/* The same as a value, of now. */
GT_INLINE struct gt_w gt_acquire(struct gt_thread *t)
{
	struct gt_w w;

	gt_open(&w, t, GT_WHEN_NOW, 0);
	return w;
}

/* A moment as a time of the section's generation. */
GT_INLINE uint64_t gt_section_ticks(const struct gt_w *w, uint64_t moment)
{
	return gt_clock_ticks_at(&gt_trace->clock[w->parity], moment);
}

/* What follows in the section is of now; returns the moment. */
GT_INLINE uint64_t gt_section_now(struct gt_w *w)
{
	uint64_t moment = gt_clock_moment();

	w->ticks = gt_section_ticks(w, moment);
	return moment;
}

/* What the section has written so far is in the buffer: that far, by the other side's times. */
GT_INLINE void gt_store_tail(struct gt_buf *b, uint64_t tail, struct gt_last last)
{
	struct gt_last *to;

	tail ^= gt_tail(0, 0, 1);
	to = &b->last[gt_tail_side(tail)];
	GT_OPAQUE(to);
	*to = last;
	/* Release: partner is the advancer's read after it saw x_seq even, or a recovery's. */
	gt_store_release(&b->tail, tail);
}

GT_INLINE void gt_store_written(struct gt_w *w)
{
	gt_store_tail(w->b,
		      gt_tail((uint32_t)(w->at - w->b->events),
			      (uint32_t)(w->facts_at - w->b->facts), w->side),
		      w->last);
	w->side = !w->side;
}

/* The events that the section has written so far stay written, whatever becomes of it. */
GT_INLINE void gt_count(struct gt_w *w)
{
	/* The times that an undo would go back to are overwritten by a second count. */
	GT_INVARIANT(8, w->t->undo.writes < GT_WRITES_PAUSED);
	if (gt_likely(w->b != NULL)) {
		gt_store_written(w);
		gt_signal_fence();
	}
}

/*
 * From here on the section can be undone: it is about nothing but this thread and its Ps, and lists
 * and locks of others are not touched. What it has written and counted before stays written.
 */
GT_INLINE void gt_undoable_as(struct gt_w *w, uint32_t writes)
{
	struct gt_thread *t = w->t;

	if (gt_unlikely(!w->b)) {
		return;
	}
	t->undo.tail = gt_load_relaxed(&w->b->tail);
	t->undo.parity = w->parity;
	t->undo.p = GT_PROC_NONE;
	if (writes == GT_WRITES_UNDOABLE) {
		t->undo.own_p = gt_load_relaxed(&t->p);
		t->undo.spare_p = t->spare_p;
		t->undo.state = gt_load_relaxed(&t->x_state);
		t->undo.seq = t->seq[w->parity];
	}
	GT_INVARIANT(8, t->undo.tail == gt_tail((uint32_t)(w->at - w->b->events),
						(uint32_t)(w->facts_at - w->b->facts), w->side));
	gt_signal_fence();
	t->undo.writes = writes;
	gt_signal_fence();
}

GT_INLINE void gt_undoable(struct gt_w *w)
{
	gt_undoable_as(w, GT_WRITES_UNDOABLE);
}

/* The same of one that writes events and numbers of Ps, and leaves state and numbers of its G. */
GT_INLINE void gt_undoable_events(struct gt_w *w)
{
	gt_undoable_as(w, GT_WRITES_EVENTS);
}

/*
 * Around a post: what has been posted stays so, and this thread is then runnable at least. A
 * section that could not be undone before (gt_buf_refill) cannot be after.
 */
GT_INLINE void gt_undoable_pause(struct gt_w *w)
{
	if (gt_likely(w->t->undo.writes == GT_WRITES_UNDOABLE)) {
		w->t->undo.writes = GT_WRITES_PAUSED;
	}
	gt_signal_fence();
}

GT_INLINE void gt_undoable_again(struct gt_w *w, bool posted)
{
	gt_signal_fence();
	if (gt_unlikely(w->t->undo.writes != GT_WRITES_PAUSED)) {
		return;
	}
	if (posted) {
		w->t->undo.seq = w->t->seq[w->parity];
		w->t->undo.state = gt_state(GT_GO_RUNNABLE, 0, 0);
		gt_signal_fence();
	}
	w->t->undo.writes = GT_WRITES_UNDOABLE;
}

GT_INLINE void gt_release(struct gt_w *w)
{
	struct gt_thread *t = w->t;

	gt_signal_fence();
	if (gt_likely(w->b != NULL)) {
		gt_store_written(w);
		t->last_ticks = w->last.event;
	}
	gt_section_end(t);
}

/*
 * Trace state: with the events that say so. to running: after it has happened (invariant 7), so
 * that is written by the thread that runs; any other change in the section of its event.
 */
GT_INLINE void gt_set_state(struct gt_w *w, struct gt_thread *of, unsigned g, unsigned pstate,
			    uint32_t p)
{
	GT_INVARIANT(6, gt_in_section(w->t));
	/* Release: partner is the acquire of a joiner that waits for its publication. */
	gt_store_release(&of->x_state, gt_state(g, pstate, p));
}

/* Whether there is a batch that has room for one more event; fact. */
GT_INLINE bool gt_event_fits(const struct gt_w *w)
{
	return gt_likely((uintptr_t)w->at <= (uintptr_t)w->b + offsetof(struct gt_buf, events) +
						     GT_BUF_EVENTS - GT_WIRE_EVENT_MAX);
}

GT_INLINE bool gt_fact_fits(const struct gt_w *w)
{
	return gt_likely((uintptr_t)w->facts_at <= (uintptr_t)w->b +
							   offsetof(struct gt_buf, facts) +
							   GT_BUF_FACTS - GT_WIRE_EVENT_MAX);
}

/* The later one. By a branch, which is foreseen: what follows does not wait for the comparison. */
GT_INLINE uint64_t gt_not_before(uint64_t ticks, uint64_t last)
{
	if (gt_unlikely(ticks < last)) {
		GT_OPAQUE(last);
		return last;
	}
	return ticks;
}

/* Its time, behind that of the last one. */
GT_INLINE uint64_t gt_event_dt(struct gt_w *w)
{
	uint64_t last = w->last.event;

	w->last.event = gt_not_before(w->ticks, last);
	return w->last.event - last;
}

GT_INLINE uint64_t gt_fact_dt(struct gt_w *w)
{
	uint64_t last = w->last.fact;

	if (gt_unlikely(w->facts_at == w->b->facts)) {
		*w->facts_at++ = GT_FACT_MAGIC;
		*w->facts_at++ = GT_FACT_VERSION;
	}
	w->last.fact = gt_not_before(w->ticks, last);
	return w->last.fact - last;
}

/* Makes room where there is none; false: there is nowhere. */
GT_INLINE bool gt_make_room(struct gt_w *w)
{
	if (w->b) {
		GT_RARELY(w, gt_buf_refill(&rare));
	}
	return w->b != NULL;
}

/*
 * One typed call per row of events.def: gt_put_GO_BLOCK(&w, args). The struct begins with the
 * token, so that it is never empty; a missing, surplus or wrong argument does not compile.
 */
#define A(type, name) struct gt_arg_##type name;
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) \
	struct gt_args_##NAME {                            \
		struct gt_w *w;                            \
		args                                       \
	};
#include "base/events.def"
#undef A

#define GT_PUT_AS(what, place, number, NAME, args)                                           \
	GT_INLINE uint8_t *gt_bytes_##NAME(uint8_t *p, uint64_t dt, struct gt_args_##NAME a) \
	{                                                                                    \
		(void)a;                                                                     \
		*p = (number);                                                               \
		p = gt_varint_put_short(p + 1, dt);                                          \
		args return p;                                                               \
	}                                                                                    \
	GT_INLINE void gt_put_##NAME(struct gt_args_##NAME a)                                \
	{                                                                                    \
		if (gt_likely(gt_##what##_fits(a.w)) || gt_make_room(a.w)) {                 \
			uint64_t dt = gt_##what##_dt(a.w);                                   \
                                                                                             \
			a.w->place = gt_bytes_##NAME(a.w->place, dt, a);                     \
		}                                                                            \
	}
#define GT_PUT_TIMED(number, NAME, args) GT_PUT_AS(event, at, number, NAME, args)
#define GT_PUT_FACT(number, NAME, args)  GT_PUT_AS(fact, facts_at, number, NAME, args)
#define GT_PUT_STRUCT(number, NAME, args)
#define GT_PUT_ALLOC(number, NAME, args)
#define A(type, name)                                      p = gt_varint_put(p, a.name.v);
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_PUT_##kind(number, NAME, args)
#include "base/events.def"
#undef A
#undef GT_PUT_AS
#undef GT_PUT_TIMED
#undef GT_PUT_FACT
#undef GT_PUT_STRUCT
#undef GT_PUT_ALLOC

#define gt_event(w, NAME, ...) gt_put_##NAME((struct gt_args_##NAME){(w), __VA_ARGS__})
#define gt_event0(w, NAME)     gt_put_##NAME((struct gt_args_##NAME){(w)})
/* Its bytes alone, at p, dt ticks behind the last one; where they end. For who knows the room. */
#define gt_bytes(p, dt, NAME, ...) \
	gt_bytes_##NAME((p), (dt), (struct gt_args_##NAME){NULL, __VA_ARGS__})
#define gt_bytes0(p, dt, NAME) gt_bytes_##NAME((p), (dt), (struct gt_args_##NAME){NULL})

/* t's G begins to be with the event that follows. */
GT_INLINE void gt_thread_born(struct gt_w *w, struct gt_thread *t)
{
	gt_store_relaxed(&t->born_gen, w->gen);
	t->seq[w->parity] = 0;
	gt_store_relaxed(&t->traced[w->parity], w->gen);
}

/* The next sequence numbers, for those who own the transition, after a status. */
GT_INLINE struct gt_arg_seq gt_seq_g(struct gt_w *w, struct gt_thread *t)
{
	return gt_seq(++t->seq[w->parity]);
}

GT_INLINE struct gt_arg_seq gt_seq_p(struct gt_w *w, uint32_t p)
{
	if (gt_unlikely(p == GT_PROC_NONE)) {
		return gt_seq(0);
	}
	if (w->t->undo.p != p) {
		w->t->undo.p = GT_PROC_NONE;
		gt_signal_fence();
		w->t->undo.p_seq = gt_trace->procs.proc[p].seq[w->parity];
		w->t->undo.p_listed = 0;
		gt_signal_fence();
		w->t->undo.p = p;
		gt_signal_fence();
	}
	return gt_seq(++gt_trace->procs.proc[p].seq[w->parity]);
}

/*
 * This thread starts to run in the slot that it has taken: its state if it has none yet, ProcStart.
 * GT_PROC_NONE: there was no slot, and recording breaks off.
 */
GT_INLINE void gt_proc_start(struct gt_w *w, uint32_t p)
{
	if (gt_unlikely(p == GT_PROC_NONE)) {
		GT_RARELY(w, gt_proc_missing(&rare));
		return;
	}
	/* No batch: tracing has ended, and traced is the advancer's, of the last generation: it is
	 * not even read. */
	if (gt_likely(w->b != NULL) &&
	    gt_unlikely(gt_trace->procs.proc[p].traced[w->parity] != w->gen)) {
		GT_RARELY(w, gt_status_proc(&rare, p));
	}
	gt_event(w, PROC_START, gt_p(p), gt_seq_p(w, p));
}

/* It runs there now: of that section, the last thing. */
GT_INLINE void gt_run_in(struct gt_w *w, uint32_t p)
{
	struct gt_thread *t = w->t;

	gt_store_relaxed(&t->p, p);
	t->spare_p = GT_PROC_NONE;
	gt_set_state(w, t, GT_GO_RUNNING, GT_PROC_RUNNING, p);
}
