/*
 * Waiting: the two ends of a blocked interval.
 */
#include "wait.h"

#include "advance.h"
#include "brief.h"
#include "emit.h"
#include "once.h"
#include "shm.h"
#include "stack_id.h"
#include "wait_in.h"

/* GTRACE_CPU: the calling thread's time on processors so far, ns. 0: nobody wants to know. */
static uint64_t cpu_time(void)
{
	struct timespec ts;

	if (gt_likely(!gt_env.cpu) || gt_sys_clock(CLOCK_THREAD_CPUTIME_ID, &ts) != 0) {
		return 0;
	}
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

/* At the end of a wait: what it says of that is what passed since its beginning. */
static void cpu_spent(struct gt_thread *t)
{
	uint64_t now = t->wait_cpu ? cpu_time() : 0;

	t->wait_cpu = now ? now - t->wait_cpu : 0;
}

/* Writes the block, of the moment wait_at (0: now), on a stack of n frames that was just walked. */
static GT_NOINLINE void block_slowly(struct gt_thread *t, const struct gt_wait_for *what,
				     unsigned n)
{
	struct gt_arg_stack stack;
	struct gt_w w;

	gt_open(&w, t, GT_WHEN_LATER, 0);
	gt_undoable(&w);
	GT_INVARIANT(4, gt_state_g(gt_load_relaxed(&t->x_state)) == GT_GO_RUNNING);
	stack = gt_stack_put_walked(&w, n);
	if (t->wait_at) {
		w.ticks = gt_section_ticks(&w, t->wait_at);
	} else {
		/* As late as can be: the thread still runs. */
		t->wait_at = gt_section_now(&w);
	}
	if (gt_unlikely(gt_load_acquire(&t->name_new))) {
		gt_thread_emit_name(&w);
	}
	if (gt_unlikely(t->yields)) {
		gt_yields_emit(&w, t->wait_at);
	}
	gt_event(&w, GO_BLOCK, gt_str(what->reason), stack);
	gt_event0(&w, PROC_STOP);
	if (what->object) {
		gt_put_block(&w, (uintptr_t)what->object, gt_object_epoch(what->object), what->kind,
			     what->owner);
	}
	t->block_ticks = w.last.event;
	gt_store_relaxed(&t->block_gen, w.gen);
	gt_store_relaxed(&t->p, GT_PROC_NONE);
	if (GT_WRONG != GT_WRONG_STATE_AFTER_SECTION) {
		gt_set_state(&w, t, GT_GO_WAITING, 0, 0);
	}
	gt_release(&w);
	if (GT_WRONG == GT_WRONG_STATE_AFTER_SECTION) {
		GT_DELAY();
		gt_store_release(&t->x_state, gt_state(GT_GO_WAITING, 0, 0));
	}
}

/*
 * The same in a section that has nothing else to do, for an object that the batch has named before.
 * False: it is not so, and nothing is written.
 */
GT_INLINE bool block_at_once(struct gt_thread *t, const struct gt_wait_for *what)
{
	uint8_t *at, *facts;
	uint32_t id, place;
	struct gt_once o;

	/* First, as it is this thread's own memory: of an older batch nothing is asked below. */
	if (GT_WRONG != GT_WRONG_NONE ||
	    gt_unlikely(!gt_brief_place(&t->brief, (uintptr_t)what->object,
					gt_object_epoch(what->object), what->kind, &place))) {
		return false;
	}
	if (gt_unlikely(!gt_once_begin(&o, t, gt_load_acquire(&t->name_new))) ||
	    gt_unlikely(!gt_stack_walked_id(t, o.gen, &id))) {
		gt_section_end(t);
		return false;
	}
	GT_INVARIANT(4, gt_state_g(gt_load_relaxed(&t->x_state)) == GT_GO_RUNNING);
	if (!t->wait_at) {
		/* As late as can be: the thread still runs. */
		t->wait_at = gt_clock_moment();
	}
	o.ticks = gt_clock_ticks_at(o.clock, t->wait_at);
	/* As in gt_open: all that is posted has been, if later than wait_at. */
	gt_once_drain(&o, UINT64_MAX);
	gt_once_undoable(&o, GT_PROC_NONE, GT_WRITES_UNDOABLE);
	at = gt_bytes(gt_once_events(&o), gt_once_event_dt(&o), GO_BLOCK, gt_str(what->reason),
		      gt_stack(id));
	at = gt_bytes0(at, 0, PROC_STOP);
	facts = gt_once_facts(&o);
	if (gt_unlikely(t->yields)) {
		facts = gt_bytes(facts, gt_once_fact_dt(&o), FACT_YIELDS, gt_value(t->yields),
				 gt_value(gt_clock_between(t->yields_since, t->wait_at)));
		t->yields = 0;
	}
	facts = gt_bytes(facts, gt_once_fact_dt(&o), FACT_WAIT,
			 gt_value(gt_brief_owner(o.b->m, what->owner) << GT_BRIEF_BITS | place));
	t->brief.wait = place;
	t->block_ticks = o.last.event;
	gt_store_relaxed(&t->block_gen, o.gen);
	gt_store_relaxed(&t->p, GT_PROC_NONE);
	/* Release: as in gt_set_state. */
	gt_store_release(&t->x_state, gt_state(GT_GO_WAITING, 0, 0));
	gt_once_end(&o, at, facts);
	return true;
}

/* Notes where and for what it is, writes the block, and gives the P back. */
GT_INLINE uint32_t block(struct gt_thread *t, const struct gt_wait_for *what)
{
	uint32_t p = gt_load_relaxed(&t->p);
	uint32_t number = gt_load_relaxed(&t->wait_number) + 1;
	unsigned n = gt_thread_walk(t, what->frame, GT_WIRE_FRAMES_MAX);

	gt_store_relaxed(&t->wait_number, number);
	if (t->block_hash != t->walks.hash || !t->walks.hash) {
		gt_thread_set_stack(t, t->walks.pcs, n);
		gt_signal_fence();
		t->block_hash = t->walks.hash;
	}
	t->wait_sp = (uintptr_t)what->frame;
	gt_store_relaxed(&t->reason, what->reason);
	GT_DELAY();
	if (gt_unlikely(!block_at_once(t, what))) {
		block_slowly(t, what, n);
	}
	gt_thread_give_p(t, p);
	t->wait_cpu = cpu_time();
	return number;
}

/* The stack of a hint, as an id of the waiter's section; 0 where the waker has overwritten it. */
static GT_NOINLINE struct gt_arg_stack read_stack(struct gt_w *w, const struct gt_hint *hint)
{
	struct gt_thread *waker = gt_ref_ptr(hint->who);
	struct gt_wake_stack *s = &waker->wake[hint->version % GT_WAKE_STACKS];
	uint64_t pcs[GT_WAKE_DEPTH];
	unsigned n;

	if (gt_load_acquire(&s->version) != hint->version) {
		return gt_stack(0);
	}
	n = GT_MIN(gt_load_acquire(&s->n), (unsigned)GT_WAKE_DEPTH);
	/* Acquire, so that the version is loaded again after all of them. */
	for (unsigned i = 0; i < n; i++) {
		pcs[i] = gt_load_acquire(&s->pcs[i]);
	}
	if (gt_load_relaxed(&s->version) != hint->version) {
		return gt_stack(0);
	}
	return gt_stack_put_known(w, hint->hash, pcs, n);
}

/* The same; where this thread has seen the stack before, the waker's memory is not touched. */
GT_INLINE struct gt_arg_stack stack_of(struct gt_w *w, const struct gt_hint *hint)
{
	uint32_t id = gt_stack_known(w->t, w->gen, hint->hash);
	struct gt_arg_stack stack = gt_stack(id);

	if (gt_unlikely(!id)) {
		GT_RARELY(w, stack = read_stack(&rare, hint));
	}
	return stack;
}

/*
 * Posts the unblock of t, which has a section of that parity open, to its waker, with that time.
 * False: refused.
 */
GT_INLINE bool post(struct gt_thread *t, size_t parity, const struct gt_hint *hint, uint64_t ticks,
		    uint32_t stack)
{
	struct gt_thread *waker = gt_ref_ptr(hint->who);
	struct gt_mailbox *box = &waker->mailbox[parity];
	uint32_t n;
	bool taken;

	if (waker == t) {
		return false;
	}
	/*
	 * Take the lock, then load the number; the waker stores its number as it wakes, then loads
	 * the lock (gt_open). So either it sees that somebody posts and writes it before its
	 * GoStart, or we see that it woke, and do not post.
	 */
	gt_lock_take(&box->lock);
	n = gt_load_relaxed(&box->posted);
	/* Its G id tells whether the record is still the waker's. */
	/* Acquire: partners are gt_thread_new, and who has read what stood there (drain). */
	taken = !gt_load_acquire(&box->closed) && gt_thread_id(waker) == hint->g &&
		n - gt_load_acquire(&box->written) < GT_MAILBOX &&
		gt_load_seq(&waker->wait_number) - hint->run <= 1;
	if (taken) {
		struct gt_post *post = &waker->posts[parity][n % GT_MAILBOX];

		post->g = gt_thread_id(t);
		post->seq = ++t->seq[parity];
		post->ns = ticks << GT_TICK_SHIFT;
		post->stack = stack;
		/* Release: partner is gt_mailbox_left. */
		gt_store_release(&box->posted, n + 1);
	}
	gt_lock_drop(&box->lock);
	return taken;
}

/*
 * When the unblock was, ticks: while the thread was blocked, whatever else was then. Not at the
 * very time of the block: of two events with one time, the first of which waits for the other, Go's
 * reader may never try the other (it sorts its heap after the first was in vain, and goes on at the
 * second place), and refuse the trace where nothing else can go on.
 */
GT_INLINE uint64_t unblocked_at(const struct gt_thread *t, uint64_t gen,
				const struct gt_clock *clock, uint64_t now,
				const struct gt_hint *hint, const struct gt_hint *retake)
{
	/* An unlock while the waiter noted its stack ended the wait as it began. */
	uint64_t at = GT_MAX(retake ? retake->at : hint->at, t->wait_at);
	uint64_t ticks = GT_MIN(gt_clock_ticks_at(clock, at), now);

	/* As it is written: both moments may lie before the generation, which begins with the
	 * block then. */
	if (gt_load_relaxed(&t->block_gen) == gen) {
		ticks = GT_MAX(ticks, t->block_ticks + 1);
	}
	return ticks;
}

/*
 * The thread runs again: in which slot. Says so first, to who is about to post: partner is post,
 * with the look at the mailbox in gt_open for its other half, so there is a fence between the two.
 * To take a slot is a locked instruction, which is one.
 */
static uint32_t run_again(struct gt_thread *t, uint32_t number)
{
	if (GT_WRONG == GT_WRONG_PROC_INSIDE_SECTION || t->spare_p != GT_PROC_NONE ||
	    t->is_advancer) {
		gt_exchange_seq(&t->wait_number, number);
	} else {
		gt_store_relaxed(&t->wait_number, number);
	}
	if (GT_WRONG == GT_WRONG_PROC_INSIDE_SECTION) {
		return GT_PROC_NONE;
	}
	number = gt_thread_take_p(t);
	gt_fence_locked();
	return number;
}

/*
 * Writes the end of the wait: the thread runs again on p, since that moment. hint: by whom; NULL:
 * nobody is known. retake: by whom the mutex was set free that it then waited for; NULL: it did
 * not.
 */
static GT_NOINLINE void wake_slowly(struct gt_thread *t, uint32_t p, uint64_t since,
				    const struct gt_hint *hint, const struct gt_hint *retake,
				    enum gt_ended ended, int result, bool joins)
{
	uint64_t waker = 0;
	struct gt_arg_stack stack = gt_stack(0);
	struct gt_w w;
	bool written;

	gt_open(&w, t, GT_WHEN_MOMENT, since);
	gt_undoable(&w);
	if (GT_WRONG == GT_WRONG_PROC_INSIDE_SECTION) {
		p = gt_thread_take_p(t);
	}
	gt_proc_start(&w, p);
	/*
	 * The thread that it joins has written the unblock as it ended; or this wait has posted it
	 * already, and a handler jumped out of the section that did.
	 */
	written = gt_state_g(gt_load_acquire(&t->x_state)) == GT_GO_RUNNABLE;
	if (joins) {
		/* Or that thread had ended before, and no event of it can follow. */
		waker = written || ended == GT_ENDED_WAKER ? t->join_g : 0;
	} else if (gt_likely(hint != NULL) && gt_likely(!written)) {
		uint64_t unblocked =
			unblocked_at(t, w.gen, &gt_trace->clock[w.parity], w.ticks, hint, retake);

		waker = hint->g;
		stack = stack_of(&w, hint);
		GT_DELAY();
		gt_undoable_pause(&w);
		written = w.b && post(t, w.parity, hint, unblocked, (uint32_t)stack.v);
		gt_undoable_again(&w, written);
		w.ticks = GT_MAX(w.ticks, unblocked);
		if (gt_unlikely(!written)) {
			gt_loss_add(GT_LOSS_MAILBOX_REFUSED);
		}
	}
	if (ended == GT_ENDED_WAKER && !written) {
		ended = waker ? GT_ENDED_REFUSED : GT_ENDED_NOBODY;
	}
	if (!written) {
		gt_event(&w, GO_UNBLOCK, gt_g(gt_thread_id(t)), gt_seq_g(&w, t), stack);
	}
	gt_event(&w, GO_START, gt_g(gt_thread_id(t)), gt_seq_g(&w, t));
	if (gt_unlikely(gt_load_acquire(&t->name_new))) {
		gt_thread_emit_name(&w);
	}
	if (retake) {
		gt_put_retake(&w, t->wait.mutex, retake->g, gt_clock_between(hint->at, retake->at));
	}
	if (gt_unlikely(t->wait_cpu)) {
		gt_event(&w, FACT_ON_CPU, gt_g(gt_thread_id(t)), gt_value(t->wait_cpu));
	}
	gt_put_wait_end(&w, ended, (uint32_t)result, waker);
	gt_run_in(&w, p);
	gt_release(&w);
}

/*
 * The same where all is as in most waits: it is known by whom, in a section that has nothing else
 * to do, and the batch has said what is said again. False: it is not so, and nothing is written.
 */
GT_INLINE bool wake_at_once(struct gt_thread *t, uint32_t p, uint64_t since,
			    const struct gt_hint *hint, const struct gt_hint *retake)
{
	struct gt_proc *proc = &gt_trace->procs.proc[p];
	const uint64_t g = gt_thread_id(t);
	uint8_t *at, *facts;
	struct gt_once o;
	uint64_t unblocked;
	uint32_t id;
	bool posted;

	if (GT_WRONG != GT_WRONG_NONE ||
	    gt_unlikely(!gt_once_begin(&o, t, gt_load_acquire(&t->name_new))) ||
	    gt_unlikely(proc->traced[o.parity] != o.gen) || gt_unlikely(!t->brief.g)) {
		goto not_at_once;
	}
	id = gt_stack_known(t, o.gen, hint->hash);
	if (gt_unlikely(!id)) {
		goto not_at_once;
	}
	if (retake && gt_unlikely(!gt_brief_retakes(&t->brief, t->wait.mutex))) {
		goto not_at_once;
	}
	o.ticks = gt_clock_ticks_at(o.clock, since);
	gt_once_drain(&o, o.ticks);
	unblocked = unblocked_at(t, o.gen, o.clock, o.ticks, hint, retake);
	gt_once_undoable(&o, p, GT_WRITES_UNDOABLE);
	GT_DELAY();
	gt_once_pause(&o);
	posted = post(t, o.parity, hint, unblocked, id);
	gt_once_again(&o, posted);
	o.ticks = GT_MAX(o.ticks, unblocked);
	at = gt_bytes(gt_once_events(&o), gt_once_event_dt(&o), PROC_START, gt_p(p),
		      gt_seq(++proc->seq[o.parity]));
	if (gt_unlikely(!posted)) {
		gt_loss_add(GT_LOSS_MAILBOX_REFUSED);
		at = gt_bytes(at, 0, GO_UNBLOCK, gt_g(g), gt_seq(++t->seq[o.parity]), gt_stack(id));
	}
	at = gt_bytes(at, 0, GO_START, gt_g(g), gt_seq(++t->seq[o.parity]));
	facts = gt_once_facts(&o);
	if (retake) {
		facts = gt_bytes(facts, gt_once_fact_dt(&o), FACT_RETAKEN, gt_g(retake->g),
				 gt_value(gt_clock_between(hint->at, retake->at)));
	}
	if (gt_likely(posted)) {
		facts = gt_bytes(facts, gt_once_fact_dt(&o), FACT_WOKEN, gt_g(hint->g));
	} else {
		facts = gt_bytes(facts, gt_once_fact_dt(&o), FACT_WAIT_END, gt_g(g),
				 gt_value(GT_ENDED_REFUSED), gt_value(0), gt_g(hint->g));
	}
	gt_store_relaxed(&t->p, p);
	t->spare_p = GT_PROC_NONE;
	/* Release: as in gt_set_state. */
	gt_store_release(&t->x_state, gt_state(GT_GO_RUNNING, GT_PROC_RUNNING, p));
	gt_once_end(&o, at, facts);
	return true;
not_at_once:
	gt_section_end(t);
	return false;
}

/* Takes a P, and writes the end of the wait with that number. */
GT_INLINE void wake(struct gt_thread *t, uint32_t number, uint64_t since,
		    const struct gt_hint *hint, const struct gt_hint *retake, enum gt_ended ended,
		    int result)
{
	uint32_t p = run_again(t, number + 1);

	GT_DELAY();
	if (gt_unlikely(!hint) || gt_unlikely(ended != GT_ENDED_WAKER) ||
	    gt_unlikely(result != 0) || gt_unlikely(t->wait_cpu != 0) ||
	    gt_unlikely(p == GT_PROC_NONE) ||
	    gt_unlikely(!wake_at_once(t, p, since, hint, retake))) {
		wake_slowly(t, p, since, hint, retake, ended, result, false);
	}
}

void gt_wait_register(struct gt_thread *t, const void *object, bool queue, void *frame)
{
	/* The guard stays up until begin or withdraw: a handler's lock must not register too. */
	gt_guard_up(frame);
	gt_meter_in(&t->meter);
	/* The moment of its block as well, unless it withdraws. */
	t->wait_at = gt_clock_moment();
	gt_waiters_enter(&t->wait, object, t->wait_at, queue ? GT_MASK_ON_ITS_WAY : UINT32_MAX);
	gt_meter_out(&t->meter, GT_COST_WAIT);
}

void gt_wait_register_token(struct gt_thread *t, const void *object, void *frame)
{
	gt_guard_up(frame);
	t->wait_at = 0;
	gt_waiters_enter(&t->wait, object, 0, UINT32_MAX);
}

void gt_wait_withdraw(struct gt_thread *t)
{
	gt_waiters_leave(&t->wait, false);
	gt_tls.busy--;
}

uint32_t gt_wait_begin(struct gt_thread *t, const struct gt_wait_for *what)
{
	bool registered = t->wait.listed;
	uint32_t number;

	/* The guard is up already where gt_wait_register has raised it. */
	if (!registered) {
		gt_guard_up(what->frame);
		t->wait_at = 0;
	}
	gt_meter_in(&t->meter);
	number = block(t, what);
	GT_DELAY();
	if (what->mutex) {
		gt_waiters_enter_cond(&t->wait, what->object, what->mutex, t->wait_at);
	} else if (what->object && !registered) {
		gt_waiters_enter(&t->wait, what->key ? what->key : what->object, t->wait_at,
				 what->mask);
	} else if (what->called) {
		gt_waiters_arrive(&t->wait);
	}
	gt_meter_out(&t->meter, GT_COST_WAIT);
	gt_tls.busy--;
	return number;
}

/* Of a wait that ended by a wake-up: what tells by which. */
enum turn { TURN_NONE, TURN_TRIED, TURN_WOKEN };

/* What ended a wait, and if it was for a condition the one for its mutex. */
static const struct gt_hint *leave(struct gt_thread *t, bool woken, enum turn turn,
				   const struct gt_hint **retake)
{
	const struct gt_hint *hint = woken && turn
					     ? gt_waiters_leave_queue(&t->wait, turn == TURN_WOKEN)
					     : gt_waiters_leave(&t->wait, woken);
	const struct gt_hint *mutex = gt_waiters_back(&t->wait, true);

	/* Its own release of the mutex, at the start of the wait, is no cause. */
	if (mutex && woken && hint && mutex->who != gt_ptr_ref(t) && mutex->contended &&
	    mutex->at > hint->at) {
		*retake = mutex;
	}
	return hint;
}

void gt_wait_sleep(struct gt_thread *t, uint32_t number, bool woken)
{
	if (gt_wait_still(t, number)) {
		gt_tls.busy++;
		gt_meter_in(&t->meter);
		gt_waiters_sleep(&t->wait, t->wait_at, woken);
		gt_meter_out(&t->meter, GT_COST_WAIT);
		gt_tls.busy--;
	}
}

static void end_wait(struct gt_thread *t, uint32_t number, enum gt_ended ended, int result,
		     enum turn turn)
{
	const struct gt_hint *retake = NULL;
	const struct gt_hint *hint;
	uint64_t since;

	if (!gt_wait_still(t, number)) {
		return;
	}
	if (t->join_target) {
		/* Closed by somebody who only knows that it is a wait. */
		gt_join_end(t, t->join_target, number, ended, result);
		return;
	}
	gt_tls.busy++;
	gt_meter_in(&t->meter);
	/* It ran from here on, and not from when its waker is found. */
	cpu_spent(t);
	since = gt_clock_moment();
	if (t->wait.listed) {
		gt_budget_took_wait((const void *)gt_load_relaxed(&t->wait.object), t->wait_at);
	}
	hint = leave(t, ended == GT_ENDED_WAKER, turn, &retake);
	/* A time-out is one, whoever else did something at that moment. */
	hint = ended == GT_ENDED_TIMEOUT ? NULL : hint;
	wake(t, number, since, hint, retake, ended, result);
	gt_meter_out(&t->meter, gt_budget_wait_cost(gt_load_relaxed(&t->reason)));
	gt_advance_if_due(t);
	gt_tls.busy--;
}

void gt_wait_end(struct gt_thread *t, uint32_t number, enum gt_ended ended, int result)
{
	end_wait(t, number, ended, result, TURN_NONE);
}

void gt_wait_end_queue(struct gt_thread *t, uint32_t number, enum gt_ended ended, int result,
		       bool woken)
{
	end_wait(t, number, ended, result, woken ? TURN_WOKEN : TURN_TRIED);
}

void gt_wait_drop(struct gt_thread *t)
{
	gt_waiters_leave(&t->wait, false);
	gt_waiters_back(&t->wait, false);
}

bool gt_wait_left(struct gt_thread *t, uintptr_t sp)
{
	if (!gt_frame_left(t, t->wait_sp, sp)) {
		return false;
	}
	gt_wait_end(t, gt_load_relaxed(&t->wait_number), GT_ENDED_CANCELLED, 0);
	return true;
}

uint32_t gt_wait_write_block(struct gt_thread *t, const struct gt_wait_for *what)
{
	return block(t, what);
}

void gt_wait_write_joined(struct gt_thread *t, uint32_t number, enum gt_ended ended, int result)
{
	uint64_t since;
	uint32_t p;

	cpu_spent(t);
	since = gt_clock_moment();
	p = run_again(t, number + 1);
	GT_DELAY();
	wake_slowly(t, p, since, NULL, NULL, ended, result, true);
}
