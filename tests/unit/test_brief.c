/*
 * Brief facts: what is written is what is read, whatever a batch has said, through batches that
 * fill up and sections that are undone.
 */
#include "started.h"

#include <string.h>
#include <time.h>

#include "base/sys.h"

#include "brief.h"
#include "call.h"
#include "shm.h"

enum { ROUNDS = 30000 };

/* A fact in full. */
struct fact {
	uint8_t number;
	uint64_t args[GT_WIRE_ARGS_MAX];
};

static struct fact expected[ROUNDS];
static size_t nexpected;

static void started_inside(void)
{
	started();
	gt_tls.busy = 1;
	nexpected = 0;
}

static struct gt_buf *slot(struct gt_thread *t)
{
	return gt_ref_ptr(t->x_slot[gt_trace->head.gen & 1]);
}

static void expect(uint8_t number, const uint64_t *args, size_t n)
{
	struct fact *f = &expected[nexpected++];

	cr_assert_leq(nexpected, (size_t)ROUNDS);
	*f = (struct fact){.number = number};
	memcpy(f->args, args, n * sizeof(*args));
}

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
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 4, gt_zigzag(100)), 4u);
	cr_expect_gt(call_bytes(t, GT_CALL_READ, 5, gt_zigzag(1)), 4u);
	cr_expect_gt(call_bytes(t, GT_CALL_WRITE, 5, gt_zigzag(1)), 4u);
	/* A result that has no room beside the slot. */
	cr_expect_gt(call_bytes(t, GT_CALL_READ, 4, gt_zigzag(INT64_MIN)), 10u);
	cr_expect_eq(check_all(t, &brief), 1u);
	cr_expect_eq(brief, 6u);
}

/* The slots are filled in turn. */
Test(brief, the_oldest_is_forgotten, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned brief;

	for (unsigned i = 0; i <= GT_BRIEF_CALLS; i++) {
		call_bytes(t, GT_CALL_READ, 10 + i, 0);
	}
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 11, 0), 3u);
	cr_expect_eq(call_bytes(t, GT_CALL_READ, 10 + GT_BRIEF_CALLS, 0), 3u);
	cr_expect_gt(call_bytes(t, GT_CALL_READ, 10, 0), 4u);
	cr_expect_gt(call_bytes(t, GT_CALL_READ, 11, 0), 4u, "its place was taken just now");
	check_all(t, &brief);
	cr_expect_eq(brief, 2u);
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

static uint64_t drawn = 1;

static unsigned draw(unsigned n)
{
	drawn ^= drawn << 13;
	drawn ^= drawn >> 7;
	drawn ^= drawn << 17;
	return (unsigned)((drawn >> 11) % n);
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

/* --- Calls of which nothing is written ----------------------------------------------------------
 */

/* A call that is made now; a long one, for which the machine kept it waiting, is one as well. */
static void make_call(struct gt_thread *t, enum gt_call call, int64_t arg, int64_t result)
{
	gt_tls.busy = 0;
	gt_call_begin(t, call, 0, arg, __builtin_frame_address(0));
	gt_call_end(t, result);
	gt_tls.busy = 1;
	expect(GT_FACT_CALL, (uint64_t[]){call, (uint64_t)(arg + 1), gt_zigzag(result)}, 3);
}

/* Where the reader of a thread's batches of one kind is. */
struct place {
	struct gt_buf *b;
	const uint8_t *at, *end;
	uint64_t ticks;
	uint8_t number;
	uint64_t args[GT_WIRE_ARGS_MAX];
	bool facts;
};

static void enter(struct place *p, struct gt_buf *b)
{
	p->b = b;
	if (b) {
		p->at = p->facts ? b->facts + (gt_buf_facts(b) ? 2 : 0) : b->events;
		p->end = p->facts ? b->facts + gt_buf_facts(b) : b->events + gt_buf_events(b);
		p->ticks = b->base;
	}
}

/* On to the next; false: there is none. */
static bool next(struct place *p, struct gt_brief *said)
{
	const struct gt_spec *spec;
	uint64_t dt = 0;

	while (p->b && p->at == p->end) {
		enter(p, gt_buf_next(p->b));
		said->over |= p->facts;
	}
	if (!p->b) {
		return false;
	}
	p->number = *p->at++;
	spec = p->facts ? gt_spec_fact(p->number) : gt_spec_event(p->number);
	p->at += gt_varint_get(p->at, p->end, &dt);
	p->ticks += dt;
	for (unsigned i = 0; i < spec->nargs; i++) {
		p->at += gt_varint_get(p->at, p->end, &p->args[i]);
	}
	return true;
}

static void expect_call(const struct fact *f, const uint64_t *args)
{
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_eq(args[i], f->args[i], "call %td: %u", f - expected, i);
	}
}

/* Reads all batches, events and facts side by side: each end has the Call that was made. */
static void check_calls(struct gt_thread *t, size_t *written, unsigned *batches)
{
	struct gt_brief said;
	struct place events = {0}, facts = {.facts = true};
	struct gt_buf *first;
	uint64_t begin = 0, called = 0;
	size_t n = 0;
	bool more;

	gt_buf_seal(slot(t));
	gt_store_relaxed(&t->x_slot[gt_trace->head.gen & 1], 0);
	first = gt_buf_take_full(1);
	*batches = 0;
	for (struct gt_buf *b = first; b; b = gt_buf_next(b)) {
		++*batches;
	}
	gt_brief_reset(&said);
	enter(&events, first);
	enter(&facts, first);
	more = next(&facts, &said);
	*written = 0;
	while (next(&events, &said)) {
		const bool ends = events.number == GT_EV_GO_SYSCALL_END;

		begin = events.number == GT_EV_GO_SYSCALL_BEGIN ? events.ticks : begin;
		while (more && facts.ticks <= events.ticks) {
			cr_assert(
				gt_brief_read(&said, gt_thread_tid(t), &facts.number, facts.args));
			if (facts.number == GT_FACT_CALL) {
				/* For who is killed when the one batch counts, and not yet the
				 * other. */
				cr_assert(!ends || facts.ticks <= begin || facts.b == events.b);
				expect_call(&expected[n++], facts.args);
				called = facts.ticks;
				++*written;
			}
			more = next(&facts, &said);
		}
		if (ends && called <= begin) {
			uint64_t args[3];

			cr_assert(said.repeats, "call %zu is not said", n);
			gt_brief_unwritten(&said, args);
			gt_brief_go_on(&said);
			expect_call(&expected[n++], args);
		}
	}
	cr_expect_eq(n, nexpected);
	for (; more; more = next(&facts, &said)) {
		cr_expect_eq(facts.number, GT_FACT_YIELDS, "a Call later than all ends");
	}
}

Test(brief, calls_that_go_on_as_before_are_not_written, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned batches;
	size_t written;

	for (int i = 0; i < 5000; i++) {
		make_call(t, GT_CALL_EPOLL_WAIT, 3, 1);
		make_call(t, GT_CALL_READ, 5, 100);
		make_call(t, GT_CALL_WRITE, 6, i == 2500 ? -11 : 100);
	}
	check_calls(t, &written, &batches);
	cr_expect_gt(batches, 1u);
	/* Of each batch the first time and one more; one that fails; those that the machine kept.
	 */
	cr_expect_lt(written, nexpected / 4, "%zu", written);
	cr_expect_geq(written, (size_t)6);
}

/* Of many kinds, some again and again; among facts of other kinds, and sections that are undone. */
static void any_calls(void)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned batches, undone = 0;
	size_t written;
	int fd = 0;

	while (nexpected < ROUNDS - 64) {
		const int results = draw(3) ? 1 : 40;

		fd = draw(3) ? fd : (int)draw(24);
		for (unsigned n = 1 + draw(20); n > 0; n--) {
			make_call(t, draw(5) ? GT_CALL_READ : GT_CALL_WRITE,
				  draw(4) ? fd : (int)draw(24) - 1,
				  draw(300) ? (int64_t)draw((unsigned)results) : INT64_MIN);
		}
		if (draw(20) == 0) {
			struct gt_w w = gt_acquire(t);

			gt_undoable(&w);
			gt_put_block(&w, 0x1000, 0, GT_OBJECT_COND, 0);
			gt_put_call(&w, GT_CALL_WRITE, 5, 0);
			if (t->undo.writes == GT_WRITES_UNDOABLE) {
				cr_assert(gt_section_undo(t));
				undone++;
			} else {
				/* It has come into a new buffer. */
				gt_release(&w);
				expect(GT_FACT_CALL, (uint64_t[]){GT_CALL_WRITE, 5, 0}, 3);
			}
		} else if (draw(2)) {
			struct gt_w w = gt_acquire(t);

			gt_event(&w, FACT_YIELDS, gt_value(1), gt_value(2));
			gt_release(&w);
		}
	}
	check_calls(t, &written, &batches);
	cr_expect_gt(batches, 3u);
	cr_expect_gt(undone, 5u);
	cr_expect_lt(written, nexpected);
}

Test(brief, whatever_calls_come_is_read, .init = started_inside, .fini = ended)
{
	any_calls();
}

/* Most events have the time of another: the clock takes 8 us for a tick. */
Test(brief, by_a_clock_that_hardly_moves, .init = started_inside, .fini = ended)
{
	gt_trace->clock[1].tick_mult /= 1000;
	any_calls();
}

/* The end that is not said, and the first fact of the next batch, at one time by that clock. */
Test(brief, a_batch_begins_later_than_the_one_before, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned batches;
	size_t written;
	struct gt_w w;

	gt_trace->clock[1].tick_mult = 1;
	for (unsigned i = 0; i < 3; i++) {
		make_call(t, GT_CALL_READ, 5, 100);
	}
	gt_buf_seal(slot(t));
	gt_store_relaxed(&t->x_slot[gt_trace->head.gen & 1], 0);
	w = gt_acquire(t);
	gt_event(&w, FACT_YIELDS, gt_value(1), gt_value(2));
	gt_release(&w);
	make_call(t, GT_CALL_READ, 5, 100);
	check_calls(t, &written, &batches);
	cr_expect_eq(batches, 2u);
	cr_expect_eq(written, (size_t)3);
}

/* The counter goes back within a generation (a suspend, a migration), and a long call follows. */
Test(brief, by_a_clock_that_goes_back, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned batches;
	size_t written;
	struct timespec ts = {0, 100000};

	for (unsigned i = 0; i < 6; i++) {
		make_call(t, GT_CALL_READ, 5, 100);
		make_call(t, GT_CALL_WRITE, 6, 7);
	}
	gt_trace->clock[1].base_ticks -= 1000000 / 8;
	gt_tls.busy = 0;
	gt_call_begin(t, GT_CALL_READ, 0, 9, __builtin_frame_address(0));
	nanosleep(&ts, NULL);
	gt_call_end(t, 33);
	gt_tls.busy = 1;
	expect(GT_FACT_CALL, (uint64_t[]){GT_CALL_READ, 10, gt_zigzag(33)}, 3);
	for (unsigned i = 0; i < 6; i++) {
		make_call(t, GT_CALL_READ, 5, 100);
		make_call(t, GT_CALL_WRITE, 6, 7);
	}
	check_calls(t, &written, &batches);
}
