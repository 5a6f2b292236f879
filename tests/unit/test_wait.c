/*
 * The wait registry: who is named as the one that ended a wait. One thread of the kernel plays all
 * parts, each with a record of its own. Whom a waiter named is read from the mailboxes.
 */
#include <string.h>

#include "started.h"

#include "emit.h"
#include "shm.h"
#include "wait.h"

/* Stacks have tests of their own. */
static void started_without_stacks(void)
{
	started();
	gt_store_relaxed(&gt_stack_depth, 0);
}

TestSuite(wait, .init = started_without_stacks, .fini = ended);

static int mutex, cond, other;

/* A thread that runs. */
static struct gt_thread *actor(void)
{
	struct gt_thread *t = gt_thread_attach((uintptr_t)actor);

	cr_assert_not_null(t);
	return t;
}

/* t blocks on object. */
static uint32_t blocks_with(struct gt_thread *t, const void *object, const void *mutex_of)
{
	return gt_wait_begin(t, &(struct gt_wait_for){.reason = GT_REASON_MUTEX,
						      .kind = GT_OBJECT_MUTEX,
						      .object = object,
						      .mutex = mutex_of});
}

static uint32_t blocks(struct gt_thread *t, const void *object)
{
	return blocks_with(t, object, NULL);
}

static void hint(struct gt_thread *t, const void *object, enum gt_wake kind)
{
	uint64_t version = gt_wake_hint(t, object, kind, NULL, NULL);

	if (kind != GT_WAKE_UNLOCK) {
		gt_wake_over(t, version);
	}
}

/* t sets the mutex free; contended: its word says that somebody sleeps. */
static void unlock(struct gt_thread *t, bool contended)
{
	uint32_t value = contended ? 2 : 1;

	gt_wake_hint(t, &mutex, GT_WAKE_UNLOCK, &(struct gt_wake_word){&value, 2, false}, NULL);
}

/* As the thread t itself: only that may end its wait. */
static void end_wait(struct gt_thread *t, uint32_t number, enum gt_ended ended, int result)
{
	gt_tls.thread = t;
	gt_wait_end(t, number, ended, result);
}

static void end_join(struct gt_thread *t, struct gt_thread *target, uint32_t number,
		     enum gt_ended ended, int result)
{
	gt_tls.thread = t;
	gt_join_end(t, target, number, ended, result);
}

static struct gt_mailbox *box_of(struct gt_thread *t)
{
	return &t->mailbox[gt_trace->head.gen & 1];
}

/* The unblock of waiter lies last in waker's mailbox, which holds n. */
static void expect_posted(struct gt_thread *waker, struct gt_thread *waiter, uint32_t n)
{
	struct gt_mailbox *box = box_of(waker);
	uint32_t last = (gt_load_relaxed(&box->posted) - 1) % GT_MAILBOX;

	cr_assert_eq(gt_mailbox_left(box), n, "%u posts", gt_mailbox_left(box));
	cr_expect_eq(waker->posts[gt_trace->head.gen & 1][last].g, gt_thread_id(waiter));
}

static void expect_nothing_posted(struct gt_thread *t)
{
	cr_expect_eq(gt_mailbox_left(box_of(t)), 0u);
}

static void expect_registry_empty(void)
{
	for (size_t i = 0; i < GT_BUCKETS; i++) {
		cr_assert_eq(gt_buckets[i].either, 0u);
		cr_assert_null(gt_buckets[i].line.first);
		cr_assert_null(gt_buckets[i].line.last);
	}
}

/* The last fact of that type in t's batch: its arguments. */
static void last_fact(struct gt_thread *t, enum gt_fact type, uint64_t *args)
{
	struct gt_buf *b = gt_ref_ptr(t->x_slot[gt_trace->head.gen & 1]);
	const uint8_t *p = b->facts + 2, *const end = b->facts + gt_buf_facts(b);
	struct gt_brief brief = {.wait = GT_BRIEF_NONE};
	bool found = false;

	while (p < end) {
		uint8_t number = *p++;
		const struct gt_spec *spec = gt_spec_fact(number);
		uint64_t v[7]; /* the time, then the arguments */

		cr_assert_not_null(spec);
		for (unsigned i = 0; i <= spec->nargs; i++) {
			p += gt_varint_get(p, end, &v[i]);
		}
		cr_assert(gt_brief_read(&brief, b->m, &number, v + 1));
		if (number == type) {
			memcpy(args, v + 1, gt_spec_fact(number)->nargs * sizeof(*v));
			found = true;
		}
	}
	cr_assert(found);
}

static void expect_ended(struct gt_thread *t, enum gt_ended ended, uint64_t waker)
{
	uint64_t args[6];

	last_fact(t, GT_FACT_WAIT_END, args);
	cr_expect_eq(args[0], gt_thread_id(t));
	cr_expect_eq(args[1], (uint64_t)ended, "%s", gt_ended_text(args[1]));
	cr_expect_eq(args[3], waker);
}

/* --- Hints ------------------------------------------------------------------------------------ */

Test(wait, nobody_is_named_without_a_hint)
{
	struct gt_thread *waiter = actor();
	uint32_t n;

	cr_expect_not(gt_wake_wanted(&mutex));
	n = blocks(waiter, &mutex);
	cr_expect(gt_wake_wanted(&mutex));
	cr_expect_eq(gt_state_g(waiter->x_state), (unsigned)GT_GO_WAITING);
	cr_expect_eq(waiter->p, GT_PROC_NONE);
	end_wait(waiter, n, GT_ENDED_WAKER, 0);
	cr_expect_not(gt_wake_wanted(&mutex));
	cr_expect_eq(gt_state_g(waiter->x_state), (unsigned)GT_GO_RUNNING);
	cr_expect_neq(waiter->p, GT_PROC_NONE);
	expect_ended(waiter, GT_ENDED_NOBODY, 0);
	expect_registry_empty();
}

Test(wait, the_last_unlock_wins)
{
	struct gt_thread *waiter = actor();
	struct gt_thread *a = actor();
	struct gt_thread *b = actor();
	uint32_t n = blocks(waiter, &mutex);

	hint(a, &mutex, GT_WAKE_UNLOCK);
	hint(b, &mutex, GT_WAKE_UNLOCK);
	end_wait(waiter, n, GT_ENDED_WAKER, 0);
	expect_posted(b, waiter, 1);
	expect_nothing_posted(a);
	expect_ended(waiter, GT_ENDED_WAKER, gt_thread_id(b));
	expect_registry_empty();
}

/* The third thread between the two found nobody asleep: the waiter was on its way. */
Test(wait, an_unlock_that_wakes_before_one_that_does_not)
{
	struct gt_thread *waiter = actor();
	struct gt_thread *a = actor();
	struct gt_thread *b = actor();
	uint32_t n = blocks(waiter, &mutex);

	unlock(a, true);
	unlock(b, false);
	end_wait(waiter, n, GT_ENDED_WAKER, 0);
	expect_posted(a, waiter, 1);
	expect_nothing_posted(b);
	expect_registry_empty();
}

Test(wait, an_unlock_of_something_else_is_no_cause)
{
	struct gt_thread *waiter = actor();
	struct gt_thread *a = actor();
	uint32_t n = blocks(waiter, &mutex);

	hint(a, &other, GT_WAKE_UNLOCK);
	end_wait(waiter, n, GT_ENDED_WAKER, 0);
	expect_nothing_posted(a);
	expect_ended(waiter, GT_ENDED_NOBODY, 0);
}

Test(wait, signals_go_to_the_longest_waiters_without_one)
{
	struct gt_thread *first = actor();
	struct gt_thread *second = actor();
	struct gt_thread *third = actor();
	struct gt_thread *a = actor();
	struct gt_thread *b = actor();
	struct gt_thread *c = actor();
	uint32_t n1 = blocks(first, &cond);
	uint32_t n2 = blocks(second, &cond);
	uint32_t n3;

	hint(a, &cond, GT_WAKE_SIGNAL);
	hint(b, &cond, GT_WAKE_SIGNAL);
	hint(c, &cond, GT_WAKE_SIGNAL); /* for nobody */
	n3 = blocks(third, &cond);
	/* In whatever order they return. */
	end_wait(third, n3, GT_ENDED_WAKER, 0);
	end_wait(second, n2, GT_ENDED_WAKER, 0);
	end_wait(first, n1, GT_ENDED_WAKER, 0);
	expect_posted(a, first, 1);
	expect_posted(b, second, 1);
	expect_nothing_posted(c);
	expect_ended(third, GT_ENDED_NOBODY, 0);
	expect_registry_empty();
}

Test(wait, a_broadcast_is_for_all)
{
	struct gt_thread *waiters[5];
	uint32_t n[5];
	struct gt_thread *late = actor();
	struct gt_thread *a = actor();
	uint32_t nlate;

	for (int i = 0; i < 5; i++) {
		waiters[i] = actor();
		n[i] = blocks(waiters[i], &cond);
	}
	hint(a, &cond, GT_WAKE_BROADCAST);
	nlate = blocks(late, &cond);
	/* The first, which keeps it, leaves in the middle. */
	for (uint32_t i = 0; i < 5; i++) {
		static const int order[] = {3, 0, 4, 1, 2};
		struct gt_thread *t = waiters[order[i]];

		end_wait(t, n[order[i]], GT_ENDED_WAKER, 0);
		expect_posted(a, t, i + 1);
	}
	end_wait(late, nlate, GT_ENDED_WAKER, 0);
	expect_ended(late, GT_ENDED_NOBODY, 0);
	cr_expect_eq(gt_mailbox_left(box_of(a)), 5u);
	expect_registry_empty();
}

Test(wait, the_heir_keeps_the_hint_of_the_first)
{
	struct gt_thread *first = actor();
	struct gt_thread *stranger = actor();
	struct gt_thread *second = actor();
	struct gt_thread *third = actor();
	struct gt_thread *a = actor();
	uint32_t n1 = blocks(first, &mutex);
	uint32_t ns = blocks(stranger, &other);
	uint32_t n2 = blocks(second, &mutex);
	uint32_t n3;

	hint(a, &mutex, GT_WAKE_UNLOCK);
	n3 = blocks(third, &mutex);
	end_wait(first, n1, GT_ENDED_TIMEOUT, 110);
	expect_nothing_posted(a);
	expect_ended(first, GT_ENDED_TIMEOUT, 0);
	end_wait(second, n2, GT_ENDED_WAKER, 0);
	expect_posted(a, second, 1);
	/* It came when the unlock was over. */
	end_wait(third, n3, GT_ENDED_WAKER, 0);
	expect_ended(third, GT_ENDED_NOBODY, 0);
	end_wait(stranger, ns, GT_ENDED_WAKER, 0);
	expect_ended(stranger, GT_ENDED_NOBODY, 0);
	expect_registry_empty();
}

/* glibc's broadcast may wait for waiters that leave, and then wakes who came meanwhile. */
Test(wait, a_broadcast_that_goes_on_is_for_who_comes_meanwhile)
{
	struct gt_thread *first = actor();
	struct gt_thread *late = actor();
	struct gt_thread *later = actor();
	struct gt_thread *a = actor();
	uint32_t n1 = blocks(first, &cond);
	uint32_t n2;
	uint32_t n3;
	uint64_t version = gt_wake_hint(a, &cond, GT_WAKE_BROADCAST, NULL, NULL);

	n2 = blocks(late, &cond);
	end_wait(late, n2, GT_ENDED_WAKER, 0);
	expect_posted(a, late, 1);
	end_wait(first, n1, GT_ENDED_WAKER, 0);
	expect_posted(a, first, 2);
	gt_wake_over(a, version);
	n3 = blocks(later, &cond);
	end_wait(later, n3, GT_ENDED_WAKER, 0);
	expect_ended(later, GT_ENDED_NOBODY, 0);
	expect_registry_empty();
}

Test(wait, an_earlier_signal_before_a_later_broadcast)
{
	struct gt_thread *waiter = actor();
	struct gt_thread *a = actor();
	struct gt_thread *b = actor();
	uint32_t n = blocks(waiter, &cond);

	hint(a, &cond, GT_WAKE_SIGNAL);
	hint(b, &cond, GT_WAKE_BROADCAST);
	end_wait(waiter, n, GT_ENDED_WAKER, 0);
	expect_posted(a, waiter, 1);
	expect_nothing_posted(b);
}

/* --- A condition variable and its mutex ------------------------------------------------------- */

/* The waiter's own release, then a signal by a, then an unlock by b. */
static void check_cond(bool contended, struct gt_thread **a, struct gt_thread **b,
		       struct gt_thread **waiter)
{
	uint32_t n;

	*a = actor();
	*b = actor();
	*waiter = actor();
	n = blocks_with(*waiter, &cond, &mutex);
	unlock(*waiter, true);
	hint(*a, &cond, GT_WAKE_SIGNAL);
	unlock(*b, contended);
	end_wait(*waiter, n, GT_ENDED_WAKER, 0);
	expect_registry_empty();
}

Test(wait, the_signal_ends_a_cond_wait)
{
	struct gt_thread *a;
	struct gt_thread *b;
	struct gt_thread *waiter;

	check_cond(false, &a, &b, &waiter);
	expect_posted(a, waiter, 1);
	expect_nothing_posted(b);
}

Test(wait, the_mutex_held_it_up_after_the_signal)
{
	struct gt_thread *a;
	struct gt_thread *b;
	struct gt_thread *waiter;
	uint64_t args[6];

	check_cond(true, &a, &b, &waiter);
	expect_posted(a, waiter, 1);
	expect_nothing_posted(b);
	last_fact(waiter, GT_FACT_RETAKE, args);
	cr_expect_eq(args[0], gt_thread_id(waiter));
	cr_expect_eq(args[1], (uintptr_t)&mutex);
	cr_expect_eq(args[2], gt_thread_id(b));
}

Test(wait, its_own_release_of_the_mutex_is_no_cause)
{
	struct gt_thread *waiter = actor();
	uint32_t n = blocks_with(waiter, &cond, &mutex);

	unlock(waiter, true);
	end_wait(waiter, n, GT_ENDED_WAKER, 0);
	expect_nothing_posted(waiter);
	expect_ended(waiter, GT_ENDED_NOBODY, 0);
}

/* --- What ends a wait besides a waker --------------------------------------------------------- */

Test(wait, a_time_out_names_nobody)
{
	struct gt_thread *waiter = actor();
	struct gt_thread *a = actor();
	uint32_t n = blocks(waiter, &mutex);

	hint(a, &mutex, GT_WAKE_UNLOCK);
	end_wait(waiter, n, GT_ENDED_TIMEOUT, 110);
	expect_nothing_posted(a);
	expect_ended(waiter, GT_ENDED_TIMEOUT, 0);
	expect_registry_empty();
}

Test(wait, who_cancels_it)
{
	struct gt_thread *waiter = actor();
	struct gt_thread *a = actor();
	struct gt_thread *b = actor();
	uint32_t n = blocks(waiter, &cond);

	gt_cancel_hint(a, waiter, gt_thread_id(waiter) + 1, NULL); /* meant for another */
	gt_cancel_hint(b, waiter, gt_thread_id(waiter), NULL);
	hint(a, &cond, GT_WAKE_BROADCAST);
	end_wait(waiter, n, GT_ENDED_CANCELLED, 0);
	expect_posted(b, waiter, 1);
	expect_nothing_posted(a);
	expect_ended(waiter, GT_ENDED_CANCELLED, gt_thread_id(b));
	expect_registry_empty();
	/* Nobody waits: nothing happens, and the next wait knows nothing of it. */
	gt_cancel_hint(b, waiter, gt_thread_id(waiter), NULL);
	n = blocks(waiter, &cond);
	end_wait(waiter, n, GT_ENDED_CANCELLED, 0);
	cr_expect_eq(gt_mailbox_left(box_of(b)), 1u);
}

Test(wait, an_end_is_taken_once)
{
	struct gt_thread *waiter = actor();
	uint32_t n = blocks(waiter, &mutex);
	uint32_t len;

	end_wait(waiter, n, GT_ENDED_WAKER, 0);
	len = gt_buf_events(gt_ref_ptr(waiter->x_slot[1]));
	end_wait(waiter, n, GT_ENDED_WAKER, 0);
	cr_expect_eq(gt_buf_events(gt_ref_ptr(waiter->x_slot[1])), len);
}

Test(wait, a_frame_that_is_gone)
{
	struct gt_thread *waiter = actor();
	struct gt_wait_for what = {.reason = GT_REASON_MUTEX, .object = &mutex};
	char stack[512];

	waiter->root.lo = (uintptr_t)stack;
	waiter->root.hi = (uintptr_t)stack + sizeof(stack);
	memset(stack, 0, sizeof(stack));
	what.frame = stack + 256;
	gt_wait_begin(waiter, &what);
	cr_expect_not(gt_wait_left(waiter, (uintptr_t)stack + 128), "a handler during the wait");
	cr_expect_not(gt_wait_left(waiter, (uintptr_t)stack + 512), "another stack");
	cr_expect_eq(gt_state_g(waiter->x_state), (unsigned)GT_GO_WAITING);
	cr_expect(gt_wait_left(waiter, (uintptr_t)stack + 384));
	cr_expect_eq(gt_state_g(waiter->x_state), (unsigned)GT_GO_RUNNING);
	expect_ended(waiter, GT_ENDED_CANCELLED, 0);
	expect_registry_empty();
}

/* --- Mailboxes -------------------------------------------------------------------------------- */

Test(wait, a_full_mailbox_refuses)
{
	struct gt_thread *waiters[GT_MAILBOX + 1];
	uint32_t n[GT_MAILBOX + 1];
	struct gt_thread *a = actor();
	struct gt_w w;

	for (size_t i = 0; i < GT_LEN(waiters); i++) {
		waiters[i] = actor();
		n[i] = blocks(waiters[i], &cond);
	}
	hint(a, &cond, GT_WAKE_BROADCAST);
	for (size_t i = 0; i < GT_LEN(waiters); i++) {
		end_wait(waiters[i], n[i], GT_ENDED_WAKER, 0);
	}
	cr_expect_eq(gt_mailbox_left(box_of(a)), (uint32_t)GT_MAILBOX);
	expect_ended(waiters[GT_MAILBOX - 1], GT_ENDED_WAKER, gt_thread_id(a));
	expect_ended(waiters[GT_MAILBOX], GT_ENDED_REFUSED, gt_thread_id(a));
	cr_expect_eq(gt_trace->losses[GT_LOSS_MAILBOX_REFUSED], 1u);
	/* The waker's next section writes them. */
	gt_tls.busy++;
	w = gt_acquire(a);
	gt_release(&w);
	gt_tls.busy--;
	expect_nothing_posted(a);
}

Test(wait, a_waker_that_is_over_is_refused)
{
	struct gt_thread *waiter = actor();
	struct gt_thread *a = actor();
	uint32_t epoch = gt_tls.epoch;
	uint32_t n = blocks(waiter, &mutex);

	hint(a, &mutex, GT_WAKE_UNLOCK);
	gt_thread_end(a);
	gt_tls.epoch = epoch; /* it was only one of our parts */
	end_wait(waiter, n, GT_ENDED_WAKER, 0);
	expect_nothing_posted(a);
	expect_ended(waiter, GT_ENDED_REFUSED, gt_thread_id(a));
}

/*
 * A waker that has blocked and woken since its hint: its GoStart must not stand before this
 * unblock, or a ring of such waits could not be ordered (wait.h).
 */
Test(wait, a_waker_that_woke_since_is_refused)
{
	struct gt_thread *waiter = actor();
	struct gt_thread *second = actor();
	struct gt_thread *a = actor();
	uint32_t n = blocks(waiter, &mutex);
	uint32_t n2 = blocks(second, &cond);
	uint32_t na;

	hint(a, &mutex, GT_WAKE_UNLOCK);
	hint(a, &cond, GT_WAKE_BROADCAST);
	na = blocks(a, &other);
	end_wait(waiter, n, GT_ENDED_WAKER, 0);
	expect_posted(a, waiter, 1); /* it blocks, but has not woken */
	end_wait(a, na, GT_ENDED_TIMEOUT, 110);
	expect_nothing_posted(a);
	end_wait(second, n2, GT_ENDED_WAKER, 0);
	expect_nothing_posted(a);
	expect_ended(second, GT_ENDED_REFUSED, gt_thread_id(a));
	/* What it hints now counts again. */
	n = blocks(waiter, &mutex);
	hint(a, &mutex, GT_WAKE_UNLOCK);
	end_wait(waiter, n, GT_ENDED_WAKER, 0);
	expect_posted(a, waiter, 1);
}

/* --- Join ------------------------------------------------------------------------------------- */

Test(wait, a_join_is_ended_by_the_thread_s_end)
{
	struct gt_thread *joiner = actor();
	struct gt_thread *target = actor();
	uint64_t id = gt_thread_id(target);
	uint32_t epoch = gt_tls.epoch;
	uint32_t n = gt_join_begin(joiner, target, id, NULL);

	cr_expect_eq(target->x_joiner, gt_ptr_ref(joiner));
	gt_thread_end(target);
	gt_tls.epoch = epoch;
	cr_expect_eq(target->x_joiner, GT_JOINER_CLOSED);
	cr_expect_eq(gt_state_g(joiner->x_state), (unsigned)GT_GO_RUNNABLE);
	end_join(joiner, target, n, GT_ENDED_WAKER, 0);
	cr_expect_eq(gt_state_g(joiner->x_state), (unsigned)GT_GO_RUNNING);
	expect_ended(joiner, GT_ENDED_WAKER, id);
}

Test(wait, a_join_that_times_out_withdraws)
{
	struct gt_thread *joiner = actor();
	struct gt_thread *target = actor();
	uint32_t epoch = gt_tls.epoch;
	uint32_t n = gt_join_begin(joiner, target, gt_thread_id(target), NULL);

	end_join(joiner, target, n, GT_ENDED_TIMEOUT, 110);
	cr_expect_eq(target->x_joiner, GT_JOINER_NONE);
	expect_ended(joiner, GT_ENDED_TIMEOUT, 0);
	gt_thread_end(target);
	gt_tls.epoch = epoch;
	cr_expect_eq(gt_state_g(joiner->x_state), (unsigned)GT_GO_RUNNING, "left alone");
}

/* It timed out, but the end had already claimed it: by then it is runnable. */
Test(wait, a_join_that_times_out_too_late)
{
	struct gt_thread *joiner = actor();
	struct gt_thread *target = actor();
	uint32_t epoch = gt_tls.epoch;
	uint32_t n = gt_join_begin(joiner, target, gt_thread_id(target), NULL);

	gt_thread_end(target);
	gt_tls.epoch = epoch;
	end_join(joiner, target, n, GT_ENDED_TIMEOUT, 110);
	cr_expect_eq(gt_state_g(joiner->x_state), (unsigned)GT_GO_RUNNING);
	expect_ended(joiner, GT_ENDED_TIMEOUT, gt_thread_id(target));
}

/*
 * Nobody stands where the end is recorded, or where the record has become another thread's: who
 * ended the wait is known, but can write nothing more.
 */
Test(wait, a_join_of_one_that_is_over)
{
	struct gt_thread *joiner = actor();
	struct gt_thread *target = actor();
	uint64_t id = gt_thread_id(target);
	uint32_t epoch = gt_tls.epoch;
	uint32_t n;

	n = gt_join_begin(joiner, target, id + 1000, NULL);
	cr_expect_eq(target->x_joiner, GT_JOINER_NONE);
	end_join(joiner, target, n, GT_ENDED_WAKER, 0);
	expect_ended(joiner, GT_ENDED_REFUSED, id + 1000);

	gt_thread_end(target);
	gt_tls.epoch = epoch;
	n = gt_join_begin(joiner, target, id, NULL);
	cr_expect_eq(target->x_joiner, GT_JOINER_CLOSED);
	end_join(joiner, target, n, GT_ENDED_WAKER, 0);
	expect_ended(joiner, GT_ENDED_REFUSED, id);
}
