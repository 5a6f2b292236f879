/*
 * Waiting and waking: hints, and the two ends of a blocked interval.
 */
#include "wait.h"

#include "advance.h"
#include "brief.h"
#include "emit.h"
#include "shm.h"

/* --- The waker's side ------------------------------------------------------------------------- */

/* The stack of this wake-up. That of a wait that has just begun is known already. */
static unsigned walk(struct gt_thread *t, void *frame)
{
	if ((gt_load_relaxed(&t->wait_number) & 1) && t->wait_sp == (uintptr_t)frame) {
		unsigned n = gt_load_relaxed(&t->nblock);

		/* The walk of a handler's hint may have come between. */
		if (gt_unlikely(t->walks.hash != t->block_hash || !t->block_hash)) {
			n = gt_thread_get_stack(t, t->walks.list);
			t->walks.pcs = t->walks.list;
			t->walks.hash = t->block_hash;
			t->walks.seen = NULL;
		}
		if (n > GT_WAKE_DEPTH) {
			n = GT_WAKE_DEPTH;
			t->walks.hash = 0;
		}
		return n;
	}
	return gt_thread_walk(t, frame, GT_WAKE_DEPTH);
}

/* Notes the stack of this wake-up in the thread's own ring; returns its version. */
static uint64_t note_stack(struct gt_thread *t, void *frame)
{
	uint64_t version = ++t->wake_version;
	struct gt_wake_stack *s = &t->wake[version % GT_WAKE_STACKS];
	unsigned n = walk(t, frame);

	/*
	 * A seqlock of its own; partner: read_stack. 0 says that it is being written. Release, so
	 * that who reads one of the new words also reads that the version is no longer its own.
	 */
	gt_store_relaxed(&s->version, 0);
	gt_store_release(&s->over, false);
	gt_store_release(&s->hash, t->walks.hash);
	gt_store_release(&s->n, n);
	for (unsigned i = 0; i < n; i++) {
		gt_store_release(&s->pcs[i], t->walks.pcs[i]);
	}
	gt_store_release(&s->version, version);
	return version;
}

/* The stack of a hint, as an id of the waiter's section; 0 where the waker has overwritten it. */
static struct gt_arg_stack read_stack(struct gt_w *w, struct gt_thread *waker, uint64_t version)
{
	struct gt_wake_stack *s = &waker->wake[version % GT_WAKE_STACKS];
	uint64_t pcs[GT_WAKE_DEPTH];
	uint64_t hash;
	unsigned n;

	if (gt_load_acquire(&s->version) != version) {
		return gt_stack(0);
	}
	hash = gt_load_acquire(&s->hash);
	n = GT_MIN(gt_load_acquire(&s->n), (uint32_t)GT_WAKE_DEPTH);
	/* Acquire, so that the version is loaded again after all of them. */
	for (unsigned i = 0; i < n; i++) {
		pcs[i] = gt_load_acquire(&s->pcs[i]);
	}
	if (gt_load_relaxed(&s->version) != version) {
		return gt_stack(0);
	}
	return gt_stack_put_known(w, hash, pcs, n);
}

/*
 * The calling thread's hint: who, when, from where. The guard is up. Its own wait for a condition
 * variable may have begun, and sets the mutex free: its run is the one before that wait, and has
 * an even number (post).
 */
static struct gt_hint hint_by(struct gt_thread *t, void *frame)
{
	struct gt_hint hint = {.who = gt_ptr_ref(t),
			       .run = gt_load_relaxed(&t->wait_number) & ~1u,
			       .g = gt_thread_id(t)};

	hint.at = gt_clock_moment();
	hint.version = note_stack(t, frame);
	return hint;
}

/* A waker that never blocks has no next event: it looks after its mailbox here. */
static void drain_if_full(struct gt_thread *t)
{
	uint64_t gen = gt_load_relaxed(&gt_trace->head.gen);

	if (gt_unlikely(gt_load_relaxed(&t->mailbox[gen & 1].count) >= GT_MAILBOX / 2) &&
	    gt_state_g(gt_load_relaxed(&t->x_state)) == GT_GO_RUNNING) {
		struct gt_w section = gt_acquire(t);

		gt_release(&section);
	}
}

/* Of an unlock. The word is looked at as late as can be: a waiter may be about to mark it. */
static void tell_unlock(const void *object, struct gt_hint *hint, const struct gt_wake_word *word)
{
	do {
		hint->contended = word && gt_wake_word_says(word);
		gt_waiters_tell_unlock(object, hint, word && word->queue);
	} while (!hint->contended && word && gt_wake_word_says(word));
}

uint64_t gt_wake_hint(struct gt_thread *t, const void *object, enum gt_wake kind,
		      const struct gt_wake_word *word, void *frame)
{
	struct gt_hint hint;

	gt_guard_up(frame);
	gt_meter_in(&t->meter);
	hint = hint_by(t, frame);
	GT_DELAY();
	if (kind == GT_WAKE_UNLOCK) {
		tell_unlock(object, &hint, word);
	} else {
		gt_waiters_signal(object, kind == GT_WAKE_SIGNAL ? 1 : UINT32_MAX, &hint);
	}
	drain_if_full(t);
	gt_meter_out(&t->meter, kind == GT_WAKE_UNLOCK ? GT_COST_HELD : GT_COST_WAIT);
	gt_tls.busy--;
	return hint.version;
}

void gt_wake_missed(struct gt_thread *t, const void *object, void *frame)
{
	/* A handler since the hint may have put its own frame there. */
	gt_guard_up(frame);
	gt_waiters_untell_unlock(object, gt_ptr_ref(t), t->wake_version);
	gt_tls.busy--;
}

void gt_wake_over(struct gt_thread *t, uint64_t version)
{
	/* Of a later one, where handlers have made so many since: over one way or another. */
	gt_store_release(&t->wake[version % GT_WAKE_STACKS].over, true);
}

void gt_wake_some(struct gt_thread *t, const void *object, uint32_t count, uint32_t mask,
		  void *frame)
{
	struct gt_hint hint;

	gt_guard_up(frame);
	gt_meter_in(&t->meter);
	hint = hint_by(t, frame);
	GT_DELAY();
	gt_waiters_tell(object, count, mask, &hint);
	drain_if_full(t);
	gt_meter_out(&t->meter, GT_COST_WAIT);
	gt_tls.busy--;
}

void gt_wake_spent(const void *object)
{
	gt_tls.busy++;
	gt_waiters_spend(object);
	gt_tls.busy--;
}

void gt_wait_requeue(const void *from, const void *to, uint32_t count)
{
	gt_tls.busy++;
	gt_waiters_requeue(from, to, count);
	gt_tls.busy--;
}

void gt_cancel_hint(struct gt_thread *t, struct gt_thread *target, uint64_t id, void *frame)
{
	struct gt_hint hint;

	/* It has never waited. */
	if (!gt_load_relaxed(&target->waits[0].object)) {
		return;
	}
	gt_tls.busy++;
	hint = hint_by(t, frame);
	gt_waiters_tell_one(&target->waits[0], &target->id, id, &hint);
	gt_tls.busy--;
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
	gt_lock_take(&box->lock);
	n = gt_load_relaxed(&box->count);
	/* Its G id tells whether the record is still the waker's. */
	/* Acquire: partner is gt_thread_new. */
	taken = !gt_load_acquire(&box->closed) && gt_thread_id(waker) == hint->g && n < GT_MAILBOX;
	if (taken) {
		/*
		 * Store the count, then load the number; the waker stores its number as it wakes,
		 * then loads the count (gt_open). So either it sees the post and writes it
		 * before its GoStart, or we see that it woke, and take the post back.
		 */
		gt_store_seq(&box->count, n + 1);
		taken = gt_load_seq(&waker->wait_number) - hint->run <= 1;
		if (taken) {
			box->post[n] = (struct gt_post){gt_thread_id(t), gt_seq_g(w, t).v, ns,
							(uint32_t)stack.v, 0};
		} else {
			gt_store_relaxed(&box->count, n);
		}
	}
	gt_lock_drop(&box->lock);
	return taken;
}

/* --- The waiter's side ------------------------------------------------------------------------ */

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

/* Writes the block and gives the P back. */
static uint32_t block(struct gt_thread *t, const struct gt_wait_for *what)
{
	uint32_t p = gt_load_relaxed(&t->p);
	uint32_t number = gt_load_relaxed(&t->wait_number) + 1;
	unsigned n = gt_thread_walk(t, what->frame, GT_WIRE_FRAMES_MAX);
	struct gt_arg_stack stack;
	struct gt_w w;

	gt_store_relaxed(&t->wait_number, number);
	gt_thread_set_stack(t, t->walks.pcs, n);
	t->block_hash = t->walks.hash;
	t->wait_sp = (uintptr_t)what->frame;
	gt_store_relaxed(&t->reason, what->reason);
	GT_DELAY();
	gt_open(&w, t, GT_WHEN_LATER, 0);
	gt_undoable(&w);
	GT_INVARIANT(4, gt_state_g(gt_load_relaxed(&t->x_state)) == GT_GO_RUNNING);
	stack = gt_stack_put_walked(&w, n);
	/* As late as can be: the thread still runs. */
	t->wait_at = gt_section_now(&w);
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

/* When the unblock was, ns: while the thread was blocked, whatever else was then. */
static uint64_t unblocked_at(const struct gt_w *w, const struct gt_hint *hint,
			     const struct gt_hint *retake)
{
	/* An unlock while the waiter noted its stack ended the wait as it began. */
	uint64_t at = GT_MAX(retake && retake->who ? retake->at : hint->at, w->t->wait_at);

	return GT_MIN(gt_section_ticks(w, at), w->ticks) << GT_TICK_SHIFT;
}

/* Writes the end of a wait: the thread runs again, since that moment. */
static void wake(struct gt_thread *t, uint64_t since, const struct gt_hint *hint,
		 const struct gt_hint *retake, enum gt_ended ended, int result)
{
	bool runnable = gt_state_g(gt_load_acquire(&t->x_state)) == GT_GO_RUNNABLE;
	uint32_t p = GT_WRONG == GT_WRONG_PROC_INSIDE_SECTION ? GT_PROC_NONE : gt_thread_take_p(t);
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
	if (runnable) {
		/* A joiner: the thread that ended has written the unblock. */
		waker = hint->g;
		written = true;
	} else if (hint->who) {
		waker = hint->g;
		stack = read_stack(&w, gt_ref_ptr(hint->who), hint->version);
		GT_DELAY();
		gt_undoable_pause(&w);
		written = post(&w, hint, unblocked_at(&w, hint, retake), stack);
		gt_undoable_again(&w, written);
		if (!written) {
			gt_loss_add(GT_LOSS_MAILBOX_REFUSED);
		}
	} else if (ended == GT_ENDED_WAKER) {
		/* A thread that has ended: known, but no event of it can follow. */
		waker = hint->g;
	}
	if (ended == GT_ENDED_WAKER && !written) {
		ended = waker ? GT_ENDED_REFUSED : GT_ENDED_NOBODY;
	}
	if (!written) {
		gt_event(&w, GO_UNBLOCK, gt_g(gt_thread_id(t)), gt_seq_g(&w, t), stack);
	}
	gt_event(&w, GO_START, gt_g(gt_thread_id(t)), gt_seq_g(&w, t));
	if (retake && retake->who) {
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
	gt_waiters_enter(&t->waits[0], object, gt_clock_moment(),
			 queue ? GT_MASK_ON_ITS_WAY : UINT32_MAX);
	gt_meter_out(&t->meter, GT_COST_WAIT);
}

void gt_wait_register_token(struct gt_thread *t, const void *object, void *frame)
{
	gt_guard_up(frame);
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

/* What ended a wait, which may have stood under two objects. turn: of one that stood in a queue. */
static struct gt_hint leave(struct gt_thread *t, bool woken, enum turn turn, struct gt_hint *retake)
{
	struct gt_hint hint = woken && turn
				      ? gt_waiters_leave_queue(&t->waits[0], turn == TURN_WOKEN)
				      : gt_waiters_leave(&t->waits[0], woken);
	struct gt_hint mutex = gt_waiters_leave(&t->waits[1], true);

	/* Its own release of the mutex, at the start of the wait, is no cause. */
	if (woken && hint.who && mutex.who && mutex.who != gt_ptr_ref(t) && mutex.contended &&
	    mutex.at > hint.at) {
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
	struct gt_hint hint;
	struct gt_hint retake = {0};
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
	hint.who = ended == GT_ENDED_TIMEOUT ? 0 : hint.who;
	/* Partner: post. */
	gt_store_seq(&t->wait_number, number + 1);
	wake(t, since, &hint, &retake, ended, result);
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
	/* Used only where the target has claimed us: then it is the waker, by its own event. */
	struct gt_hint target_hint = {0};
	uint32_t mine;

	if (!still_waits(t, number)) {
		return;
	}
	target_hint.g = t->join_g;
	mine = gt_ptr_ref(t);
	gt_tls.busy++;
	t->join_target = NULL;
	/* Partner: post. */
	gt_store_seq(&t->wait_number, number + 1);
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
	wake(t, gt_clock_moment(), &target_hint, NULL, ended, result);
	gt_meter_out(&t->meter, GT_COST_LIFE);
	gt_advance_if_due(t);
	gt_tls.busy--;
}
