/*
 * Buffers: the pool, and the order in which finished batches come out.
 */
#include "started.h"

#include <pthread.h>
#include <string.h>

#include "base/varint.h"

#include "buf.h"
#include "shm.h"

enum { GEN = 4, M = 77 }; /* a generation of the parity that is not in use */

static struct gt_buf *make(uint64_t m)
{
	struct gt_buf *b = gt_buf_new(GEN, m, 1000);

	cr_assert_not_null(b);
	return b;
}

Test(buf, a_new_one_is_empty, .init = started, .fini = ended)
{
	struct gt_buf *b = make(M);

	cr_expect_eq(b->gen, (uint64_t)GEN);
	cr_expect_eq(b->m, (uint64_t)M);
	cr_expect_eq(b->base, 1000u);
	cr_expect_eq(b->last[0].event, 1000u);
	cr_expect_eq(b->last[0].fact, 1000u);
	cr_expect_eq(gt_buf_events(b), 0u);
	cr_expect_eq(gt_buf_facts(b), 0u);
	cr_expect_null(gt_buf_next(b));
	cr_expect_eq((uintptr_t)b % GT_REF_UNIT, 0u);
}

Test(buf, the_pool_comes_before_new_memory, .init = started, .fini = ended)
{
	struct gt_buf *a = make(1);
	struct gt_buf *b = make(2);
	uint64_t brk = gt_trace->brk;

	cr_expect_neq(a, b);
	gt_store_relaxed(&a->tail, gt_tail(100, 0, 0));
	gt_buf_free(a);
	gt_buf_free(b);
	cr_expect_eq(gt_trace->free_bufs_count, 2u);
	cr_expect_eq(make(3), b, "the warmest first");
	cr_expect_eq(make(4), a);
	cr_expect_eq(a->m, 4u);
	cr_expect_eq(gt_buf_events(a), 0u);
	cr_expect_eq(gt_trace->free_bufs_count, 0u);
	cr_expect_eq(gt_trace->brk, brk);
}

Test(buf, memory_ends, .init = started_small, .fini = ended)
{
	struct gt_buf *last = NULL;
	unsigned n = 0;

	for (struct gt_buf *b; (b = gt_buf_new(GEN, M, 0)) != NULL; last = b) {
		n++;
		cr_assert_lt(n, 1000u);
	}
	cr_expect_gt(n, 32u, "4 MiB are more than %u buffers", n);
	cr_expect_null(gt_buf_new(GEN, M, 0));
	gt_buf_free(last);
	cr_expect_eq(gt_buf_new(GEN, M, 0), last, "the pool still works");
}

Test(buf, sealed_ones_come_out_oldest_first, .init = started, .fini = ended)
{
	struct gt_buf *b;
	uint64_t n = 0;

	for (uint64_t m = 0; m < 10; m++) {
		gt_buf_seal(make(m));
	}
	cr_expect_eq(gt_trace->full_count[0], 10u);
	cr_expect_null(gt_buf_take_full(1), "of the other parity there is none");
	for (b = gt_buf_take_full(0); b; b = gt_buf_next(b)) {
		cr_expect_eq(b->m, n++);
	}
	cr_expect_eq(n, 10u);
	cr_expect_eq(gt_trace->full_count[0], 0u);
	cr_expect_null(gt_buf_take_full(0));
}

/* --- Last batches ----------------------------------------------------------------------------- */

/* A batch of M m with so many bytes, each of them m. */
static struct gt_buf *make_filled(uint64_t m, uint32_t events, uint32_t facts)
{
	struct gt_buf *b = make(m);

	memset(b->events, (int)m, events);
	memset(b->facts, (int)m, facts);
	gt_store_relaxed(&b->tail, gt_tail(events, facts, 0));
	return b;
}

/* Reads one batch at p as a reader of the file would; returns its end. */
static const uint8_t *expect_batch(const uint8_t *p, unsigned experiment, uint64_t m,
				   uint32_t bytes)
{
	const uint8_t *end = p + 64;
	uint64_t want[] = {GEN, m, 1000, bytes};

	cr_assert_eq(*p++, experiment ? GT_EV_EXPERIMENTAL_BATCH : GT_EV_EVENT_BATCH);
	if (experiment) {
		cr_assert_eq(*p++, experiment);
	}
	for (size_t i = 0; i < GT_LEN(want); i++) {
		uint64_t v = 0;
		int n = gt_varint_get(p, end, &v);

		cr_assert_gt(n, 0);
		cr_assert_eq(v, want[i], "word %zu of the header is %llu", i,
			     (unsigned long long)v);
		p += n;
	}
	for (uint32_t i = 0; i < bytes; i++) {
		cr_assert_eq(p[i], (uint8_t)m);
	}
	return p + bytes;
}

/* As at a thread's end, whose record goes with it. */
static void seal_last(struct gt_buf *b)
{
	if (gt_buf_seal_last(b)) {
		gt_buf_free(b);
	}
}

Test(buf, small_last_batches_share_a_buffer, .init = started, .fini = ended)
{
	uint64_t brk;
	struct gt_buf *b;
	const uint8_t *p;

	seal_last(make_filled(1, 100, 20));
	brk = gt_trace->brk;
	seal_last(make_filled(2, 300, 0));
	seal_last(make_filled(3, 0, 30));
	seal_last(make_filled(4, 0, 0));
	cr_expect_eq(gt_trace->brk, brk, "each went back to the pool");
	cr_expect_null(gt_buf_take_full(0), "more may come");
	gt_buf_close_packed(0);
	b = gt_buf_take_full(0);
	cr_assert_not_null(b);
	cr_expect_null(gt_buf_next(b));
	p = expect_batch(b->events, 0, 1, 100);
	p = expect_batch(p, GT_FACT_EXPERIMENT, 1, 20);
	p = expect_batch(p, 0, 2, 300);
	p = expect_batch(p, GT_FACT_EXPERIMENT, 3, 30);
	cr_expect_eq(b->packed_len, (uint32_t)(p - b->events));
	gt_buf_close_packed(0);
	cr_expect_null(gt_buf_take_full(0), "closing twice is nothing");
}

Test(buf, a_large_last_batch_is_not_copied, .init = started, .fini = ended)
{
	struct gt_buf *b = make_filled(1, GT_BUF_SMALL + 1, 0);

	seal_last(b);
	cr_expect_eq(gt_buf_take_full(0), b);
	cr_expect_eq(b->packed_len, 0u);
}

/* The kernel gives a tid again: what the older thread wrote stands first. */
Test(buf, copies_stand_before_what_is_sealed_later, .init = started, .fini = ended)
{
	struct gt_buf *later = make_filled(M, 200, 0);
	struct gt_buf *b;

	seal_last(make_filled(M, 100, 0));
	gt_buf_seal(later);
	b = gt_buf_take_full(0);
	cr_assert_not_null(b);
	expect_batch(b->events, 0, M, 100);
	cr_expect_eq(gt_buf_next(b), later);
}

Test(buf, a_full_buffer_of_copies_is_followed_by_another, .init = started, .fini = ended)
{
	unsigned batches = 0;
	unsigned bufs = 0;

	for (uint64_t m = 1; m <= 50; m++) {
		seal_last(make_filled(m, 4000, 0));
	}
	gt_buf_close_packed(0);
	for (struct gt_buf *b = gt_buf_take_full(0); b; b = gt_buf_next(b)) {
		const uint8_t *p = b->events;

		cr_assert_leq(b->packed_len, (uint32_t)GT_BUF_EVENTS);
		while (p < b->events + b->packed_len) {
			p = expect_batch(p, 0, ++batches, 4000);
		}
		cr_assert_eq(p, b->events + b->packed_len);
		bufs++;
	}
	cr_expect_eq(batches, 50u);
	cr_expect_eq(bufs, 5u);
}

/* --- Many threads ----------------------------------------------------------------------------- */

enum { THREADS = 6, ROUNDS = 20000, HELD = 5 };

static _Atomic uint32_t twice;

/* Each buffer that is held carries its holder; nobody else may change that. */
static void *hold_and_free(void *arg)
{
	uint64_t me = (uintptr_t)arg;
	struct gt_buf *held[HELD];

	for (int i = 0; i < ROUNDS; i++) {
		for (int k = 0; k < HELD; k++) {
			held[k] = gt_buf_new(GEN, me, 0);
		}
		for (int k = 0; k < HELD; k++) {
			if (!held[k] || held[k]->m != me) {
				gt_add_relaxed(&twice, 1);
			}
		}
		for (int k = 0; k < HELD; k++) {
			gt_buf_free(held[k]);
		}
	}
	return NULL;
}

Test(buf, each_to_one_thread, .init = started, .fini = ended)
{
	pthread_t threads[THREADS];
	uint64_t brk = gt_trace->brk;

	for (uintptr_t i = 0; i < THREADS; i++) {
		cr_assert_eq(pthread_create(&threads[i], NULL, hold_and_free, (void *)i), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	cr_expect_eq(twice, 0u);
	cr_expect_leq(gt_trace->free_bufs_count, (uint32_t)THREADS * HELD);
	cr_expect_eq(gt_trace->brk - brk, (uint64_t)gt_trace->free_bufs_count * GT_BUF_BYTES,
		     "all went back to the pool");
}

static void *seal_many(void *arg)
{
	for (uint64_t i = 0; i < 100; i++) {
		struct gt_buf *b = gt_buf_new(GEN, (uintptr_t)arg, i);

		if (b) {
			gt_buf_seal(b);
		}
	}
	return NULL;
}

Test(buf, each_thread_s_own_come_out_oldest_first, .init = started, .fini = ended)
{
	pthread_t threads[THREADS];
	uint64_t next[THREADS] = {0};

	for (uintptr_t i = 0; i < THREADS; i++) {
		cr_assert_eq(pthread_create(&threads[i], NULL, seal_many, (void *)i), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	for (struct gt_buf *b = gt_buf_take_full(0); b; b = gt_buf_next(b)) {
		cr_assert_eq(b->base, next[b->m]++);
	}
	for (int i = 0; i < THREADS; i++) {
		cr_expect_eq(next[i], 100u);
	}
}
