/*
 * Both ends of waits that are written at once, beside those of the general way, in each case that
 * is to be asked for.
 */
#include "both_ways.h"

#include <pthread.h>

TestSuite(once, .init = started_still, .fini = ended);

/* --- What there is besides -------------------------------------------------------------------- */

Test(once, all_is_as_in_most_waits)
{
	compare(&(struct how){.name = "a mutex"});
	compare(&(struct how){.name = "registered", .registered = true});
	compare(&(struct how){.name = "a condition", .cond = true});
	compare(&(struct how){.name = "and its mutex", .cond = true, .retakes = true});
}

static void put_posts(struct run *r)
{
	for (unsigned i = how->n; i > 0; i--) {
		/* Before what is in the batch, later than that, and now. */
		put_post(r, (int64_t)(i - 1) * 40);
	}
}

Test(once, posts)
{
	for (unsigned n = 0; n <= 6; n++) {
		compare(&(struct how){.name = "at its beginning",
				      .before = put_posts,
				      .n = n,
				      .slow_begin = n > 4});
		compare(&(struct how){
			.name = "at its end", .amid = put_posts, .n = n, .slow_end = n > 4});
		compare(&(struct how){.name = "of a condition",
				      .cond = true,
				      .retakes = true,
				      .before = put_posts,
				      .amid = put_posts,
				      .n = n,
				      .slow_begin = n > 4,
				      .slow_end = n > 4});
	}
}

/* Of one that was signalled before, and had its mutex after this wait had registered. */
static void put_late_post(struct run *r)
{
	put_post(r, -(int64_t)how->n);
}

Test(once, posts_later_than_the_wait)
{
	for (unsigned n = 1; n < 4; n++) {
		compare(&(struct how){.name = "a late post",
				      .registered = true,
				      .before = put_late_post,
				      .n = n});
		compare(&(struct how){.name = "later than its end", .amid = put_late_post, .n = n});
	}
}

static void yield(struct run *r)
{
	r->t->yields = 3;
	r->t->yields_since = gt_clock_moment() - (UINT64_C(5) << (TICK_BITS - 1));
}

Test(once, yields)
{
	compare(&(struct how){.name = "yields", .before = yield});
	compare(&(struct how){
		.name = "yields before it was registered", .before = yield, .registered = true});
}

static void name(struct run *r)
{
	gt_tls.busy++;
	gt_thread_name(r->t, "name");
	gt_tls.busy--;
}

Test(once, a_name)
{
	compare(&(struct how){.name = "named before", .before = name, .slow_begin = true});
	compare(&(struct how){.name = "named while it waits", .amid = name, .slow_end = true});
}

static void fill_mailbox(struct run *r)
{
	struct gt_mailbox *box = &r->waker->mailbox[1];

	gt_store_relaxed(&box->posted, gt_load_relaxed(&box->written) + GT_MAILBOX - how->n);
}

static void waker_wakes(struct run *r)
{
	gt_exchange_seq(&r->waker->wait_number, r->waker->wait_number + 2);
}

static void waker_is_another(struct run *r)
{
	gt_store_relaxed(&r->waker->id, 0x70000009);
}

static void waker_is_over(struct run *r)
{
	gt_store_relaxed(&r->waker->mailbox[1].closed, 1);
}

Test(once, a_post_is_refused)
{
	compare(&(struct how){.name = "full but for one", .amid = fill_mailbox, .n = 1});
	for (int retakes = 0; retakes < 2; retakes++) {
		compare(&(struct how){
			.name = "full", .cond = retakes, .retakes = retakes, .amid = fill_mailbox});
		compare(&(struct how){.name = "woken since",
				      .cond = retakes,
				      .retakes = retakes,
				      .amid = waker_wakes});
		compare(&(struct how){.name = "another's", .amid = waker_is_another});
		compare(&(struct how){.name = "over", .amid = waker_is_over});
	}
}

/* --- Who posts meanwhile ---------------------------------------------------------------------- */

static _Atomic bool posting;

/* Takes the lock of the mailbox, and is slow to post. */
static void *poster(void *arg)
{
	struct run *r = arg;
	struct gt_mailbox *box = &r->t->mailbox[1];

	gt_lock_take(&box->lock);
	gt_store_release(&posting, true);
	gt_sys_sleep(20000000);
	put_post(r, 0);
	gt_lock_drop(&box->lock);
	return NULL;
}

static void post_slowly(struct run *r)
{
	pthread_t id;

	gt_store_relaxed(&posting, false);
	cr_assert_eq(pthread_create(&id, NULL, poster, r), 0);
	pthread_detach(id);
	while (!gt_load_acquire(&posting)) {
		gt_sys_sleep(100000);
	}
}

/* Who holds the lock may not have seen that this thread runs again: it is waited for (post). */
Test(once, a_post_that_is_on_its_way)
{
	compare(&(struct how){.name = "before", .before = post_slowly, .slow_begin = true});
	compare(&(struct how){.name = "amid", .amid = post_slowly, .slow_end = true});
}

/* --- Where the general way is to be gone ------------------------------------------------------ */

static void first_of_p(struct run *r)
{
	gt_trace->procs.proc[r->p].traced[1] = 0;
}

static void not_traced(struct run *r)
{
	gt_store_relaxed(&r->t->traced[1], 0);
	first_of_p(r);
}

static void not_traced_waiting(struct run *r)
{
	gt_store_relaxed(&r->t->traced[1], 0);
}

static void broken(struct run *r)
{
	gt_store_relaxed(&gt_trace->broken, GT_BROKEN_WRITE);
	(void)r;
}

static void over(struct run *r)
{
	gt_store_relaxed(&gt_trace->head.gen, 0);
	(void)r;
}

static void undone(struct run *r)
{
	struct gt_w w;

	gt_tls.busy++;
	w = gt_acquire(r->t);
	gt_undoable(&w);
	cr_assert(gt_section_undo(r->t));
	gt_tls.busy--;
}

static void sealed(struct run *r)
{
	gt_store_relaxed(&r->t->x_slot[1], 0);
	gt_buf_seal(r->b);
}

static void made_anew(struct run *r)
{
	gt_object_renew(r->what.object);
}

static void for_something_else(struct run *r)
{
	r->what.kind = GT_OBJECT_BARRIER;
}

Test(once, what_is_not_as_in_most)
{
	compare(&(struct how){.name = "a P's first", .amid = first_of_p, .slow_end = true});
	compare(&(struct how){.name = "no status", .before = not_traced, .slow_begin = true});
	compare(&(struct how){.name = "none since", .amid = not_traced_waiting, .slow_end = true});
	compare(&(struct how){.name = "undone",
			      .before = undone,
			      .slow_begin = true,
			      .unnamed = true,
			      .slow_end = true});
	compare(&(struct how){.name = "undone amid", .amid = undone, .slow_end = true});
	compare(&(struct how){.name = "a new batch", .before = sealed, .slow_begin = true});
	compare(&(struct how){.name = "a new batch amid", .amid = sealed, .slow_end = true});
	compare(&(struct how){.name = "another object",
			      .before = made_anew,
			      .slow_begin = true,
			      .unnamed = true});
	compare(&(struct how){.name = "another kind",
			      .before = for_something_else,
			      .slow_begin = true,
			      .unnamed = true});
}

Test(once, nothing_is_recorded)
{
	compare(&(struct how){
		.name = "broken", .before = broken, .slow_begin = true, .slow_end = true});
	compare(&(struct how){.name = "broken amid", .amid = broken, .slow_end = true});
	compare(&(struct how){
		.name = "over", .before = over, .slow_begin = true, .slow_end = true});
	compare(&(struct how){.name = "over amid", .amid = over, .slow_end = true});
}

/* It is not even tried then. */
Test(once, with_times_on_processors)
{
	gt_env.cpu = true;
	compare(&(struct how){.name = "GTRACE_CPU"});
}

static void forget_own(struct run *r)
{
	r->t->walks.none.id.gen = 0;
}

static void forget(struct run *r)
{
	forget_stacks(r->t);
}

static int other_mutex;

/* The signaller is known, but not that the condition's mutex was waited for. */
static void not_retaken(struct run *r)
{
	r->t->brief.block[r->t->brief.wait].mutex = (uintptr_t)&other_mutex;
}

Test(once, stacks_and_mutexes_that_are_not_known)
{
	compare(&(struct how){.name = "its own stack", .before = forget_own, .slow_begin = true});
	compare(&(struct how){.name = "its waker's", .amid = forget, .slow_end = true});
	compare(&(struct how){.name = "another mutex",
			      .cond = true,
			      .retakes = true,
			      .amid = not_retaken,
			      .slow_end = true});
	compare(&(struct how){.name = "that nobody asks for", .cond = true, .amid = not_retaken});
}

/* --- Times ------------------------------------------------------------------------------------ */

/* The line begins later than what has been. */
static void line_begins(struct run *r)
{
	clock_line()->base_counter += UINT64_C(1) << (TICK_BITS + 11);
	clock_line()->base_ticks += 100;
	put_posts(r);
}

static void late_event(struct run *r)
{
	struct gt_w w;

	gt_tls.busy++;
	w = gt_acquire(r->t);
	w.ticks += 500;
	gt_event(&w, GO_LABEL, gt_str(0));
	gt_release(&w);
	gt_tls.busy--;
	put_posts(r);
}

static void late_fact(struct run *r)
{
	struct gt_w w;

	gt_tls.busy++;
	w = gt_acquire(r->t);
	w.ticks += 500;
	gt_event(&w, FACT_YIELDS, gt_value(1), gt_value(2));
	gt_release(&w);
	gt_tls.busy--;
	put_posts(r);
}

Test(once, times)
{
	for (unsigned n = 0; n < 4; n++) {
		compare(&(struct how){
			.name = "a late event", .before = late_event, .registered = n % 2, .n = n});
		compare(&(struct how){.name = "a late fact",
				      .before = late_fact,
				      .cond = n % 2,
				      .retakes = n > 1,
				      .n = n});
		compare(&(struct how){.name = "before the line", .before = line_begins, .n = n});
		compare(&(struct how){.name = "before the next", .amid = line_begins, .n = n});
	}
}

/* --- Room ------------------------------------------------------------------------------------- */

/* Until so many bytes are left for events, or for facts: labels, and yields. */
static void fill(struct gt_buf *b, unsigned left, bool facts)
{
	static const uint8_t label[] = {GT_EV_GO_LABEL, 0, 0x80, 0};
	static const uint8_t yields[] = {GT_FACT_YIELDS, 0, 1, 0x80, 0x80, 0x80, 0};
	const uint64_t tail = gt_load_relaxed(&b->tail);
	uint32_t at = facts ? gt_tail_facts(tail) : gt_tail_events(tail);
	const uint32_t end = (facts ? GT_BUF_FACTS : GT_BUF_EVENTS) - left;
	const uint32_t from = at;

	while (at + 16 < end) {
		memcpy(facts ? b->facts + at : b->events + at,
		       facts ? (const uint8_t[]){GT_FACT_YIELDS, 0, 1, 1} : label, 4);
		at += 4;
	}
	/* What is left of that is no multiple. */
	if (facts) {
		const uint32_t odd = 4 + (end - at) % 4 % 4;

		memcpy(b->facts + at, yields, odd - 1);
		b->facts[at + odd - 1] = 0;
		at += odd;
	} else {
		for (unsigned odd = (end - at) % 4; odd; odd--) {
			memcpy(b->events + at, (const uint8_t[]){GT_EV_GO_LABEL, 0, 0}, 3);
			at += 3;
		}
	}
	gt_store_relaxed(&b->tail, facts ? gt_tail(gt_tail_events(tail), at, gt_tail_side(tail))
					 : gt_tail(at, gt_tail_facts(tail), gt_tail_side(tail)));
	cr_assert_gt(at, from);
}

static void fill_events(struct run *r)
{
	fill(slot(r->t), how->n, false);
	r->tail = gt_load_relaxed(&r->b->tail);
	for (unsigned i = 0; i < 4; i++) {
		put_post(r, 0);
	}
}

static void fill_facts(struct run *r)
{
	fill(slot(r->t), how->n, true);
	r->tail = gt_load_relaxed(&r->b->tail);
	yield(r);
}

/*
 * What is written at once has room for the longest that may be; it is not asked here how much that
 * is, but that the same is in the same batch.
 */
Test(once, a_batch_is_nearly_full)
{
	static struct run once, slowly;
	const struct how cases[] = {
		{.name = "events", .before = fill_events},
		{.name = "events amid", .amid = fill_events},
		{.name = "facts", .before = fill_facts},
		{.name = "facts amid", .cond = true, .retakes = true, .amid = fill_facts},
	};
	unsigned batches = 0, slow = 0;

	for (size_t i = 0; i < GT_LEN(cases); i++) {
		for (unsigned n = 1; n < 700; n += n < 80 ? 7 : 61) {
			struct how this_one = cases[i];

			this_one.n = n;
			how = &this_one;
			run(&once, true);
			run(&slowly, false);
			expect_same(&once.begin, &slowly.begin, "begin");
			expect_same(&once.end, &slowly.end, "end");
			slow += once.begin.sections > 1 || once.end.sections > 1;
			batches += once.end.batches > 1;
		}
		cr_expect_gt(slow, 10u * ((unsigned)i + 1), "%s", cases[i].name);
		cr_expect_gt(batches, 5u * ((unsigned)i + 1), "%s", cases[i].name);
		cr_expect_eq(once.begin.sections, 1u, "there is room for all again");
		cr_expect_eq(once.end.sections, 1u);
	}
}
