/*
 * Sections: what one leaves in the batch, what the slow ways do, and what a generation ends with.
 */
#include "started.h"

#include <string.h>

#include "advance.h"
#include "emit.h"
#include "shm.h"
#include "stack_id.h"
#include "wait.h"

/* Nobody is inside a hook here; the guard is up for all of a test. */
static void started_inside(void)
{
	started();
	gt_tls.busy = 1;
}

struct event {
	unsigned number;
	uint64_t ticks;
	uint64_t args[GT_WIRE_ARGS_MAX];
};

/* The events of a batch; how many there are. */
static size_t decode(const struct gt_buf *b, struct event *to, size_t most)
{
	const uint8_t *p = b->events;
	const uint8_t *end = p + gt_buf_events(b);
	uint64_t ticks = b->base;
	size_t n = 0;

	for (; p < end && n < most; n++) {
		const struct gt_spec *spec = gt_spec_event(to[n].number = *p++);
		uint64_t dt = 0;

		cr_assert_not_null(spec);
		p += gt_varint_get(p, end, &dt);
		to[n].ticks = ticks += dt;
		for (unsigned i = 0; i < spec->nargs; i++) {
			p += gt_varint_get(p, end, &to[n].args[i]);
		}
	}
	return n;
}

static struct gt_buf *slot(struct gt_thread *t)
{
	uint32_t ref = t->x_slot[gt_trace->head.gen & 1];

	return ref ? gt_ref_ptr(ref) : NULL;
}

static void empty_section(struct gt_thread *t)
{
	struct gt_w w = gt_acquire(t);

	gt_release(&w);
}

Test(emit, a_section, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	struct event e[8];
	struct gt_w w;
	uint64_t ticks;
	uint32_t before;

	cr_expect_null(slot(t));
	cr_expect_not(gt_in_section(t));
	w = gt_acquire(t);
	cr_expect(gt_in_section(t));
	cr_expect_eq(w.gen, 1u);
	ticks = w.ticks;
	/* The statuses at its begin are counted at once. */
	before = gt_buf_events(slot(t));
	gt_event(&w, GO_LABEL, gt_str(123456));
	gt_event(&w, GO_STOP, gt_str(GT_REASON_YIELD), gt_stack(7));
	cr_expect_eq(gt_buf_events(slot(t)), before, "seen whole or not at all");
	gt_release(&w);
	cr_expect_not(gt_in_section(t));

	/* At the first mention: what this thread is, and its P. */
	cr_assert_eq(decode(slot(t), e, 8), 4u);
	cr_expect_eq(e[0].number, (unsigned)GT_EV_PROC_STATUS);
	cr_expect_eq(e[0].args[0], t->p);
	cr_expect_eq(e[0].args[1], (uint64_t)GT_PROC_RUNNING);
	cr_expect_eq(e[1].number, (unsigned)GT_EV_GO_STATUS_STACK);
	cr_expect_eq(e[1].args[0], 1u);
	cr_expect_eq(e[1].args[1], (uint64_t)gt_sys_tid());
	cr_expect_eq(e[1].args[2], (uint64_t)GT_GO_RUNNING);
	cr_expect_eq(e[2].number, (unsigned)GT_EV_GO_LABEL);
	cr_expect_eq(e[2].args[0], 123456u);
	cr_expect_eq(e[3].number, (unsigned)GT_EV_GO_STOP);
	cr_expect_eq(e[3].args[1], 7u);
	for (int i = 0; i < 4; i++) {
		cr_expect_eq(e[i].ticks, ticks, "one clock read a section");
	}
	empty_section(t);
	cr_expect_eq(decode(slot(t), e, 8), 4u, "not a second time");
}

/* A handler may jump away when all is in the buffer, and the section not over. */
Test(emit, a_section_is_undone_until_it_is_over, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	struct event e[8];
	struct gt_w w = gt_acquire(t);
	uint64_t ticks = w.ticks;

	w.ticks += 10;
	gt_event(&w, GO_LABEL, gt_str(1));
	gt_release(&w);

	w = gt_acquire(t);
	gt_undoable(&w);
	w.ticks = ticks + 5000;
	gt_event(&w, GO_LABEL, gt_str(2));
	gt_event(&w, FACT_LOSS, gt_value(3), gt_value(300));
	gt_store_written(&w);
	cr_assert_eq(decode(slot(t), e, 8), 4u);
	cr_assert(gt_section_undo(t));

	w = gt_acquire(t);
	w.ticks = ticks + 1000;
	gt_event(&w, GO_LABEL, gt_str(3));
	gt_release(&w);
	cr_expect_eq(gt_buf_facts(slot(t)), 0u);
	cr_assert_eq(decode(slot(t), e, 8), 4u);
	cr_expect_eq(e[3].args[0], 3u);
	cr_expect_eq(e[3].ticks, ticks + 1000, "by the last that stands");
}

/* What it began with stands in a batch that is sealed by now. */
Test(emit, a_section_that_has_filled_its_batch_is_not_undone, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	struct gt_w w = gt_acquire(t);
	struct gt_buf *first = w.b;

	while (w.at + 2 * GT_WIRE_EVENT_MAX <= first->events + GT_BUF_EVENTS) {
		gt_event(&w, GO_LABEL, gt_str(1));
	}
	gt_count(&w);
	gt_undoable(&w);
	while (w.b == first) {
		gt_event(&w, GO_LABEL, gt_str(2));
	}
	/* As around a post that is refused. */
	gt_undoable_pause(&w);
	gt_undoable_again(&w, false);
	gt_event(&w, GO_LABEL, gt_str(3));
	cr_expect_not(gt_section_undo(t));
	cr_expect_eq(gt_buf_events(slot(t)), 0u, "not the length of another");
}

Test(emit, an_earlier_time_is_drawn_up_to_the_last, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	struct event e[8];
	struct gt_w w = gt_acquire(t);
	uint64_t ticks = w.ticks;

	w.ticks = ticks - 1000;
	gt_event(&w, GO_LABEL, gt_str(1));
	w.ticks = ticks + 1000;
	gt_event(&w, GO_LABEL, gt_str(2));
	gt_release(&w);
	cr_assert_eq(decode(slot(t), e, 8), 4u);
	cr_expect_eq(e[2].ticks, ticks);
	cr_expect_eq(e[3].ticks, ticks + 1000);
}

Test(emit, facts_have_a_place_of_their_own, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	struct gt_w w = gt_acquire(t);
	uint32_t before;

	gt_event(&w, FACT_LOSS, gt_value(3), gt_value(300));
	gt_release(&w);
	before = gt_buf_events(slot(t));
	cr_expect_eq(slot(t)->facts[0], GT_FACT_MAGIC);
	cr_expect_eq(slot(t)->facts[1], GT_FACT_VERSION);
	cr_expect_eq(slot(t)->facts[2], (uint8_t)GT_FACT_LOSS);
	cr_expect_eq(gt_buf_events(slot(t)), before);
}

/* A batch that is full is sealed in the middle of a section, and no event is lost or torn. */
Test(emit, a_full_batch, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	static struct event e[GT_BUF_EVENTS];
	uint64_t next = 1000000;
	uint64_t last = 0;
	unsigned batches = 0;
	struct gt_w w = gt_acquire(t);

	for (uint64_t i = 0; i < 50000; i++) {
		gt_event(&w, GO_LABEL, gt_str(1000000 + i));
	}
	gt_release(&w);
	gt_buf_seal(slot(t));
	for (struct gt_buf *b = gt_buf_take_full(1); b; b = gt_buf_next(b)) {
		size_t n = decode(b, e, GT_LEN(e));

		cr_assert_leq(gt_buf_events(b), (uint32_t)GT_BUF_EVENTS);
		for (size_t i = 0; i < n; i++) {
			cr_assert_geq(e[i].ticks, last);
			last = e[i].ticks;
			if (e[i].number == GT_EV_GO_LABEL) {
				cr_assert_eq(e[i].args[0], next++);
			}
		}
		batches++;
	}
	cr_expect_eq(next, 1050000u);
	cr_expect_geq(batches, 4u);
	gt_store_relaxed(&t->x_slot[1], 0);
}

/* Without memory the trace breaks; whoever writes is not disturbed. */
Test(emit, no_memory_for_a_batch, .init = started_small, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	struct gt_w w;

	gt_tls.busy = 1;
	gt_env.log = "/dev/null"; /* it says so */
	empty_section(t);
	while (gt_buf_new(1, 1, 0)) {
	}
	w = gt_acquire(t);
	for (int i = 0; i < 50000; i++) {
		gt_event(&w, GO_LABEL, gt_str(1000000));
	}
	cr_expect_null(w.b);
	gt_release(&w);
	cr_expect_eq(gt_trace->broken, (uint32_t)GT_BROKEN_MEMORY);
	empty_section(t);
	cr_expect_not(gt_in_section(t));
}

Test(emit, a_section_counts_stacks_and_sequences, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	uint64_t pcs[3] = {0x1000, 0x2000, 0x3000};
	struct gt_w w = gt_acquire(t);
	uint64_t id = gt_stack_put(&w, pcs, 3).v;

	cr_expect_neq(id, 0u);
	cr_expect_eq(gt_stack_put(&w, pcs, 3).v, id);
	cr_expect_neq(gt_stack_put(&w, pcs, 2).v, id);
	cr_expect_eq(gt_stack_put(&w, pcs, 0).v, 0u, "no frames, no stack");
	cr_expect_eq(gt_seq_g(&w, t).v, 1u, "the first after a status");
	cr_expect_eq(gt_seq_g(&w, t).v, 2u);
	cr_expect_eq(gt_seq_p(&w, t->p).v, 1u);
	gt_release(&w);
}

Test(emit, a_section_of_an_earlier_moment, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	uint64_t moment = gt_clock_moment();
	struct gt_w w;

	gt_sys_sleep(1000000);
	gt_open(&w, t, GT_WHEN_MOMENT, moment);
	cr_expect_eq(w.ticks, gt_section_ticks(&w, moment));
	cr_expect_geq(gt_section_now(&w), moment);
	cr_expect_gt(w.ticks, gt_section_ticks(&w, moment), "a millisecond later");
	gt_release(&w);
	gt_open(&w, t, GT_WHEN_MOMENT, 0);
	cr_expect_eq(w.ticks, gt_trace->clock[w.parity].base_ns >> GT_TICK_SHIFT,
		     "nothing is earlier than its generation");
	gt_release(&w);
	gt_open(&w, t, GT_WHEN_LATER, 0);
	cr_expect_eq(w.ticks, gt_trace->clock[w.parity].base_ns >> GT_TICK_SHIFT);
	gt_release(&w);
}

/* --- Generations ------------------------------------------------------------------------------ */

Test(emit, advancing, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	uint64_t written = gt_trace->head.written;
	struct event e[8];

	for (uint64_t gen = 2; gen < 10; gen++) {
		empty_section(t);
		cr_assert(gt_advance(t, false, false));
		cr_expect_eq(gt_trace->head.gen, gen);
		cr_expect_eq(t->x_slot[~gen & 1], 0u, "the old batch is in the file");
		cr_expect_gt(gt_trace->head.written, written);
		written = gt_trace->head.written;
		/* The new one begins with who advanced, and its own status. */
		cr_assert_geq(decode(slot(t), e, 8), 3u);
		cr_expect_eq(e[0].number, (unsigned)GT_EV_PROC_STATUS);
		cr_expect_eq(e[1].number, (unsigned)GT_EV_GO_STATUS_STACK);
		cr_expect_eq(e[2].number, (unsigned)GT_EV_PROCS_CHANGE);
		cr_expect_gt(gt_trace->stamp[gen & 1].ticks, gt_trace->stamp[~gen & 1].ticks);
	}
	cr_expect_not(gt_advance(t, true, false));
	cr_expect_eq(gt_trace->head.gen, 0u);
	cr_expect_not(gt_advance(t, false, false), "nothing is recorded any more");
	written = gt_trace->head.written;
	empty_section(t);
	cr_expect_null(slot(t));
	cr_expect_eq(gt_trace->head.written, written);
}

/* Invariant 9: also a thread that does nothing is listed in each generation. */
Test(emit, silent_threads_are_listed, .init = started_inside, .fini = ended)
{
	struct gt_thread *silent = gt_thread_attach((uintptr_t)empty_section);
	struct gt_thread *self = gt_thread_attach((uintptr_t)started);

	for (uint64_t gen = 1; gen < 6; gen++) {
		cr_assert(gt_advance(self, false, false));
		cr_expect_eq(silent->traced[gen & 1], gen);
		cr_expect_eq(self->traced[gen & 1], gen);
	}
}

/* The record of a thread that lived in one generation only is the next one's, in its place. */
Test(emit, records_are_spare, .init = started_inside, .fini = ended)
{
	struct gt_thread *self = gt_tls.thread;
	uint32_t epoch = gt_tls.epoch;
	struct gt_thread *t = gt_thread_attach((uintptr_t)empty_section);
	uint64_t id = gt_thread_id(t);
	struct gt_buf *b = slot(t);

	gt_thread_end(t);
	gt_tls.epoch = epoch;
	cr_expect_eq(gt_thread_attach((uintptr_t)empty_section), t);
	cr_expect_gt(gt_thread_id(t), id, "but ids never come back");
	cr_expect_eq(slot(t), b, "nor does its buffer go far");
	cr_expect_eq(gt_thread_first(), t, "it was in the registry");
	cr_expect_eq(gt_thread_next(t), self);
	gt_thread_end(t);
	/* Not in the next generation: the registry does not keep what nobody uses. */
	gt_tls.thread = self;
	gt_tls.epoch = epoch;
	cr_assert(gt_advance(self, false, false));
	cr_expect_eq(gt_thread_first(), self);
	cr_expect_null(gt_thread_next(self));
	cr_expect_eq(t->kept_buf, 0u);
}

/* A pthread_t is of one live thread, and an ended one of none. */
Test(emit, threads_by_pthread, .init = started_inside, .fini = ended)
{
	/* So many that some stand in one chain. */
	enum { MANY = 2000 };
	static struct gt_thread *of[MANY];
	uint64_t id = 0;

	for (uintptr_t i = 0; i < MANY; i++) {
		of[i] = gt_thread_new((uintptr_t)empty_section);
		gt_thread_register(of[i]);
		gt_thread_set_pthread(of[i], gt_thread_id(of[i]), (i + 1) << 12);
	}
	for (uintptr_t i = 0; i < MANY; i += 2) {
		gt_thread_retire(of[i], 1, false);
	}
	/* Its creator, who was late. */
	gt_thread_set_pthread(of[0], gt_thread_id(of[0]), 1 << 12);
	for (uintptr_t i = 0; i < MANY; i++) {
		cr_expect_eq(gt_thread_of_pthread((i + 1) << 12, &id), i % 2 ? of[i] : NULL);
		cr_expect(i % 2 == 0 || id == gt_thread_id(of[i]));
	}
}

/* The record of any other is used again once its end is in the file. */
Test(emit, records_come_back, .init = started_inside, .fini = ended)
{
	struct gt_thread *self = gt_tls.thread;
	uint32_t epoch = gt_tls.epoch;
	struct gt_thread *t = gt_thread_attach((uintptr_t)empty_section);
	uint64_t id = gt_thread_id(t);
	struct gt_thread *other;

	gt_tls.thread = self;
	cr_assert(gt_advance(self, false, false));
	gt_tls.thread = t;
	gt_thread_end(t);
	gt_tls.epoch = epoch;
	other = gt_thread_new((uintptr_t)empty_section);
	cr_expect_neq(other, t, "its end is not in the file yet");
	cr_assert(gt_advance(self, false, false));
	cr_expect_eq(gt_thread_new((uintptr_t)empty_section), t);
	cr_expect_gt(gt_thread_id(t), id, "but ids never do");
}

/* After the end of tracing a section changes nothing that the last generation still needs. */
Test(emit, a_section_after_the_end, .init = started_inside, .fini = ended)
{
	struct gt_thread *self = gt_tls.thread;
	uint32_t epoch = gt_tls.epoch;
	struct gt_thread *t = gt_thread_attach((uintptr_t)empty_section);

	gt_advance(self, false, false);
	empty_section(t);
	empty_section(self);
	gt_lock_take(&t->mailbox[0].lock);
	t->posts[0][0] = (struct gt_post){.g = 1, .seq = 1, .ns = 1};
	gt_store_relaxed(&t->mailbox[0].posted, 1);
	gt_lock_drop(&t->mailbox[0].lock);
	/* As the advancer does before it dumps generation 2. */
	gt_store_seq(&gt_trace->head.gen, 0);
	gt_join_begin(self, t, gt_thread_id(t), NULL);
	gt_thread_end(t);
	gt_tls.epoch = epoch;
	cr_expect_eq(gt_mailbox_left(&t->mailbox[0]), 1u, "the post is the advancer's");
	cr_expect_eq(self->traced[0], 2u, "it has its status");
	cr_expect_eq(gt_trace->procs.proc[1].traced[0], 2u);
	gt_store_seq(&gt_trace->head.gen, 2);
}

/* --- Posts ------------------------------------------------------------------------------------ */

/* A block finds out when it is at its very end; what it drains at its beginning was before that. */
Test(emit, a_post_keeps_its_time_in_a_block, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	const struct gt_wait_for what = {.reason = GT_REASON_SYSTEM};
	struct gt_mailbox *box = &t->mailbox[1];
	struct event e[8];
	uint64_t ticks;
	struct gt_w w;

	empty_section(t);
	gt_sys_sleep(1000000);
	w = gt_acquire(t);
	ticks = w.ticks;
	gt_release(&w);
	gt_sys_sleep(1000000);
	t->posts[1][0] = (struct gt_post){.g = 77, .seq = 1, .ns = ticks << GT_TICK_SHIFT};
	gt_store_relaxed(&box->posted, 1);
	gt_wait_begin(t, &what);
	cr_assert_eq(decode(slot(t), e, 8), 5u);
	cr_expect_eq(e[2].number, (unsigned)GT_EV_GO_UNBLOCK);
	cr_expect_eq(e[2].ticks, ticks);
	cr_expect_eq(e[3].number, (unsigned)GT_EV_GO_BLOCK);
	cr_expect_gt(e[3].ticks, ticks);
}

/* --- Stacks ----------------------------------------------------------------------------------- */

/*
 * A start routine that ends by a jump to a hook: what is walked has nothing in it, and the list is
 * the entry, whose hash is no other thread's. The same without stacks.
 */
Test(emit, a_list_of_the_entry_alone_has_a_hash_of_its_own, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	uint64_t hash[2];

	gt_stack_init();
	for (unsigned stacks = 0; stacks < 2; stacks++) {
		gt_store_relaxed(&gt_stack_depth, stacks ? 64 : 0);
		for (unsigned i = 0; i < 2; i++) {
			uint64_t entry = 0x1234 + i;

			t->root = (struct gt_stack_root){frame - 4096, frame + 4096, entry, 1,
							 UINTPTR_MAX};
			for (int again = 0; again < 3; again++) {
				/* Once after itself, else after another. */
				if (again < 2) {
					t->walks.id = NULL;
					t->walks.hash = 1;
				}
				cr_expect_eq(gt_thread_walk(t, (void *)frame, GT_WAKE_DEPTH), 1u);
				cr_expect_eq(t->walks.pcs[0], entry);
				cr_expect(again == 0 || t->walks.hash == hash[i]);
				hash[i] = t->walks.hash;
			}
		}
		cr_expect_neq(hash[0], hash[1]);
	}
}

/*
 * The hint that a wait itself leaves has the stack that the wait began with, whatever is left of a
 * later walk: of a handler's that a nested one has jumped out of.
 */
Test(emit, a_hint_of_a_wait_has_its_stack, .init = started_inside, .fini = ended)
{
	struct gt_wait_for what = {
		.reason = GT_REASON_COND, .kind = GT_OBJECT_COND, .object = &what};
	struct gt_thread *t = gt_tls.thread;
	const struct gt_wake_stack *s;

	gt_wait_begin(t, &what);
	cr_assert_neq(t->block_hash, 0u);
	t->walks.none.entry = 0xbad;
	gt_wake_some(t, &t, 1, UINT32_MAX, NULL);
	s = &t->wake[t->wake_version % GT_WAKE_STACKS];
	cr_expect_eq(s->hash, t->block_hash);
	cr_expect_eq(gt_load_relaxed(&s->n), 1u);
	cr_expect_eq(gt_load_relaxed(&s->pcs[0]), t->root.entry);
}
