/*
 * Threads: records, the registry, start and end.
 */
#include "thread.h"

#include "advancer.h"
#include "emit.h"
#include "shm.h"
#include "wait.h"

GT_TLS struct gt_tls gt_tls = {.epoch = GT_EPOCH_NONE};

struct gt_thread *gt_thread_new(uintptr_t entry)
{
	struct gt_thread *t = NULL;

	gt_lock_take(&gt_trace->threads_lock);
	if (gt_trace->free_threads) {
		t = gt_ref_ptr(gt_trace->free_threads);
		gt_trace->free_threads = t->next;
	}
	gt_lock_drop(&gt_trace->threads_lock);
	if (t) {
		/* Walks of another thread, whose stack may have reached further up. */
		memset(t->memory.seen.key, 0, sizeof(t->memory.seen.key));
	} else {
		t = gt_shm_alloc(sizeof(*t));
		if (!t) {
			gt_loss_add(GT_LOSS_THREAD_UNTRACED);
			return NULL;
		}
	}
	/* A stale ref may post to this record until it sees another id, under the box's lock. */
	gt_lock_take(&t->mailbox[0].lock);
	gt_lock_take(&t->mailbox[1].lock);
	gt_store_relaxed(&t->id, gt_add_relaxed(&gt_trace->next_g, 1));
	for (int i = 0; i < 2; i++) {
		gt_store_relaxed(&t->mailbox[i].count, 0);
		t->mailbox[i].closed = 0;
		gt_store_relaxed(&t->x_slot[i], 0);
		gt_store_relaxed(&t->traced[i], 0);
		t->seq[i] = 0;
	}
	gt_lock_drop(&t->mailbox[1].lock);
	gt_lock_drop(&t->mailbox[0].lock);
	gt_store_relaxed(&t->tid, 0);
	t->is_advancer = 0;
	t->start = NULL;
	t->arg = NULL;
	t->pthread = 0;
	t->last_ticks = 0;
	t->root = (struct gt_stack_root){.entry = entry};
	t->born_gen = 0;
	t->noted_gen = 0;
	gt_store_relaxed(&t->nblock, 0);
	/* Out of the registry by then; a stale ref may still look (gt_cancel_hint). */
	GT_ASSERT(!t->waits[0].listed && !t->waits[1].listed);
	gt_store_relaxed(&t->wait_number, 0);
	t->wait_sp = 0;
	t->join_stood = 0;
	t->join_target = NULL;
	t->yields = 0;
	gt_store_relaxed(&t->calls_left_out, 0);
	gt_store_relaxed(&t->x_handoff, GT_HANDOFF_OWN);
	gt_store_relaxed(&t->name_new, 0);
	gt_store_relaxed(&t->reason, 0);
	gt_store_relaxed(&t->p, GT_PROC_NONE);
	t->spare_p = GT_PROC_NONE;
	t->undo.writes = GT_WRITES_NOTHING;
	gt_store_relaxed(&t->dead_gen, 0);
	gt_store_relaxed(&t->x_state, gt_state(GT_GO_NEW, 0, 0));
	/* Release: partner is the exchange of a joiner, which must find the record whole. */
	gt_store_release(&t->x_joiner, GT_JOINER_NONE);
	return t;
}

void gt_thread_register(struct gt_thread *t)
{
	gt_lock_take(&gt_trace->threads_lock);
	t->next = gt_load_relaxed(&gt_trace->threads);
	t->registered = 1;
	/*
	 * Sequentially consistent, with the advancer's load of the head after it stored gen: a
	 * thread whose first section loads the old generation is then on the list it walks.
	 */
	gt_store_seq(&gt_trace->threads, gt_ptr_ref(t));
	gt_lock_drop(&gt_trace->threads_lock);
	gt_add_relaxed(&gt_trace->live, 1);
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
	/* Release: partner are the loads before gt_thread_emit_name. */
	gt_store_release(&t->name_new, 1);
}

/*
 * pthread_t -> record, direct mapped: a later thread of the same place pushes an older one out, and
 * the registry is walked for that one. An entry is a seqlock of one word: pthread is 0 while the
 * rest is written. Private memory: a recovery does not need it.
 */
static struct {
	_Atomic uintptr_t pthread;
	_Atomic uint32_t ref;
	_Atomic uint64_t id;
} places[1 << 14];

static size_t place_of(uintptr_t pthread)
{
	return (uint64_t)pthread * UINT64_C(0x9e3779b97f4a7c15) >> 50;
}

void gt_thread_emit_name(struct gt_w *w)
{
	uint64_t name[GT_NAME_MAX / 8 + 1] = {0};
	uint32_t id;

	gt_store_relaxed(&w->t->name_new, 0);
	for (size_t i = 0; i < GT_LEN(w->t->name); i++) {
		name[i] = gt_load_relaxed(&w->t->name[i]);
	}
	/* Rule 17: an empty label is refused. */
	if (!w->b || !*(const char *)name) {
		return;
	}
	id = gt_table_put(&gt_trace->strings[w->parity], name, strlen((const char *)name));
	if (id) {
		gt_event(w, GO_LABEL, gt_str(id));
	} else {
		gt_loss_add(GT_LOSS_TABLE_FULL);
	}
}

/* With threads_lock. */
static void set_pthread_locked(struct gt_thread *t, uint64_t id, uintptr_t pthread)
{
	size_t i = place_of(pthread);

	t->pthread = pthread;
	gt_store_seq(&places[i].pthread, 0);
	gt_store_release(&places[i].ref, gt_ptr_ref(t));
	gt_store_release(&places[i].id, id);
	/* Release: partner is the load in gt_thread_of_pthread. */
	gt_store_release(&places[i].pthread, pthread);
}

void gt_thread_set_pthread(struct gt_thread *t, uint64_t id, uintptr_t pthread)
{
	gt_lock_take(&gt_trace->threads_lock);
	set_pthread_locked(t, id, pthread);
	gt_lock_drop(&gt_trace->threads_lock);
}

void gt_thread_learn_pthread(struct gt_thread *t, uint64_t id, const pthread_t *pthread)
{
	gt_lock_take(&gt_trace->threads_lock);
	/* Registered with the same id: the record has not become another thread's. */
	if (t->registered && gt_thread_id(t) == id && !t->pthread) {
		set_pthread_locked(t, id, (uintptr_t)*pthread);
	}
	gt_lock_drop(&gt_trace->threads_lock);
}

struct gt_thread *gt_thread_of_pthread(uintptr_t pthread, uint64_t *id)
{
	size_t i = place_of(pthread);
	struct gt_thread *t;

	if (gt_load_acquire(&places[i].pthread) == pthread) {
		t = gt_ref_ptr(gt_load_acquire(&places[i].ref));
		*id = gt_load_acquire(&places[i].id);
		if (gt_load_relaxed(&places[i].pthread) == pthread && t->id == *id) {
			return gt_load_relaxed(&t->dead_gen) ? NULL : t;
		}
	}
	gt_lock_take(&gt_trace->threads_lock);
	for (t = gt_thread_first(); t; t = gt_thread_next(t)) {
		/* A dead one may have had the same pthread_t. */
		if (t->pthread == pthread && !gt_load_relaxed(&t->dead_gen)) {
			*id = t->id;
			break;
		}
	}
	gt_lock_drop(&gt_trace->threads_lock);
	return t;
}

void gt_thread_reap(uint64_t gen)
{
	struct gt_thread *before = NULL;
	struct gt_thread *t = gt_thread_first();

	while (t) {
		struct gt_thread *next = gt_thread_next(t);
		/* Acquire: partner is the store in gt_thread_end, after the last section. */
		uint64_t dead = gt_load_acquire(&t->dead_gen);

		if (dead == 0 || dead > gen) {
			before = t;
			t = next;
			continue;
		}
		gt_add_relaxed(&gt_trace->dead, (uint32_t)-1);
		GT_INVARIANT(1,
			     (!gt_load_relaxed(&t->x_slot[0]) && !gt_load_relaxed(&t->x_slot[1])) ||
				     gt_load_relaxed(&gt_trace->broken));
		gt_lock_take(&gt_trace->threads_lock);
		if (before) {
			before->next = t->next;
		} else if (gt_load_relaxed(&gt_trace->threads) == gt_ptr_ref(t)) {
			gt_store_seq(&gt_trace->threads, t->next);
		} else {
			/* Others were linked in front meanwhile: find who points here. */
			before = gt_thread_first();
			while (before->next != gt_ptr_ref(t)) {
				before = gt_thread_next(before);
			}
			before->next = t->next;
			before = NULL;
		}
		t->registered = 0;
		t->next = gt_trace->free_threads;
		gt_trace->free_threads = gt_ptr_ref(t);
		gt_lock_drop(&gt_trace->threads_lock);
		t = next;
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

unsigned gt_thread_walk(struct gt_thread *t, void *frame, unsigned max)
{
	unsigned n = 0;

	t->walked = 0;
	if (frame && gt_env.stacks) {
		bool truncated = false;

		n = gt_stack_walk_in(&t->root, frame, t->pcs, GT_MIN((unsigned)gt_env.depth, max),
				     &truncated, &t->walked, &t->memory);
		if (truncated) {
			gt_loss_add(GT_LOSS_STACK_TRUNCATED);
		}
	}
	if (n == 0) {
		/* The hash was of the empty list, which is another thread's as well. */
		t->walked = 0;
		t->pcs[n++] = t->root.entry;
	}
	return n;
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
	gt_store_relaxed(&t->tid, (uint32_t)gt_sys_tid());
	p = GT_WRONG == GT_WRONG_PROC_INSIDE_SECTION ? GT_PROC_NONE : gt_thread_take_p(t);
	w = gt_acquire(t);
	if (GT_WRONG == GT_WRONG_PROC_INSIDE_SECTION) {
		p = gt_thread_take_p(t);
	}
	gt_proc_start(&w, p);
	if (!created) {
		uint64_t entry[1] = {t->root.entry};

		GT_INVARIANT(11, t->born_gen == 0);
		t->born_gen = w.gen;
		gt_store_relaxed(&t->traced[w.parity], w.gen);
		t->seq[w.parity] = 0;
		gt_event(&w, GO_CREATE, gt_g(gt_thread_id(t)), gt_stack_put(&w, entry, 1),
			 gt_stack(0));
	}
	gt_event(&w, GO_START, gt_g(gt_thread_id(t)), gt_seq_g(&w, t));
	gt_run_in(&w, p);
	gt_release(&w);
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

	t->born_gen = w.gen;
	gt_store_relaxed(&t->traced[w.parity], w.gen);
	gt_event(&w, GO_CREATE, gt_g(gt_thread_id(t)), gt_stack_put(&w, entry, 1),
		 gt_stack_put(&w, creator->pcs, n));
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
	gt_add_relaxed(&gt_trace->live, (uint32_t)-1);
	gt_add_relaxed(&gt_trace->dead, 1);
	gt_store_release(&t->dead_gen, GT_MAX(w.gen, UINT64_C(1)));
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
		gt_yields_emit(&w);
	}
	gt_add_relaxed(&gt_trace->losses[GT_LOSS_SHORT],
		       gt_exchange_acq_rel(&t->calls_left_out, 0));
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
	if (joiner) {
		/* A joiner that timed out meanwhile waits for this publication. */
		gt_sys_futex_wake(&joiner->x_state, 1);
	}
	gt_tls.epoch = GT_EPOCH_ENDED;
	if (p != GT_PROC_NONE) {
		gt_store_relaxed(&t->p, GT_PROC_NONE);
		gt_thread_give_p(t, p);
	}
	gt_thread_give_p(t, t->spare_p);
	gt_add_relaxed(&gt_trace->live, (uint32_t)-1);
	/*
	 * Release: partner is gt_thread_reap. Posts of the next generation may have come before
	 * the box was closed; then the advancer must still find this record at its end.
	 */
	gt_store_release(&t->dead_gen, GT_MAX(w.gen, UINT64_C(1)) + (left ? 1 : 0));
	if (gt_add_relaxed(&gt_trace->dead, 1) == GT_DEAD_BURST) {
		gt_advancer_nudge();
	}
}

void gt_thread_forget(void)
{
	memset(places, 0, sizeof(places));
}
