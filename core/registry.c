/*
 * The registry of threads: their records, and which pthread_t is whose.
 *
 * Two lists of records that nobody uses. free: not in the registry. spare: still linked there, of
 * threads that lived and ended in one generation. No other generation knows of those, so the next
 * thread takes the record as it is, in the caches still; without that a program that makes short
 * threads walked through a thousand cold records, the advancer all of them nine times a
 * generation. What the end of a generation finds on the spare list becomes free.
 *
 * The advancer never has threads_lock, so that no thread waits for it. It is the only one to take
 * records out of the registry and to make them free, and takes the spare list whole. Records are
 * popped with the lock alone; so what is the first of a list stays that, or comes behind a new
 * first, or goes with the whole list: a compare-and-swap needs no counter.
 */
#include "thread.h"

#include <string.h>

#include "advancer.h"
#include "delay.h"
#include "shm.h"
#include "trace.h"

static void push(_Atomic uint32_t *list, struct gt_thread *t)
{
	uint32_t first = gt_load_relaxed(list);

	/* Release: partners are pop_locked and end_spare. */
	do {
		gt_store_relaxed(&t->next_unused, first);
	} while (!gt_cas_acq_rel(list, &first, gt_ptr_ref(t)));
}

static struct gt_thread *pop_locked(_Atomic uint32_t *list)
{
	uint32_t first = gt_load_acquire(list);

	while (first) {
		struct gt_thread *t = gt_ref_ptr(first);

		if (gt_cas_acq_rel(list, &first, gt_load_relaxed(&t->next_unused))) {
			return t;
		}
	}
	return NULL;
}

/* A record of no thread; the spare ones first. */
static struct gt_thread *unused_locked(void)
{
	struct gt_thread *t = pop_locked(&gt_trace->spare_threads);

	t = t ? t : pop_locked(&gt_trace->free_threads);
	if (t) {
		gt_store_relaxed(&t->dead_gen, 0);
	}
	return t;
}

static void count_one_less(void)
{
	gt_lock_take(&gt_trace->threads_lock);
	gt_store_relaxed(&gt_trace->live, gt_load_relaxed(&gt_trace->live) - 1);
	gt_lock_drop(&gt_trace->threads_lock);
}

struct gt_thread *gt_thread_new(uintptr_t entry)
{
	struct gt_thread *t;
	uint64_t id;

	gt_lock_take(&gt_trace->threads_lock);
	t = unused_locked();
	id = gt_load_relaxed(&gt_trace->next_g);
	gt_store_relaxed(&gt_trace->next_g, id + 1);
	gt_store_relaxed(&gt_trace->live, gt_load_relaxed(&gt_trace->live) + 1);
	gt_lock_drop(&gt_trace->threads_lock);
	if (!t) {
		t = gt_shm_alloc(sizeof(*t));
		if (!t) {
			gt_loss_add(GT_LOSS_THREAD_UNTRACED);
			count_one_less();
			return NULL;
		}
	}
	/* Walks of another thread, whose stack may have reached further up. */
	memset(t->walks.memory.set, 0, sizeof(t->walks.memory.set));
	gt_store_release(&t->id, id);
	/*
	 * Release: partner is post (wait.c). A stale ref is refused until the box is open, and then
	 * it finds another id.
	 */
	gt_store_release(&t->mailbox[0].closed, 0);
	gt_store_release(&t->mailbox[1].closed, 0);
	t->born_version = t->wake_version;
	/*
	 * Not traced[]: the advancer, which may be just looking at a record that is in the
	 * registry, must find that whose it was is listed in this generation. No other thread's
	 * generation has that number.
	 */
	gt_store_relaxed(&t->tid, 0);
	t->is_advancer = 0;
	t->start = NULL;
	t->arg = NULL;
	t->last_ticks = 0;
	t->root = (struct gt_stack_root){.entry = entry};
	gt_store_relaxed(&t->born_gen, 0);
	gt_store_relaxed(&t->nblock, 0);
	t->block_hash = 0;
	/* Out of the registry by then; a stale ref may still look (gt_cancel_hint). */
	GT_ASSERT(!t->wait.listed && !t->wait.called);
	gt_store_relaxed(&t->wait_number, 0);
	t->wait_sp = 0;
	t->join_stood = 0;
	t->join_target = NULL;
	t->yields = 0;
	gt_store_relaxed(&t->calls_left_out, 0);
	gt_budget_meter_reset(&t->meter);
	gt_store_relaxed(&t->x_in_call, 0);
	gt_store_relaxed(&t->x_claim, GT_CLAIM_NONE);
	gt_store_relaxed(&t->name_new, 0);
	gt_store_relaxed(&t->name[0], 0);
	gt_store_relaxed(&t->reason, 0);
	gt_store_relaxed(&t->p, GT_PROC_NONE);
	t->spare_p = GT_PROC_NONE;
	t->undo.writes = GT_WRITES_NOTHING;
	gt_store_relaxed(&t->x_state, gt_state(GT_GO_NEW, 0, 0));
	/* Release: partner is the exchange of a joiner, which must find the record whole. */
	gt_store_release(&t->x_joiner, GT_JOINER_NONE);
	return t;
}

void gt_thread_set_advancer(struct gt_thread *t)
{
	t->is_advancer = 1;
	count_one_less();
}

void gt_thread_register(struct gt_thread *t)
{
	uint32_t first = gt_load_relaxed(&gt_trace->threads);

	/* A spare one is there. */
	if (!t->registered) {
		t->registered = 1;
		/*
		 * Sequentially consistent, with the advancer's load of the head after it stored
		 * gen: a thread whose first section loads the old generation is then on the list
		 * it walks.
		 */
		do {
			t->next = first;
		} while (!gt_cas_seq(&gt_trace->threads, &first, gt_ptr_ref(t)));
	}
}

struct gt_thread *gt_thread_first(void)
{
	uint32_t ref = gt_load_seq(&gt_trace->threads);

	return ref ? gt_ref_ptr(ref) : NULL;
}

struct gt_thread *gt_thread_next(const struct gt_thread *t)
{
	return t->next ? gt_ref_ptr(t->next) : NULL;
}

/* --- Which pthread_t is whose ----------------------------------------------------------------- */

/*
 * Chains of live threads by pthread_t: refs. Written under threads_lock. Private memory: a recovery
 * does not need it.
 */
static _Atomic uint32_t places[1 << 14];

static _Atomic uint32_t *place_of(uintptr_t pthread)
{
	return &places[(uint64_t)pthread * UINT64_C(0x9e3779b97f4a7c15) >> 50];
}

/* With threads_lock. */
static void unplace_locked(struct gt_thread *t)
{
	uintptr_t pthread = gt_load_relaxed(&t->pthread);
	_Atomic uint32_t *at = place_of(pthread);
	uint32_t ref;

	if (!pthread) {
		return;
	}
	while ((ref = gt_load_relaxed(at)) != 0 && ref != gt_ptr_ref(t)) {
		at = &((struct gt_thread *)gt_ref_ptr(ref))->next_place;
	}
	if (ref) {
		gt_store_relaxed(at, gt_load_relaxed(&t->next_place));
	}
	/* Before the id changes: that is stored with release order, and so is the next pthread. */
	gt_store_relaxed(&t->pthread, 0);
}

/* Whether t is the thread with that G, and neither over nor known yet. */
static bool to_be_placed(struct gt_thread *t, uint64_t id)
{
	return gt_thread_id(t) == id && !gt_load_relaxed(&t->pthread) &&
	       !gt_load_relaxed(&t->dead_gen);
}

void gt_thread_learn_pthread(struct gt_thread *t, uint64_t id, const pthread_t *pthread)
{
	if (!to_be_placed(t, id)) {
		return;
	}
	gt_lock_take(&gt_trace->threads_lock);
	if (to_be_placed(t, id)) {
		_Atomic uint32_t *at = place_of((uintptr_t)*pthread);

		gt_store_relaxed(&t->next_place, gt_load_relaxed(at));
		/* Release: partner are the loads without the lock in gt_thread_of_pthread. */
		gt_store_release(&t->pthread, (uintptr_t)*pthread);
		gt_store_release(at, gt_ptr_ref(t));
	}
	gt_lock_drop(&gt_trace->threads_lock);
}

void gt_thread_set_pthread(struct gt_thread *t, uint64_t id, pthread_t pthread)
{
	gt_thread_learn_pthread(t, id, &pthread);
}

struct gt_thread *gt_thread_of_pthread(uintptr_t pthread, uint64_t *id)
{
	uint32_t ref = gt_load_acquire(place_of(pthread));
	struct gt_thread *found = NULL;

	/*
	 * Mostly there is one in the chain, or none, as that thread has ended: then without the
	 * lock. A record that becomes another thread's has no pthread_t in between, so what was
	 * read while it did not change belongs together.
	 */
	if (!ref) {
		return NULL;
	}
	found = gt_ref_ptr(ref);
	if (gt_load_acquire(&found->pthread) == pthread) {
		*id = gt_load_acquire(&found->id);
		if (gt_load_relaxed(&found->pthread) == pthread) {
			return found;
		}
	}
	found = NULL;
	gt_lock_take(&gt_trace->threads_lock);
	for (ref = gt_load_relaxed(place_of(pthread)); ref && !found;) {
		struct gt_thread *t = gt_ref_ptr(ref);

		if (gt_load_relaxed(&t->pthread) == pthread) {
			*id = gt_thread_id(t);
			found = t;
		}
		ref = gt_load_relaxed(&t->next_place);
	}
	gt_lock_drop(&gt_trace->threads_lock);
	return found;
}

void gt_thread_forget(void)
{
	memset((void *)places, 0, sizeof(places));
}

/* --- The end ---------------------------------------------------------------------------------- */

static void free_kept(struct gt_thread *t)
{
	if (t->kept_buf) {
		gt_buf_free(gt_ref_ptr(t->kept_buf));
		t->kept_buf = 0;
	}
}

void gt_thread_retire(struct gt_thread *t, uint64_t gen, bool posts_left)
{
	/* Of no generation but this one: nobody looks for it in another. */
	bool spare = gen && gt_load_relaxed(&t->born_gen) == gen && !posts_left;
	uint64_t dead = GT_MAX(gen, UINT64_C(1)) + posts_left;
	/* The advancer is not, and has no pthread_t. Asked now: the record is soon another's. */
	bool counted = !t->is_advancer;
	bool many = false;

	if (counted) {
		gt_lock_take(&gt_trace->threads_lock);
		gt_store_relaxed(&gt_trace->live, gt_load_relaxed(&gt_trace->live) - 1);
		unplace_locked(t);
	}
	/*
	 * Release: partner is gt_thread_reap, whose record it is from here on if it is not spare.
	 * Posts of the next generation may have come before the box was closed; then the advancer
	 * must still find it at its end.
	 */
	if (spare) {
		gt_store_release(&t->dead_gen, dead | GT_DEAD_SPARE);
		push(&gt_trace->spare_threads, t);
	} else {
		free_kept(t);
		many = gt_add_relaxed(&gt_trace->dead, 1) == GT_DEAD_BURST;
		gt_store_release(&t->dead_gen, dead);
	}
	if (counted) {
		gt_lock_drop(&gt_trace->threads_lock);
	}
	if (many) {
		gt_advancer_nudge();
	}
}

/* The spare ones are the advancer's from here on: dead, like others. */
static void end_spare(void)
{
	uint32_t ref = gt_exchange_acq_rel(&gt_trace->spare_threads, 0);

	while (ref) {
		struct gt_thread *t = gt_ref_ptr(ref);

		ref = gt_load_relaxed(&t->next_unused);
		free_kept(t);
		t->was_spare = true;
		gt_store_relaxed(&t->dead_gen, gt_load_relaxed(&t->dead_gen) & ~GT_DEAD_SPARE);
	}
}

/* Out of the registry, and free. before: what is linked before t; NULL: nothing was. */
static void take_out(struct gt_thread *t, struct gt_thread *before)
{
	uint32_t first = gt_ptr_ref(t);

	if (before || !gt_cas_seq(&gt_trace->threads, &first, t->next)) {
		/* Others were linked in front meanwhile: find who points here. */
		before = before ? before : gt_thread_first();
		while (before->next != gt_ptr_ref(t)) {
			before = gt_thread_next(before);
		}
		before->next = t->next;
	}
	t->registered = 0;
	if (!t->was_spare) {
		gt_add_relaxed(&gt_trace->dead, (uint32_t)-1);
	}
	t->was_spare = false;
	push(&gt_trace->free_threads, t);
}

void gt_thread_reap(uint64_t gen)
{
	struct gt_thread *before = NULL;
	struct gt_thread *next;

	end_spare();
	for (struct gt_thread *t = gt_thread_first(); t; t = next) {
		/* Acquire: partner is the store in gt_thread_retire, after the last section. */
		uint64_t dead = gt_load_acquire(&t->dead_gen);

		next = gt_thread_next(t);
		/* A spare one has a number above all: it has retired just now. */
		if (dead == 0 || dead > gen) {
			before = t;
			continue;
		}
		GT_INVARIANT(1,
			     (!gt_load_relaxed(&t->x_slot[0]) && !gt_load_relaxed(&t->x_slot[1])) ||
				     gt_load_relaxed(&gt_trace->broken));
		GT_STALL(GT_STALL_REAP);
		GT_DELAY();
		take_out(t, before);
	}
}
