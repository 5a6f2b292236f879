/*
 * For tests of what is written at once (core/once.h): one thread goes through a
 * wait as it comes, another as one that has forgotten the ids of its stacks,
 * for which nothing is written at once; and what they leave is the same.
 */
#pragma once

#include "started.h"

#include <string.h>

#include "emit.h"
#include "shm.h"
#include "wait.h"

/*
 * So many counts are a tick, of which none passes while a test runs: time goes
 * on where the test says so. The trace begins so many ticks behind the line.
 */
enum { TICK_BITS = 36, TICKS_FIRST = 1000 };

static struct gt_clock *clock_line(void)
{
	return &gt_trace->clock[1];
}

static void started_still(void)
{
	start_with(256 << 20);
	gt_store_relaxed(&gt_stack_depth, 0);
	clock_line()->tick_mult = UINT64_C(1) << (64 - TICK_BITS);
	clock_line()->base_counter = gt_clock_moment() - ((uint64_t)TICKS_FIRST << TICK_BITS) -
				     (UINT64_C(1) << (TICK_BITS - 1));
}

static uint64_t now(void)
{
	return gt_clock_ticks_now(clock_line());
}

enum { MOST = 40, ROLES = 3 };

/* An event or a fact; times here are ticks from when the wait was about to
 * begin. */
struct item {
	unsigned number;
	bool fact;
	int64_t ticks;
	uint64_t args[GT_WIRE_ARGS_MAX];
};

/* What one end of a wait leaves. */
struct left {
	struct item items[MOST];
	size_t n;
	uint64_t state, seq, tail, batches, brief_g;
	int64_t last, block;
	uint32_t has_p, spare, wait, off, name, number, mailbox, undo;
	uint64_t yields, refused;
	/* In the waker's mailbox. */
	uint32_t posted;
	uint64_t post_g, post_seq, post_stack;
	int64_t post;
	/* Not compared: the sections that were opened. */
	uint64_t sections;
};

/* A wait, and those who take part in it. */
struct run {
	struct gt_thread *t, *waker, *other;
	struct gt_wait_for what;
	uint32_t number;
	uint32_t p;    /* that it gives back, and will have again */
	uint64_t zero; /* ticks */
	struct gt_buf *b;
	uint64_t tail; /* of it, where the case begins */
	struct left begin, end;
};

/* How it goes: what is done before each end. */
struct how {
	const char *name;
	void (*before)(struct run *r); /* it begins */
	void (*amid)(struct run *r);   /* it ends */
	bool cond, retakes, registered, renamed;
	bool slow_begin, slow_end, unnamed;
	unsigned n;
};
static const struct how *how;

static int mutex, cond, another;

static struct gt_buf *slot(struct gt_thread *t)
{
	uint32_t ref = gt_load_relaxed(&t->x_slot[1]);

	return ref ? gt_ref_ptr(ref) : NULL;
}

static struct gt_thread *actor(unsigned role)
{
	struct gt_thread *t = gt_thread_attach((uintptr_t)actor + 16 * role);

	cr_assert_not_null(t);
	/* In both runs the same, and as long. */
	gt_store_relaxed(&t->id, 0x70000000 + role);
	return t;
}

static void section(struct gt_thread *t)
{
	struct gt_w w;

	gt_tls.busy++;
	w = gt_acquire(t);
	gt_release(&w);
	gt_tls.busy--;
}

/* So many ticks go by: what has been is so much longer ago. */
static void pass(struct run *r, uint64_t ticks)
{
	struct gt_thread *t = r->t;

	clock_line()->base_ticks += ticks;
	ticks <<= TICK_BITS;
	t->wait_at -= t->wait_at ? ticks : 0;
	t->yields_since -= ticks;
	t->wait.since -= ticks;
	t->wait.called -= t->wait.called ? ticks : 0;
	for (int kind = 0; kind < GT_HINTS; kind++) {
		t->wait.hint[kind].at -= ticks;
	}
	if (r->what.mutex) {
		struct gt_bucket *b = gt_bucket_of((uintptr_t)r->what.mutex);

		b->called_at -= ticks;
		b->freed[0].by.at -= ticks;
		b->freed[1].by.at -= ticks;
	}
}

/* A post as of another waiter that t woke, so many ticks ago. */
static void put_post(struct run *r, int64_t ago)
{
	struct gt_mailbox *box = &r->t->mailbox[1];
	uint32_t n = gt_load_relaxed(&box->posted);

	r->t->posts[1][n % GT_MAILBOX] =
		(struct gt_post){.g = 5000 + n,
				 .seq = n + 1,
				 .ns = (now() - (uint64_t)ago) << GT_TICK_SHIFT,
				 .stack = 3 + n};
	gt_store_relaxed(&box->posted, n + 1);
}

/* For who forgets them nothing is at once. */
static void forget_stacks(struct gt_thread *t)
{
	t->walks.none.id.gen = 0;
	memset(t->known, 0, sizeof(t->known));
}

static void begins(struct run *r)
{
	if (how->registered) {
		gt_wait_register(r->t, &mutex, false, NULL);
		pass(r, 3);
	}
	r->number = gt_wait_begin(r->t, &r->what);
}

static void woken(struct run *r)
{
	const uint32_t word = 2;
	const struct gt_wake_word unlocked = {&word, 2, false};

	pass(r, 10);
	if (r->what.mutex) {
		gt_wake_over(r->waker, gt_wake_hint(r->waker, &cond, GT_WAKE_SIGNAL, NULL, NULL));
		pass(r, 2);
	}
	if (!r->what.mutex || how->retakes) {
		gt_wake_hint(r->what.mutex ? r->other : r->waker, &mutex, GT_WAKE_UNLOCK, &unlocked,
			     NULL);
		pass(r, 2);
	}
}

static void ends(struct run *r)
{
	gt_tls.thread = r->t;
	gt_wait_end(r->t, r->number, GT_ENDED_WAKER, 0);
}

/* The items from a tail on. */
static void decode(struct run *r, struct left *left, const struct gt_buf *b, uint64_t from,
		   bool facts)
{
	const uint8_t *p = facts ? b->facts + 2 : b->events;
	const uint8_t *end = facts ? b->facts + gt_buf_facts(b) : p + gt_buf_events(b);
	const uint8_t *begin =
		facts ? b->facts + GT_MAX(gt_tail_facts(from), 2u) : p + gt_tail_events(from);
	uint64_t ticks = b->base;

	while (p < end) {
		struct item item = {.number = *p, .fact = facts};
		const struct gt_spec *spec =
			facts ? gt_spec_fact(item.number) : gt_spec_event(item.number);
		const bool counts = p >= begin;
		uint64_t dt = 0;

		cr_assert_not_null(spec, "%s", how->name);
		p++;
		p += gt_varint_get(p, end, &dt);
		ticks += dt;
		item.ticks = (int64_t)(ticks - r->zero);
		for (unsigned i = 0; i < spec->nargs; i++) {
			p += gt_varint_get(p, end, &item.args[i]);
		}
		if (!facts &&
		    (item.number == GT_EV_PROC_START || item.number == GT_EV_PROC_STATUS)) {
			item.args[0] = item.args[0] == gt_load_relaxed(&r->t->p);
		} else if (facts && item.number == GT_FACT_YIELDS && item.args[0] == 3) {
			/* Ticks, but for what passed meanwhile. */
			item.args[1] /= gt_clock_unit ? gt_clock_unit << (TICK_BITS - 32)
						      : UINT64_C(1) << TICK_BITS;
		} else if (facts && item.number == GT_FACT_RETAKE && item.args[3]) {
			item.args[3] = 1;
		} else if (facts && item.number == GT_FACT_RETAKEN && item.args[1]) {
			item.args[1] = 1;
		} else if (facts && item.number == GT_FACT_ON_CPU) {
			item.args[1] = item.args[1] != 0;
		}
		if (facts && item.number == GT_FACT_BLOCK) {
			/* It may have been made anew in one of the two. */
			item.args[2] = 0;
		}
		if (counts) {
			cr_assert_lt(left->n, (size_t)MOST, "%s", how->name);
			left->items[left->n++] = item;
		}
	}
	cr_assert_eq(p, end);
}

static void leave(struct run *r, struct left *left, uint64_t sections)
{
	struct gt_thread *t = r->t;
	struct gt_mailbox *box = &r->waker->mailbox[1];
	struct gt_buf *b = slot(t);
	const struct gt_post *post;

	memset(left, 0, sizeof(*left));
	for (int facts = 0; facts < 2; facts++) {
		decode(r, left, r->b, r->tail, facts);
		if (b != r->b) {
			decode(r, left, b, 0, facts);
		}
	}
	left->batches = 1 + (b != r->b);
	/* How long a fact about a processor is nobody knows. */
	left->tail = gt_tail(gt_buf_events(b), gt_env.cpu ? 0 : gt_buf_facts(b), 0);
	left->state = gt_load_relaxed(&t->x_state) & UINT32_MAX;
	left->has_p = gt_load_relaxed(&t->p) != GT_PROC_NONE;
	left->spare = t->spare_p != GT_PROC_NONE;
	left->seq = t->seq[1];
	left->brief_g = t->brief.g;
	left->wait = t->brief.wait;
	left->off = t->brief_off;
	left->name = gt_load_relaxed(&t->name_new);
	left->number = gt_load_relaxed(&t->wait_number);
	left->mailbox = gt_mailbox_left(&t->mailbox[1]);
	left->undo = t->undo.writes;
	left->yields = t->yields;
	left->last = (int64_t)(t->last_ticks - r->zero);
	/* None where nothing is recorded. */
	left->block = t->block_ticks ? (int64_t)(t->block_ticks - r->zero) : 0;
	left->refused = gt_load_relaxed(&gt_trace->losses[GT_LOSS_MAILBOX_REFUSED]);
	left->posted = gt_mailbox_left(box);
	post = &r->waker->posts[1][(gt_load_relaxed(&box->posted) - 1) % GT_MAILBOX];
	if (left->posted) {
		left->post_g = post->g;
		left->post_seq = post->seq;
		left->post_stack = post->stack;
		left->post = (int64_t)((post->ns >> GT_TICK_SHIFT) - r->zero);
	}
	left->sections = (gt_load_relaxed(&t->x_seq) - sections) / 2;
}

/* One wait from its beginning to its end, in the middle of a batch that knows
 * what it is for. */
static void run(struct run *r, bool at_once)
{
	const uint64_t refused = gt_trace->losses[GT_LOSS_MAILBOX_REFUSED];
	const uint64_t counter = clock_line()->base_counter;
	const struct how none = {.name = "before", .cond = how->cond, .retakes = how->retakes};
	const struct how *which = how;
	uint64_t sections;

	memset(r, 0, sizeof(*r));
	r->t = actor(1);
	r->waker = actor(2);
	r->other = actor(3);
	r->what = (struct gt_wait_for){.reason = how->cond ? GT_REASON_COND : GT_REASON_MUTEX,
				       .kind = how->cond ? GT_OBJECT_COND : GT_OBJECT_MUTEX,
				       .object = how->cond ? &cond : &mutex,
				       .mutex = how->cond ? &mutex : NULL,
				       .owner = 9};
	how = &none;
	for (int i = 0; i < 2; i++) {
		begins(r);
		woken(r);
		ends(r);
	}
	/* And one for something else, which is the last that the batch has heard of. */
	r->number = gt_wait_begin(r->t, &(struct gt_wait_for){.reason = GT_REASON_MUTEX,
							      .kind = GT_OBJECT_MUTEX,
							      .object = &another});
	ends(r);
	how = which;
	section(r->waker);
	pass(r, 100);
	r->zero = now();
	r->p = gt_load_relaxed(&r->t->p);
	r->b = slot(r->t);
	if (how->before) {
		how->before(r);
	}
	r->tail = gt_load_relaxed(&r->b->tail);
	if (!at_once) {
		forget_stacks(r->t);
	}
	sections = gt_load_relaxed(&r->t->x_seq);
	begins(r);
	leave(r, &r->begin, sections);
	woken(r);
	if (how->amid) {
		how->amid(r);
	}
	if (!at_once) {
		forget_stacks(r->t);
	}
	sections = gt_load_relaxed(&r->t->x_seq);
	ends(r);
	leave(r, &r->end, sections);
	r->begin.refused -= refused;
	r->end.refused -= refused;
	gt_store_relaxed(&gt_trace->broken, GT_BROKEN_NOT);
	gt_store_relaxed(&gt_trace->head.gen, 1);
	clock_line()->base_counter = counter;
}

static void expect_same(const struct left *a, const struct left *b, const char *which)
{
	struct left one = *a, two = *b;

	for (size_t i = 0; i < GT_MAX(a->n, b->n); i++) {
		const struct item *y = &b->items[i];
		struct item *x = &one.items[i];

		/* The P starts when its G does, and not a tick before. */
		x->ticks -= x->number == GT_EV_PROC_START && !x->fact && x->ticks == y->ticks + 1;
		cr_expect_eq(memcmp(x, y, sizeof(*x)), 0,
			     "%s, %u, %s: item %zu: %u at %ld (%lx %lx %lx %lx), not %u at %ld "
			     "(%lx %lx %lx %lx)",
			     how->name, how->n, which, i, x->number, (long)x->ticks, x->args[0],
			     x->args[1], x->args[2], x->args[3], y->number, (long)y->ticks,
			     y->args[0], y->args[1], y->args[2], y->args[3]);
	}
#define SAME(field)                                                                          \
	cr_expect_eq(one.field, two.field, "%s, %u, %s: " #field " %lx, not %lx", how->name, \
		     how->n, which, (unsigned long)one.field, (unsigned long)two.field)
	SAME(n);
	SAME(state);
	SAME(seq);
	SAME(tail);
	SAME(batches);
	SAME(brief_g);
	SAME(last);
	SAME(block);
	SAME(has_p);
	SAME(spare);
	SAME(wait);
	SAME(off);
	SAME(name);
	SAME(number);
	SAME(mailbox);
	SAME(undo);
	SAME(yields);
	SAME(refused);
	SAME(posted);
	SAME(post_g);
	SAME(post_seq);
	SAME(post_stack);
	SAME(post);
#undef SAME
}

/* Goes so both ways. */
static void compare(const struct how *case_of)
{
	static struct run once, slowly;

	how = case_of;
	run(&once, true);
	run(&slowly, false);
	expect_same(&once.begin, &slowly.begin, "begin");
	expect_same(&once.end, &slowly.end, "end");
	/* What the batch has not named is not tried. */
	cr_expect_eq(once.begin.sections, how->slow_begin && !how->unnamed ? 2u : 1u,
		     "%s, %u: %lu at its beginning", how->name, how->n, once.begin.sections);
	cr_expect_eq(once.end.sections == 1, !how->slow_end, "%s, %u: %lu at its end", how->name,
		     how->n, once.end.sections);
}
