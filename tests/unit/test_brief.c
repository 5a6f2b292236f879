/*
 * Brief facts: what is written is what is read, whatever a batch has said, through batches that
 * fill up and sections that are undone.
 */
#include "said.h"

/* The writer's calls, and what is to be read of each. */
static void put_block(struct gt_w *w, uint64_t object, uint64_t epoch, uint64_t kind,
		      uint32_t owner)
{
	gt_put_block(w, object, epoch, kind, owner);
	expect(GT_FACT_BLOCK, (uint64_t[]){gt_thread_id(w->t), object, epoch, kind, owner}, 5);
}

static void put_wait_end(struct gt_w *w, enum gt_ended ended, uint32_t result, uint64_t waker)
{
	gt_put_wait_end(w, ended, result, waker);
	expect(GT_FACT_WAIT_END, (uint64_t[]){gt_thread_id(w->t), ended, result, waker}, 4);
}

static void put_retake(struct gt_w *w, uint64_t mutex, uint64_t owner, uint64_t ns)
{
	gt_put_retake(w, mutex, owner, ns);
	expect(GT_FACT_RETAKE, (uint64_t[]){gt_thread_id(w->t), mutex, owner, ns}, 4);
}

static void put_call(struct gt_w *w, uint64_t call, uint64_t arg, uint64_t result)
{
	gt_put_call(w, call, arg, result);
	expect(GT_FACT_CALL, (uint64_t[]){call, arg, result}, 3);
}

/* Goes through a batch, whose facts are those expected from `from` on; where they end. */
static size_t check(const struct gt_buf *b, size_t from, unsigned *brief)
{
	const uint8_t *p = b->facts + 2;
	const uint8_t *end = b->facts + gt_buf_facts(b);
	struct gt_brief said;

	gt_brief_reset(&said);
	for (; p < end; from++) {
		uint8_t number = *p++;
		const struct gt_spec *spec = gt_spec_fact(number);
		uint64_t v[1 + GT_WIRE_ARGS_MAX] = {0};

		cr_assert_not_null(spec);
		*brief += number >= GT_FACT_WAIT;
		for (unsigned i = 0; i <= spec->nargs; i++) {
			p += gt_varint_get(p, end, &v[i]);
		}
		cr_assert(gt_brief_read(&said, b->m, &number, v + 1));
		cr_assert_lt(from, nexpected);
		cr_assert_eq(number, expected[from].number, "fact %zu", from);
		spec = gt_spec_fact(number);
		for (unsigned i = 0; i < spec->nargs; i++) {
			cr_assert_eq(v[1 + i], expected[from].args[i], "fact %zu: %s", from,
				     spec->args[i].name);
		}
	}
	return from;
}

/* All batches there are: how many; *brief: of their facts so many are brief. */
static unsigned check_all(struct gt_thread *t, unsigned *brief)
{
	unsigned batches = 0;
	size_t n = 0;

	*brief = 0;
	gt_buf_seal(slot(t));
	gt_store_relaxed(&t->x_slot[gt_trace->head.gen & 1], 0);
	for (struct gt_buf *b = gt_buf_take_full(1); b; b = gt_buf_next(b)) {
		n = check(b, n, brief);
		batches++;
	}
	cr_expect_eq(n, nexpected);
	return batches;
}

static uint32_t facts_len(struct gt_thread *t)
{
	return gt_buf_facts(slot(t));
}

/* A fact alone in its section: its bytes. */
static uint32_t call_bytes(struct gt_thread *t, uint64_t call, uint64_t arg, uint64_t result)
{
	struct gt_w w = gt_acquire(t);
	uint32_t before = facts_len(t);

	w.ticks = w.last.fact;
	put_call(&w, call, arg, result);
	gt_release(&w);
	return facts_len(t) - before;
}

static uint32_t block_bytes(struct gt_thread *t, uint64_t object, uint64_t epoch, uint32_t owner)
{
	struct gt_w w = gt_acquire(t);
	uint32_t before = facts_len(t);

	w.ticks = w.last.fact;
	put_block(&w, object, epoch, GT_OBJECT_MUTEX, owner);
	gt_release(&w);
	return facts_len(t) - before;
}

Test(brief, what_was_said_is_not_said_again, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	uint32_t tid = gt_thread_tid(t);
	unsigned brief;

	cr_expect_gt(block_bytes(t, 0x7f0123456788, 0, 0), 10u);
	cr_expect_eq(block_bytes(t, 0x7f0123456788, 0, 0), 3u);
	cr_expect_eq(block_bytes(t, 0x7f0123456788, 0, tid + 3), 3u, "owners are near");
	cr_expect_eq(block_bytes(t, 0x7f0123456788, 0, tid - 3), 3u);
	cr_expect_gt(block_bytes(t, 0x7f0123456788, 1, 0), 10u, "another object at that place");
	cr_expect_gt(block_bytes(t, 0x7f0123456790, 1, 0), 10u);
	cr_expect_eq(block_bytes(t, 0x7f0123456788, 1, 0), 3u);
	call_bytes(t, GT_CALL_READ, 4, gt_zigzag(1));
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 4, gt_zigzag(1)), 3u);
	cr_expect_gt(call_bytes(t, GT_CALL_READ, 4, gt_zigzag(100)), 4u);
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 7, gt_zigzag(1)), 3u, "another argument");
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 8, gt_zigzag(1)), 4u);
	cr_expect_gt(call_bytes(t, GT_CALL_WRITE, 5, gt_zigzag(1)), 4u);
	/* An argument that has no room beside the slot, a result that has none beside the number.
	 */
	cr_expect_gt(call_bytes(t, GT_CALL_WRITE, UINT64_MAX / 2, gt_zigzag(1)), 10u);
	cr_expect_gt(call_bytes(t, GT_CALL_READ, 4, gt_zigzag(INT64_MIN)), 10u);
	cr_expect_gt(call_bytes(t, GT_CALL_READ, 4, gt_zigzag(INT64_MIN)), 10u);
	cr_expect_eq(check_all(t, &brief), 1u);
	cr_expect_eq(brief, 8u);
}

/* The slots are filled in turn. */
Test(brief, the_oldest_is_forgotten, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned brief;

	for (unsigned i = 1; i <= GT_BRIEF_CALLS + 1; i++) {
		call_bytes(t, i, 3, 0);
	}
	cr_expect_eq(call_bytes(t, 2, 3, 0), 3u);
	cr_expect_eq(call_bytes(t, GT_BRIEF_CALLS + 1, 3, 0), 3u);
	cr_expect_gt(call_bytes(t, 1, 3, 0), 4u);
	cr_expect_gt(call_bytes(t, 2, 3, 0), 4u, "its place was taken just now");
	check_all(t, &brief);
	cr_expect_eq(brief, 2u);
}

/* Where all slots are taken, a call's next result has the place of another one of that call. */
Test(brief, another_result_takes_a_slot, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned brief;

	for (unsigned i = 1; i < GT_BRIEF_CALLS - 1; i++) {
		call_bytes(t, GT_CALL_READ + i, 3, 0);
	}
	call_bytes(t, GT_CALL_READ, 3, 5);
	call_bytes(t, GT_CALL_READ, 3, 6);
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 3, 7), 4u);
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 3, 7), 3u);
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 3, 4), 4u, "not that of 7, which came twice");
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 3, 7), 3u);
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 3, 6), 4u, "whose place 4 has taken");
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 3, 6), 3u);
	cr_expect_gt(call_bytes(t, GT_CALL_READ, 3, 128), 4u, "in full: all came twice");
	cr_expect_gt(call_bytes(t, GT_CALL_READ, 3, UINT64_MAX), 10u, "has no slot");
	check_all(t, &brief);
	cr_expect_eq(brief, 6u);
}

/* The last number and the last result that a slot has room for, and those beyond. */
Test(brief, what_a_slot_has_no_room_for, .init = started_inside, .fini = ended)
{
	static const struct {
		uint64_t call, result;
		bool fits;
	} edges[] = {
		{0xfffd, 0, true},
		{0xfffe, 0, false},
		{0xffff, 0, false},
		{0x10001, 0, false},
		{GT_CALL_READ, (UINT64_C(1) << 48) - 1, true},
		{GT_CALL_READ, UINT64_C(1) << 48, false},
	};
	struct gt_thread *t = gt_tls.thread;
	unsigned brief, fit = 0;

	for (size_t i = 0; i < GT_LEN(edges); i++) {
		for (unsigned k = 0; k < 3; k++) {
			struct gt_w w = gt_acquire(t);

			put_call(&w, edges[i].call, 3, edges[i].result);
			gt_release(&w);
		}
		fit += edges[i].fits;
	}
	check_all(t, &brief);
	cr_expect_eq(brief, fit * 2);
}

/* An argument that has none beside a slot: as another result of that call, which is the same. */
Test(brief, an_argument_has_no_room, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned brief;

	call_bytes(t, GT_CALL_READ, 3, 0);
	cr_expect_eq(call_bytes(t, GT_CALL_READ, (UINT64_C(1) << 60) - 1, 0), 12u);
	cr_expect_eq(call_bytes(t, GT_CALL_READ, UINT64_C(1) << 60, 0), 12u);
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 3, 0), 3u);
	check_all(t, &brief);
	cr_expect_eq(brief, 3u);
}

/* Even if the slots were full of others when they came. */
Test(brief, two_results_that_take_turns, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned brief;

	for (unsigned i = 0; i < 40; i++) {
		call_bytes(t, GT_CALL_OPEN, 0, i);
	}
	for (unsigned i = 0; i < 40; i++) {
		call_bytes(t, GT_CALL_READ, 3, i % 2);
	}
	for (unsigned i = 0; i < 10; i++) {
		cr_expect_eq(call_bytes(t, GT_CALL_READ, 3, i % 2), 3u);
	}
	check_all(t, &brief);
}

/* What a section that was left has said is not in the batch, and nobody refers to it. */
Test(brief, an_undone_section_said_nothing, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	struct gt_w w;
	size_t before;
	unsigned brief;

	call_bytes(t, GT_CALL_READ, 4, 0);
	before = nexpected;
	w = gt_acquire(t);
	gt_undoable(&w);
	put_block(&w, 0x1000, 0, GT_OBJECT_COND, 0);
	put_call(&w, GT_CALL_WRITE, 5, 0);
	cr_assert(gt_section_undo(t));
	nexpected = before;

	cr_expect_gt(call_bytes(t, GT_CALL_WRITE, 5, 0), 4u);
	w = gt_acquire(t);
	put_wait_end(&w, GT_ENDED_WAKER, 0, 2);
	put_wait_end(&w, GT_ENDED_WAKER, 0, 2);
	put_block(&w, 0x1000, 0, GT_OBJECT_COND, 0);
	put_retake(&w, 0x2000, 2, 100);
	put_retake(&w, 0x2000, 2, 100);
	gt_release(&w);
	cr_expect_gt(call_bytes(t, GT_CALL_READ, 4, 0), 4u, "until the batch ends");
	cr_expect_eq(check_all(t, &brief), 1u);
	cr_expect_eq(brief, 0u);

	/* The next batch is as any other. */
	nexpected = 0;
	call_bytes(t, GT_CALL_READ, 4, 0);
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 4, 0), 3u);
	cr_expect_eq(check_all(t, &brief), 1u);
	cr_expect_eq(brief, 1u);
}

/* A section in whose middle a batch ends, at each place in turn. */
Test(brief, a_new_batch_begins_in_full, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned brief;

	for (unsigned left = 0; left < 4; left++) {
		struct gt_w w;

		nexpected = 0;
		w = gt_acquire(t);
		put_block(&w, 0x1000, 0, GT_OBJECT_COND, 0);
		put_retake(&w, 0x2000, 2, 100);
		put_call(&w, GT_CALL_READ, 4, 2);
		while (gt_fact_fits(&w)) {
			put_call(&w, GT_CALL_READ, 4, 2);
		}
		/* One more of one kind opens the next batch. */
		if (left == 0) {
			put_block(&w, 0x1000, 0, GT_OBJECT_COND, 0);
		} else if (left == 1) {
			put_retake(&w, 0x2000, 2, 100);
		} else if (left == 2) {
			put_wait_end(&w, GT_ENDED_WAKER, 0, 2);
		} else {
			put_call(&w, GT_CALL_READ, 4, 2);
		}
		cr_assert_lt(w.facts_at - w.b->facts, 64);
		cr_expect_lt(w.b->facts[2], (uint8_t)GT_FACT_WAIT);
		put_retake(&w, 0x2000, 2, 100);
		put_block(&w, 0x1000, 0, GT_OBJECT_COND, 0);
		put_retake(&w, 0x2000, 2, 100);
		put_retake(&w, 0x2000, 2, 100);
		put_wait_end(&w, GT_ENDED_WAKER, 0, 2);
		put_call(&w, GT_CALL_READ, 4, 2);
		gt_release(&w);
		cr_expect_eq(check_all(t, &brief), 2u);
	}
}

static void put_any(struct gt_w *w)
{
	uint64_t place = 0x7f0000001000 + 64 * draw(12);

	switch (draw(8)) {
	case 0:
	case 1:
		put_block(w, place, draw(8) == 0, 1 + draw(2),
			  draw(3) ? gt_thread_tid(w->t) - 20 + draw(40) : 0);
		break;
	case 2:
		put_retake(w, 0x7f0000009000 + 64 * draw(2), 1 + draw(300), draw(100000));
		break;
	case 3:
	case 4:
		put_wait_end(w, draw(4) ? GT_ENDED_WAKER : GT_ENDED_TIMEOUT,
			     draw(4) ? 0 : UINT32_MAX, draw(5000));
		break;
	default:
		put_call(w, draw(4) ? GT_CALL_READ : GT_CALL_WRITE, draw(6),
			 draw(9) ? gt_zigzag((int64_t)draw(5000) - 100) : UINT64_MAX - draw(4));
	}
}

/* Sections of a few facts, one in 500 left and undone. */
Test(brief, whatever_is_written_is_read, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned undone = 0, brief;

	while (nexpected < ROUNDS - 8) {
		size_t before = nexpected;
		struct gt_w w = gt_acquire(t);

		gt_undoable(&w);
		for (unsigned n = draw(8); n > 0; n--) {
			put_any(&w);
		}
		if (t->undo.writes == GT_WRITES_UNDOABLE && draw(500) == 0) {
			cr_assert(gt_section_undo(t));
			nexpected = before;
			undone++;
		} else {
			gt_release(&w);
		}
	}
	cr_expect_gt(undone, 5u);
	cr_expect_geq(check_all(t, &brief), 4u);
	cr_expect_gt(brief, ROUNDS / 20u);
}
