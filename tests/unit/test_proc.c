/*
 * Ps: the lowest free slot, each to one thread at a time.
 */
#include "started.h"

#include <pthread.h>
#include <sys/stat.h>

#include "proc.h"

/* started() has taken 1 for the main thread; 0 is the advancer's. */
enum { FIRST = 2 };

TestSuite(proc, .init = started, .fini = ended);

Test(proc, the_lowest_free_one)
{
	for (uint32_t p = FIRST; p < 200; p++) {
		cr_expect_eq(gt_proc_take(), p);
	}
	gt_proc_give(130);
	gt_proc_give(70);
	gt_proc_give(7);
	cr_expect_eq(gt_proc_take(), 7u);
	cr_expect_eq(gt_proc_take(), 70u);
	cr_expect_eq(gt_proc_take(), 130u);
	cr_expect_eq(gt_proc_take(), 200u);
	cr_expect_eq(gt_trace->procs.most, 201u);
}

Test(proc, exhaustion)
{
	for (uint32_t p = FIRST; p < GT_PROCS_MAX; p++) {
		cr_assert_eq(gt_proc_take(), p);
	}
	cr_expect_eq(gt_proc_take(), GT_PROC_NONE);
	cr_expect_eq(gt_proc_take(), GT_PROC_NONE);
	gt_proc_give(4711);
	cr_expect_eq(gt_proc_take(), 4711u);
	cr_expect_eq(gt_proc_take(), GT_PROC_NONE);
	cr_expect_eq(gt_trace->procs.most, (uint32_t)GT_PROCS_MAX);
}

static blkcnt_t blocks(void)
{
	struct stat st;

	cr_assert_eq(stat(gt_trace->spool, &st), 0);
	return st.st_blocks;
}

/* Blocks for the places of those that few programs use come with their use; none is left out. */
Test(proc, memory_of_places)
{
	const blkcnt_t some = (GT_PROCS_MAX - GT_PROCS_FIRST) * sizeof(struct gt_proc) / 512;
	const blkcnt_t before = blocks();
	uint32_t p = 0;

	while (p < GT_PROCS_FIRST - 1) {
		p = gt_proc_take();
	}
	cr_expect_eq(blocks(), before);
	while (p < GT_PROCS_MAX - 1) {
		p = gt_proc_take();
		gt_trace->procs.proc[p].seq[0] = 1;
	}
	cr_expect_geq(blocks(), before + some - 2 * 8);
}

enum { THREADS = 6, ROUNDS = 20000, HELD = 12 };

static _Atomic uint32_t holders[GT_PROCS_MAX];
static _Atomic uint32_t twice;

static void *take_and_give(void *arg)
{
	uint32_t mine[HELD];

	for (int i = 0; i < ROUNDS; i++) {
		for (int k = 0; k < HELD; k++) {
			mine[k] = gt_proc_take();
			if (gt_add_relaxed(&holders[mine[k]], 1) != 0) {
				gt_add_relaxed(&twice, 1);
			}
		}
		for (int k = 0; k < HELD; k++) {
			gt_add_relaxed(&holders[mine[k]], (uint32_t)-1);
			gt_proc_give(mine[k]);
		}
	}
	return arg;
}

Test(proc, each_to_one_thread)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++) {
		cr_assert_eq(pthread_create(&threads[i], NULL, take_and_give, NULL), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	cr_expect_eq(twice, 0u);
	/* As many lanes as ran at once, and no more. */
	cr_expect_leq(gt_trace->procs.most, (uint32_t)(FIRST + THREADS * HELD));
	cr_expect_eq(gt_proc_take(), (uint32_t)FIRST, "all were given back");
}
