/*
 * Waiting: the two ends of a blocked interval.
 */
#include "wait.h"

#include "advance.h"
#include "brief.h"
#include "emit.h"
#include "shm.h"
#include "stack_id.h"

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

/* Writes the block, of the moment wait_at (0: now), and gives the P back. */
GT_INLINE uint32_t block(struct gt_thread *t, const struct gt_wait_for *what)
{
	uint32_t p = gt_load_relaxed(&t->p);
	uint32_t number = gt_load_relaxed(&t->wait_number) + 1;
	unsigned n = gt_thread_walk(t, what->frame, GT_WIRE_FRAMES_MAX);
	struct gt_arg_stack stack;
	struct gt_w w;

	gt_store_relaxed(&t->wait_number, number);
	if (t->block_hash != t->walks.hash || !t->walks.hash) {
		gt_thread_set_stack(t, t->walks.pcs, n);
		gt_signal_fence();
		t->block_hash = t->walks.hash;
	}
	t->wait_sp = (uintptr_t)what->frame;
	gt_store_relaxed(&t->reason, what->reason);
	GT_DELAY();
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
		gt_yields_emit(&w);
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

/* Posts the unblock of w's thread to its waker, with that time (ns). False: refused. */
static bool post(struct gt_w *w, const struct gt_hint *hint, uint64_t ns, struct gt_arg_stack stack)
{
	struct gt_thread *t = w->t;
	struct gt_thread *waker = gt_ref_ptr(hint->who);
	struct gt_mailbox *box = &waker->mailbox[w->parity];
	uint32_t n;
	bool taken;

	if (!w->b || waker == t) {
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
		struct gt_post *post = &waker->posts[w->parity][n % GT_MAILBOX];

		post->g = gt_thread_id(t);
		post->seq = gt_seq_g(w, t).v;
		post->ns = ns;
		post->stack = (uint32_t)stack.v;
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
static uint64_t unblocked_at(const struct gt_w *w, const struct gt_hint *hint,
			     const struct gt_hint *retake)
{
	/* An unlock while the waiter noted its stack ended the wait as it began. */
	uint64_t at = GT_MAX(retake ? retake->at : hint->at, w->t->wait_at);
	uint64_t ticks = GT_MIN(gt_section_ticks(w, at), w->ticks);

	/* As it is written: both moments may lie before the generation, which begins with the
	 * block then. */
	if (gt_load_relaxed(&w->t->block_gen) == w->gen) {
		ticks = GT_MAX(ticks, w->t->block_ticks + 1);
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
 * Writes the end of the wait with that number: the thread runs again, since that moment. hint: by
 * whom; NULL: nobody is known. retake: by whom the mutex was set free that it then waited for;
 * NULL: it did not.
 */
GT_INLINE void wake(struct gt_thread *t, uint32_t number, uint64_t since,
		    const struct gt_hint *hint, const struct gt_hint *retake, enum gt_ended ended,
		    int result, bool joins)
{
	uint32_t p = run_again(t, number + 1);
	uint64_t waker = 0;
	bool written = false;
	struct gt_arg_stack stack = gt_stack(0);
	struct gt_w w;

	GT_DELAY();
	gt_open(&w, t, GT_WHEN_MOMENT, since);
	gt_undoable(&w);
	if (GT_WRONG == GT_WRONG_PROC_INSIDE_SECTION) {
		p = gt_thread_take_p(t);
	}
	gt_proc_start(&w, p);
	if (joins) {
		/*
		 * The thread that ended has written the unblock; or it had ended before, and no
		 * event of it can follow.
		 */
		written = gt_state_g(gt_load_acquire(&t->x_state)) == GT_GO_RUNNABLE;
		waker = written || ended == GT_ENDED_WAKER ? t->join_g : 0;
	} else if (gt_likely(hint != NULL)) {
		uint64_t unblocked = unblocked_at(&w, hint, retake);

		waker = hint->g;
		stack = stack_of(&w, hint);
		GT_DELAY();
		gt_undoable_pause(&w);
		written = post(&w, hint, unblocked << GT_TICK_SHIFT, stack);
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
		gt_put_retake(&w, gt_load_relaxed(&t->waits[1].object), retake->g,
			      gt_clock_between(hint->at, retake->at));
	}
	if (gt_unlikely(t->wait_cpu)) {
		gt_event(&w, FACT_ON_CPU, gt_g(gt_thread_id(t)), gt_value(t->wait_cpu));
	}
	gt_put_wait_end(&w, ended, (uint32_t)result, waker);
	gt_run_in(&w, p);
	gt_release(&w);
}

void gt_wait_register(struct gt_thread *t, const void *object, bool queue, void *frame)
{
	/* The guard stays up until begin or withdraw: a handler's lock must not register too. */
	gt_guard_up(frame);
	gt_meter_in(&t->meter);
	/* The moment of its block as well, unless it withdraws. */
	t->wait_at = gt_clock_moment();
	gt_waiters_enter(&t->waits[0], object, t->wait_at, queue ? GT_MASK_ON_ITS_WAY : UINT32_MAX);
	gt_meter_out(&t->meter, GT_COST_WAIT);
}

void gt_wait_register_token(struct gt_thread *t, const void *object, void *frame)
{
	gt_guard_up(frame);
	t->wait_at = 0;
	gt_waiters_enter(&t->waits[0], object, 0, UINT32_MAX);
}

void gt_wait_withdraw(struct gt_thread *t)
{
	gt_waiters_leave(&t->waits[0], false);
	gt_tls.busy--;
}

uint32_t gt_wait_begin(struct gt_thread *t, const struct gt_wait_for *what)
{
	bool registered = t->waits[0].listed;
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
		gt_waiters_enter_both(t->waits, what->object, what->mutex, t->wait_at);
	} else if (what->object && !registered) {
		gt_waiters_enter(&t->waits[0], what->key ? what->key : what->object, t->wait_at,
				 what->mask);
	} else if (what->called) {
		gt_waiters_arrive(&t->waits[0]);
	}
	gt_meter_out(&t->meter, GT_COST_WAIT);
	gt_tls.busy--;
	return number;
}

/* Of a wait that ended by a wake-up: what tells by which. */
enum turn { TURN_NONE, TURN_TRIED, TURN_WOKEN };

/* What ended a wait, which may have stood under two objects. */
static const struct gt_hint *leave(struct gt_thread *t, bool woken, enum turn turn,
				   const struct gt_hint **retake)
{
	const struct gt_hint *hint =
		woken && turn ? gt_waiters_leave_queue(&t->waits[0], turn == TURN_WOKEN)
			      : gt_waiters_leave(&t->waits[0], woken);
	const struct gt_hint *mutex = gt_waiters_leave(&t->waits[1], true);

	/* Its own release of the mutex, at the start of the wait, is no cause. */
	if (mutex && woken && hint && mutex->who != gt_ptr_ref(t) && mutex->contended &&
	    mutex->at > hint->at) {
		*retake = mutex;
	}
	return hint;
}

/*
 * Before anything else: a child of fork, or a thread after the end of tracing, must not look at t;
 * nor one whose handler forked and began a trace of its own.
 */
static bool still_waits(struct gt_thread *t, uint32_t number)
{
	return gt_tls.epoch == gt_load_relaxed(&gt_gate->epoch) && gt_tls.thread == t &&
	       number == gt_load_relaxed(&t->wait_number);
}

void gt_wait_sleep(struct gt_thread *t, uint32_t number, bool woken)
{
	if (still_waits(t, number)) {
		gt_tls.busy++;
		gt_meter_in(&t->meter);
		gt_waiters_sleep(&t->waits[0], t->wait_at, woken);
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

	if (!still_waits(t, number)) {
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
	if (t->waits[0].listed) {
		gt_budget_took_wait((const void *)gt_load_relaxed(&t->waits[0].object), t->wait_at);
	}
	hint = leave(t, ended == GT_ENDED_WAKER, turn, &retake);
	/* A time-out is one, whoever else did something at that moment. */
	hint = ended == GT_ENDED_TIMEOUT ? NULL : hint;
	wake(t, number, since, hint, retake, ended, result, false);
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
	for (int i = 0; i < GT_WAITS; i++) {
		gt_waiters_leave(&t->waits[i], false);
	}
}

bool gt_wait_left(struct gt_thread *t, uintptr_t sp)
{
	if (!gt_frame_left(t, t->wait_sp, sp)) {
		return false;
	}
	gt_wait_end(t, gt_load_relaxed(&t->wait_number), GT_ENDED_CANCELLED, 0);
	return true;
}

/* --- Join ------------------------------------------------------------------------------------- */

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
	number = block(t, &what);
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

	if (!still_waits(t, number)) {
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
	cpu_spent(t);
	wake(t, number, gt_clock_moment(), NULL, NULL, ended, result, true);
	gt_meter_out(&t->meter, GT_COST_LIFE);
	gt_advance_if_due(t);
	gt_tls.busy--;
}
