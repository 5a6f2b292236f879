/*
 * Calls that go on as before and have no fact: who reads events and facts side by side finds each
 * one.
 */
#include "said.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <ucontext.h>

#include "frames.h"
#include "stack.h"

/*
 * Goes on as a thread whose calls hooks trace: its walks end here and are remembered, so that most
 * calls are written at once (core/call.c).
 */
static void with_stacks(next_fn *next, void *arg)
{
	uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
	uintptr_t end = (uintptr_t)frame_pointer_call;

	gt_stack_init();
	gt_tls.thread->root =
		(struct gt_stack_root){frame - (1 << 16), frame, 0x1234, end, end + 1};
	frame_pointer(next, arg);
}

/* A call that is made now; a long one, for which the machine kept it waiting, is one as well. */
static GT_NOINLINE void make_call(struct gt_thread *t, enum gt_call call, int64_t arg,
				  int64_t result)
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
	uint64_t begin = 0, called = 0, seq = 0;
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

		if (events.number == GT_EV_GO_SYSCALL_BEGIN) {
			begin = events.ticks;
			cr_assert_eq(events.args[0], ++seq, "the next number of its P");
			cr_assert_neq(events.args[1], 0u);
		} else if (events.number == GT_EV_PROC_START) {
			cr_assert_eq(events.args[1], ++seq);
		}
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

			cr_assert(gt_brief_repeats(&said), "call %zu is not said", n);
			gt_brief_go_on(&said);
			gt_brief_last(&said, args);
			expect_call(&expected[n++], args);
		}
	}
	cr_expect_eq(n, nexpected);
	for (; more; more = next(&facts, &said)) {
		cr_expect_eq(facts.number, GT_FACT_YIELDS, "a Call later than all ends");
	}
}

static void calls_that_go_on(void *arg)
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
	cr_expect_lt(written, nexpected / 4);
	cr_expect_geq(written, (size_t)6);
	(void)arg;
}

Test(unwritten, calls_that_go_on_as_before_are_not_written, .init = started_inside, .fini = ended)
{
	calls_that_go_on(NULL);
}

Test(unwritten, nor_are_those_at_once, .init = started_inside, .fini = ended)
{
	with_stacks(calls_that_go_on, NULL);
}

/* As a server does the same for each connection: only which one is new. */
Test(unwritten, calls_go_on_with_other_arguments, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned batches;
	size_t written;

	for (int i = 0; i < 5000; i++) {
		const int fd = 100 + (int)draw(50);

		make_call(t, GT_CALL_RECV, fd, 50);
		make_call(t, GT_CALL_OPEN, -1, 60 + i / 100 % 2);
		make_call(t, GT_CALL_FSTAT, 60 + i / 100 % 2, 0);
		make_call(t, GT_CALL_WRITEV, fd, 237);
		make_call(t, GT_CALL_CLOSE, 60 + i / 100 % 2, 0);
	}
	check_calls(t, &written, &batches);
	cr_expect_gt(batches, 1u);
	cr_expect_lt(written, nexpected / 3, "%zu of %zu", written, nexpected);
	cr_expect_geq(written, (size_t)5000);
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

Test(unwritten, whatever_calls_come_is_read, .init = started_inside, .fini = ended)
{
	any_calls();
}

/* What is asked before calls are written at once holds of the last one. */
static void expect_at_once(const struct gt_thread *t)
{
	cr_assert(gt_calls_at_once);
	cr_assert_not_null(t->walks.id);
	cr_expect_eq(t->walks.id->gen, (uint32_t)gt_trace->head.gen);
}

static void calls_at_once(void *arg)
{
	any_calls();
	expect_at_once(gt_tls.thread);
	(void)arg;
}

Test(unwritten, whatever_calls_are_written_at_once, .init = started_inside, .fini = ended)
{
	with_stacks(calls_at_once, NULL);
}

Test(unwritten, at_once_by_a_clock_that_hardly_moves, .init = started_inside, .fini = ended)
{
	gt_trace->clock[1].tick_mult /= 1000;
	with_stacks(calls_at_once, NULL);
}

/* Without stacks each is its entry, which has one id until it is another: main, once known. */
Test(unwritten, at_once_without_stacks, .init = started_inside, .fini = ended)
{
	struct gt_thread *t = gt_tls.thread;
	uint32_t id = 0;
	unsigned batches;
	size_t written;

	gt_store_relaxed(&gt_stack_depth, 0);
	for (int i = 0; i < 9; i++) {
		if (i % 3 == 0) {
			t->root.entry += 16;
		}
		make_call(t, GT_CALL_READ, 5, 100);
		expect_at_once(t);
		cr_expect_eq(t->walks.pcs[0], t->root.entry);
		cr_expect_eq(t->walks.id->id == id, i % 3 != 0);
		id = t->walks.id->id;
	}
	check_calls(t, &written, &batches);
}

/* No call is as one before, so facts fill their half of a batch first. */
static void facts_without_room(void *arg)
{
	struct gt_thread *t = gt_tls.thread;
	unsigned batches;
	size_t written;

	for (unsigned i = 0; i < 5000; i++) {
		make_call(t, GT_CALL_READ, 1 << 20 | i, (1 << 20) + 7 * i);
	}
	expect_at_once(t);
	/* Two results of which all bits but the highest are the same. */
	for (unsigned i = 0; i < 4; i++) {
		make_call(t, GT_CALL_READ, 5, i < 3 ? -(INT64_C(1) << 47) : INT64_MIN);
	}
	check_calls(t, &written, &batches);
	cr_expect_geq(written, (size_t)5000);
	(void)arg;
}

Test(unwritten, at_once_with_facts_that_have_no_room, .init = started_inside, .fini = ended)
{
	with_stacks(facts_without_room, NULL);
}

static void calls_not_at_once(void *arg)
{
	/* As if there were a GTRACE_MIN that all are longer than. */
	gt_calls_at_once = false;
	any_calls();
	(void)arg;
}

Test(unwritten, whatever_calls_are_not_at_once, .init = started_inside, .fini = ended)
{
	with_stacks(calls_not_at_once, NULL);
}

/* Most events have the time of another: the clock takes 8 us for a tick. */
Test(unwritten, by_a_clock_that_hardly_moves, .init = started_inside, .fini = ended)
{
	gt_trace->clock[1].tick_mult /= 1000;
	any_calls();
}

/* The end that is not said, and the first fact of the next batch, at one time by that clock. */
Test(unwritten, a_batch_begins_later_than_the_one_before, .init = started_inside, .fini = ended)
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
static void clock_goes_back(void *arg)
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
	(void)arg;
}

Test(unwritten, by_a_clock_that_goes_back, .init = started_inside, .fini = ended)
{
	clock_goes_back(NULL);
}

Test(unwritten, at_once_by_a_clock_that_goes_back, .init = started_inside, .fini = ended)
{
	with_stacks(clock_goes_back, NULL);
}

/*
 * What a section has to do besides is done where a call would else be written at once: of calls
 * from one place, so that all have the stack of those before.
 */
enum duty { YIELDS = 20, POST, STATUS, LONG, EARLY, LATE_FACT, BEHIND, DUTIES };

static struct gt_last now(const struct gt_thread *t)
{
	struct gt_buf *b = gt_ref_ptr(t->x_slot[gt_trace->head.gen & 1]);

	return b->last[gt_tail_side(gt_load_relaxed(&b->tail))];
}

static GT_NOINLINE void other_duties(void *arg)
{
	struct gt_thread *t = gt_tls.thread;
	const unsigned parity = gt_trace->head.gen & 1;
	struct gt_mailbox *box = &t->mailbox[parity];
	uint64_t seq = 0, last = 0;
	struct gt_w w;

	for (unsigned i = 0; i < DUTIES; i++) {
		int64_t result = 100;

		switch (i) {
		case YIELDS:
			expect_at_once(t);
			t->yields = 3;
			break;
		case POST:
			t->posts[parity][gt_load_relaxed(&box->posted) % GT_MAILBOX].g = 7;
			gt_store_relaxed(&box->posted, gt_load_relaxed(&box->posted) + 1);
			break;
		case STATUS:
			gt_store_relaxed(&t->traced[parity], 0);
			gt_trace->procs.proc[t->p].traced[parity] = 0;
			break;
		case LONG:
			seq = t->seq[parity];
			break;
		case LATE_FACT:
			/* Later than the last event, and the counter goes half way back. */
			nanosleep(&(struct timespec){0, 2000000}, NULL);
			w = gt_acquire(t);
			gt_event(&w, FACT_YIELDS, gt_value(1), gt_value(2));
			gt_release(&w);
			gt_trace->clock[1].base_ticks -= 1000000 / 8;
			result = 101;
			break;
		case BEHIND:
			last = now(t).event;
			gt_trace->clock[1].base_counter += UINT64_C(1) << 40;
			break;
		default:
			break;
		}
		gt_tls.busy = 0;
		gt_call_begin(t, GT_CALL_READ, 0, 5, __builtin_frame_address(0));
		if (i == LONG) {
			nanosleep(&(struct timespec){0, 1000000}, NULL);
		} else if (i == EARLY) {
			t->call_at = gt_trace->clock[1].base_counter - 1;
			last = now(t).event;
		}
		gt_call_end(t, result);
		if (i == EARLY) {
			cr_expect_leq(now(t).event - last, (uint64_t)100000000);
		}
		gt_tls.busy = 1;
		cr_expect_eq(t->yields, 0u);
		cr_expect_eq(gt_mailbox_left(box), 0u);
		cr_expect_eq(gt_load_relaxed(&t->traced[parity]),
			     gt_load_relaxed(&gt_trace->head.gen));
	}
	/* It has started again, once; and where it began with the line, if that is long ago. */
	cr_expect_leq(t->seq[parity] - seq - 1, 1u);
	/* And no fact is later than its end. */
	cr_expect_geq(now(t).event, now(t).fact);
	cr_expect_leq(now(t).event, last + 2);
	(void)arg;
}

static GT_NOINLINE void other_duties_below(void *arg)
{
	other_duties(arg);
	__asm__ volatile("");
}

Test(unwritten, other_duties_are_done, .init = started_inside, .fini = ended)
{
	with_stacks(other_duties_below, NULL);
}

#if defined(__x86_64__)
/*
 * A handler that jumps out of the end of a call, at each of its instructions in turn: the processor
 * traps after every one (TF, Intel's manual, volume 3, 18.3.1.4), and the k-th trap does not
 * return.
 */
enum { TRAPS_MOST = 900 };
#define TRAP_EACH() __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc")
#define TRAP_NONE() __asm__ volatile("pushfq; andq $~0x100, (%%rsp); popfq" : : : "memory", "cc")

static sigjmp_buf outside;
static volatile unsigned traps_left;

static void on_trap(int signal, siginfo_t *info, void *context)
{
	if (--traps_left == 0) {
		((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100L;
		siglongjmp(outside, 1);
	}
	(void)signal;
	(void)info;
}

/* The call that is made now, left at that instruction. False: it has ended before. */
static GT_NOINLINE bool jump_out(struct gt_thread *t, int64_t result, unsigned instruction)
{
	uint64_t before = gt_load_relaxed(&slot(t)->tail);
	bool open;

	/* Those before, of no tick each, are over by the clock as well; and this one takes some. */
	nanosleep(&(struct timespec){0, 300000}, NULL);
	gt_tls.busy = 0;
	gt_call_begin(t, GT_CALL_READ, 0, 5, __builtin_frame_address(0));
	nanosleep(&(struct timespec){0, 100000}, NULL);
	traps_left = instruction;
	if (sigsetjmp(outside, 1) == 0) {
		TRAP_EACH();
		gt_call_end(t, result);
		TRAP_NONE();
		gt_tls.busy = 1;
		expect(GT_FACT_CALL, (uint64_t[]){GT_CALL_READ, 6, gt_zigzag(result)}, 3);
		return false;
	}
	open = gt_load_relaxed(&t->x_in_call) != 0;
	if (gt_tls.busy) {
		gt_call_recover(t);
	}
	gt_tls.busy = 1;
	cr_assert_eq(gt_load_relaxed(&gt_trace->broken), (uint32_t)GT_BROKEN_NOT);
	cr_assert(!gt_in_section(t));
	/* It is written now, as one that was left if it had not ended; or it is lost, as a whole.
	 */
	if (gt_load_relaxed(&slot(t)->tail) != before) {
		expect(GT_FACT_CALL,
		       (uint64_t[]){GT_CALL_READ, 6, gt_zigzag(open ? -ECANCELED : result)}, 3);
	}
	return true;
}

static void jump_out_everywhere(void *result)
{
	struct gt_thread *t = gt_tls.thread;
	struct sigaction trap = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
	unsigned instruction = 0, batches;
	bool jumped = true;
	size_t written;

	sigaction(SIGTRAP, &trap, NULL);
	/* With a trap an instruction it takes long. */
	gt_trace->clock[1].tick_mult /= 4000;
	while (jumped) {
		cr_assert_lt(++instruction, (unsigned)TRAPS_MOST);
		for (int i = 0; i < 4; i++) {
			make_call(t, GT_CALL_READ, 5, 100);
		}
		jumped = jump_out(t, *(int64_t *)result, instruction);
		for (int i = 0; i < 2; i++) {
			make_call(t, GT_CALL_READ, 5, 100);
		}
		/* A new one: after an undo a batch remembers nothing more. */
		gt_buf_seal(slot(t));
		gt_store_relaxed(&t->x_slot[gt_trace->head.gen & 1], 0);
	}
	cr_expect_gt(instruction, 100u);
	make_call(t, GT_CALL_READ, 5, 100);
	check_calls(t, &written, &batches);
}

Test(unwritten, a_jump_out_of_a_repeated_call, .init = started_inside, .fini = ended)
{
	int64_t result = 100;

	with_stacks(jump_out_everywhere, &result);
}

Test(unwritten, a_jump_out_of_a_call_with_a_fact, .init = started_inside, .fini = ended)
{
	int64_t result = 777;

	with_stacks(jump_out_everywhere, &result);
}
#endif
