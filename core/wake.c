/*
 * Waking: the hints that a waker leaves.
 */
#include "wait.h"

#include "emit.h"
#include "shm.h"
#include "stack_id.h"

/*
 * Notes the stack of this wake-up in the thread's own ring. That of a wait that has just begun is
 * known already; what was walked since may be another's, of a handler that was left meanwhile.
 */
GT_INLINE void note_stack(struct gt_thread *t, struct gt_hint *hint, void *frame)
{
	struct gt_wake_stack *s = &t->wake[hint->version % GT_WAKE_STACKS];
	bool begun = (gt_load_relaxed(&t->wait_number) & 1) && t->wait_sp == (uintptr_t)frame;
	unsigned n;

	if (begun) {
		n = gt_load_relaxed(&t->nblock);
		hint->hash = t->block_hash;
		if (n > GT_WAKE_DEPTH) {
			n = GT_WAKE_DEPTH;
			hint->hash = hint->hash ? gt_seen_hash_and(hint->hash, 0, n) : 0;
		}
	} else {
		n = gt_thread_walk(t, frame, GT_WAKE_DEPTH);
		hint->hash = t->walks.hash;
	}
	/*
	 * A seqlock of its own; partner: read_stack. 0 says that it is being written. Release, so
	 * that who reads one of the new words also reads that the version is no longer its own.
	 */
	gt_store_relaxed(&s->version, 0);
	gt_store_release(&s->over, false);
	/* Who wakes from one place has the list in every slot. */
	if (s->hash != hint->hash || !hint->hash) {
		/* A handler may jump out of here: the hash is there when the rest is. */
		s->hash = 0;
		gt_signal_fence();
		gt_store_release(&s->n, (uint16_t)n);
		for (unsigned i = 0; i < n; i++) {
			gt_store_release(&s->pcs[i], begun ? gt_load_relaxed(&t->block_pcs[i])
							   : t->walks.pcs[i]);
		}
		gt_signal_fence();
		s->hash = hint->hash;
	}
	gt_store_release(&s->version, hint->version);
}

/*
 * The calling thread's hint: who and when; from where says note_stack. The guard is up. Its own
 * wait for a condition variable may have begun, and sets the mutex free: its run is the one before
 * that wait, and has an even number (post).
 */
GT_INLINE void hint_by(struct gt_hint *hint, struct gt_thread *t)
{
	uint32_t version = t->wake_version + 1;

	version += version == 0;
	t->wake_version = version;
	hint->who = gt_ptr_ref(t);
	hint->run = gt_load_relaxed(&t->wait_number) & ~1u;
	hint->g = gt_thread_id(t);
	hint->at = gt_clock_moment();
	hint->hash = 0;
	hint->version = version;
	hint->contended = hint->unsure = false;
}

/* A waker that never blocks has no next event: it looks after its mailbox here. */
static GT_COLD void drain(struct gt_thread *t)
{
	if (gt_state_g(gt_load_relaxed(&t->x_state)) == GT_GO_RUNNING) {
		struct gt_w section = gt_acquire(t);

		gt_release(&section);
	}
}

GT_INLINE void drain_if_full(struct gt_thread *t)
{
	uint64_t gen = gt_load_relaxed(&gt_trace->head.gen);

	if (gt_unlikely(gt_mailbox_left(&t->mailbox[gen & 1]) >= GT_MAILBOX / 2)) {
		drain(t);
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

uint32_t gt_wake_hint(struct gt_thread *t, const void *object, enum gt_wake kind,
		      const struct gt_wake_word *word, void *frame)
{
	struct gt_hint hint;

	gt_guard_up(frame);
	gt_meter_in(&t->meter);
	hint_by(&hint, t);
	/* Who takes a mutex back is told when it was free, and nobody asks from where. */
	if (kind != GT_WAKE_UNLOCK || gt_wake_asks(object)) {
		note_stack(t, &hint, frame);
	}
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

void gt_wake_over(struct gt_thread *t, uint32_t version)
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
	hint_by(&hint, t);
	note_stack(t, &hint, frame);
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
	if (!gt_load_relaxed(&target->wait.object)) {
		return;
	}
	gt_tls.busy++;
	hint_by(&hint, t);
	note_stack(t, &hint, frame);
	gt_waiters_tell_one(&target->wait, &target->id, id, &hint);
	gt_tls.busy--;
}
