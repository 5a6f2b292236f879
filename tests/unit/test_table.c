/*
 * Tables: one id for the same bytes, whoever asks; a table that was emptied needs no new memory.
 */
#include "started.h"

#include <pthread.h>
#include <string.h>

#include "table.h"

/* Parity 0 is not in use in generation 1. */
static struct gt_table *table(void)
{
	return &gt_trace->stacks[0];
}

/* A stack of 1 to 40 pcs; different for different i. */
static unsigned make_stack(uint64_t i, uint64_t *pcs)
{
	unsigned n = 1 + (unsigned)(i % 40);

	for (unsigned k = 0; k < n; k++) {
		pcs[k] = 0x400000 + k * 16;
	}
	pcs[n - 1] = i;
	return n;
}

static uint32_t put_stack(uint64_t i)
{
	uint64_t pcs[40];

	return gt_table_put(table(), pcs, make_stack(i, pcs) * sizeof(pcs[0]));
}

static unsigned count_nodes(void)
{
	unsigned n = 0;

	for (struct gt_table_node *node = gt_table_first(table()); node;
	     node = gt_table_next(node)) {
		n++;
	}
	return n;
}

Test(table, same_bytes_same_id, .init = started, .fini = ended)
{
	uint32_t a = gt_table_put(table(), "abc", 3);
	uint32_t b = gt_table_put(table(), "abcd", 4);
	uint32_t none = gt_table_put(table(), "", 0);

	cr_expect_eq(a, 1u, "ids count from 1 here");
	cr_expect_eq(b, 2u);
	cr_expect_eq(none, 3u);
	cr_expect_eq(gt_table_put(table(), "abc", 3), a);
	cr_expect_eq(gt_table_put(table(), "abcd", 3), a, "only so many bytes count");
	cr_expect_eq(gt_table_put(table(), "abcd", 4), b);
	cr_expect_eq(gt_table_put(table(), "", 0), none);
	cr_expect_eq(count_nodes(), 3u);
}

Test(table, the_two_parities_know_nothing_of_each_other, .init = started, .fini = ended)
{
	cr_expect_eq(gt_table_put(&gt_trace->strings[0], "x", 1), (uint32_t)GT_REASON_END);
	cr_expect_eq(gt_table_put(&gt_trace->strings[1], "y", 1), (uint32_t)GT_REASON_END);
	cr_expect_eq(gt_table_put(&gt_trace->strings[1], "x", 1), (uint32_t)GT_REASON_END + 1);
}

enum { MANY = 100000 };

Test(table, many_stacks, .init = started, .fini = ended)
{
	static bool seen[MANY + 1];
	unsigned found = 0;

	for (uint64_t i = 0; i < MANY; i++) {
		cr_assert_eq(put_stack(i), i + 1);
	}
	for (uint64_t i = 0; i < MANY; i++) {
		cr_assert_eq(put_stack(i), i + 1, "the same again");
	}
	for (struct gt_table_node *n = gt_table_first(table()); n; n = gt_table_next(n)) {
		uint64_t pcs[40];
		unsigned depth = make_stack(n->id - 1, pcs);

		cr_assert(n->id >= 1 && n->id <= MANY && !seen[n->id]);
		seen[n->id] = true;
		cr_assert_eq(n->bytes, depth * sizeof(pcs[0]));
		cr_assert_eq(memcmp(n->data, pcs, n->bytes), 0);
		found++;
	}
	cr_expect_eq(found, (unsigned)MANY);
}

Test(table, emptied_and_filled_again_takes_no_memory, .init = started, .fini = ended)
{
	uint64_t brk = 0;

	for (int generation = 0; generation < 5; generation++) {
		for (uint64_t i = 0; i < 10000; i++) {
			cr_assert_eq(put_stack(i + 7 * (uint64_t)generation), i + 1);
		}
		if (generation == 0) {
			brk = gt_trace->brk;
		}
		cr_expect_eq(gt_trace->brk, brk, "generation %d", generation);
		gt_table_reset(table(), 1);
		cr_expect_null(gt_table_first(table()));
	}
	cr_expect_eq(put_stack(9999), 1u, "what an emptied table knew is new");
	gt_table_reset(table(), 100);
	cr_expect_eq(put_stack(9999), 100u);
}

/* The nodes of an emptied table are room for batches. */
Test(table, emptied_is_room_for_batches, .init = started, .fini = ended)
{
	uint32_t chunks = gt_trace->free_bufs_count;

	for (uint64_t i = 0; i < 10000; i++) {
		put_stack(i);
	}
	gt_table_reset(table(), 1);
	cr_expect_gt(gt_trace->free_bufs_count, chunks + 10);
	chunks = gt_trace->free_bufs_count;
	cr_expect_not_null(gt_buf_new(1, 1, 0));
	cr_expect_eq(gt_trace->free_bufs_count, chunks - 1);
}

enum { THREADS = 6, SHARED = 20000 };

static uint32_t ids[THREADS][SHARED];
static pthread_barrier_t begin;

/* All put the same, each in an order of its own: the steps and SHARED have no common divisor. */
static void *put_shared(void *arg)
{
	static const uint64_t steps[THREADS] = {1, 3, 7, 9, 11, 13};
	uintptr_t me = (uintptr_t)arg;

	pthread_barrier_wait(&begin);
	for (uint64_t i = 0; i < SHARED; i++) {
		uint64_t which = i * steps[me] % SHARED;

		ids[me][which] = put_stack(which);
	}
	return NULL;
}

Test(table, many_threads_agree, .init = started, .fini = ended)
{
	static uint32_t owner[THREADS * SHARED + 1];
	pthread_t threads[THREADS];
	unsigned listed = 0;

	pthread_barrier_init(&begin, NULL, THREADS);
	for (uintptr_t i = 0; i < THREADS; i++) {
		cr_assert_eq(pthread_create(&threads[i], NULL, put_shared, (void *)i), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	for (uint32_t i = 0; i < SHARED; i++) {
		uint32_t id = ids[0][i];

		cr_assert(id >= 1 && id <= (uint32_t)THREADS * SHARED);
		cr_assert_eq(owner[id], 0u, "two stacks with one id");
		owner[id] = i + 1;
		for (int k = 1; k < THREADS; k++) {
			cr_assert_eq(ids[k][i], id, "two ids for one stack");
		}
	}
	/* A stack that two put at once may be there twice, but with one id that is used. */
	for (struct gt_table_node *n = gt_table_first(table()); n; n = gt_table_next(n)) {
		cr_assert(n->id >= 1 && n->id <= (uint32_t)THREADS * SHARED);
		listed += owner[n->id] != 0;
		owner[n->id] = 0;
	}
	cr_expect_eq(listed, (unsigned)SHARED, "each id that was given is in the list, once");
}

/* Out of memory: 0 for what is new, but what is known keeps its id. */
Test(table, full, .init = started_small, .fini = ended)
{
	uint32_t last = 0;
	uint64_t i = 0;

	for (; i < 1000000; i++) {
		uint32_t id = put_stack(i);

		if (!id) {
			break;
		}
		last = id;
	}
	cr_expect_eq(last, (uint32_t)i);
	cr_expect_gt(i, 10000u, "4 MiB hold more");
	cr_expect_lt(i, 1000000u);
	cr_expect_eq(put_stack(i), 0u);
	cr_expect_eq(put_stack(0), 1u);
	cr_expect_eq(put_stack(i - 1), last);
	/* A quarter of all memory is left: to strings, and to batches, which the trace needs. */
	for (int k = 0; k < 10; k++) {
		cr_expect_not_null(gt_buf_new(1, 1, 0), "batch %d", k);
	}
	cr_expect_neq(gt_table_put(&gt_trace->strings[0], "x", 1), 0u);
	gt_table_reset(table(), 1);
	cr_expect_eq(put_stack(i), 1u);
}
