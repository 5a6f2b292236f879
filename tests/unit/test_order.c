/*
 * The order: three outcomes, the choice of the earliest that can happen, times that grow, facts
 * and samples in their places. What is wrong with a trace is tested in tests/traces.
 */
#include <criterion/criterion.h>

#include "frontier.h"
#include "merge.h"
#include "order.h"
#include "trace_text.h"

/* What comes out, as "name@time" words. */
static char *order_of(const char *text, unsigned flags)
{
	struct bytes b = assemble(text);
	struct gt_error e = {0};
	struct gt_merge *t = gt_merge_open_memory(b.data, b.size, flags, &e);
	struct gt_event ev;
	char *words;
	size_t size;
	FILE *out = open_memstream(&words, &size);
	int n;

	cr_assert_not_null(t, "%s", e.message);
	while ((n = gt_merge_next(t, &ev, &e)) > 0) {
		fprintf(out, "%s%s@%llu ", ev.implied ? "+" : "", gt_event_spec(&ev)->name,
			(unsigned long long)ev.time);
	}
	fputs(n == 0 ? "end" : e.message, out);
	fclose(out);
	gt_merge_close(t);
	free(b.data);
	return words;
}

static void expect_order(const char *text, unsigned flags, const char *expected)
{
	char *words = order_of(text, flags);

	cr_expect_str_eq(words, expected);
	free(words);
}

Test(order, earliest_that_can_happen)
{
	/* M 2 has the smaller times, but its GoStart needs what M 1 does last. */
	expect_order("Trace Go1.26\n" CLOCK(1, 10) "EventBatch gen=1 m=2 time=20 size=auto\n"
						   "ProcStatus dt=1 p=1 pstatus=1\n"
						   "GoStart dt=1 g=5 g_seq=1\n"
						   "HeapAlloc dt=1 heapalloc_value=1\n"
						   "EventBatch gen=1 m=1 time=50 size=auto\n"
						   "ProcStatus dt=1 p=0 pstatus=1\n"
						   "GoStatus dt=1 g=1 m=1 gstatus=2\n"
						   "GoCreate dt=1 new_g=5 new_stack=0 stack=0\n"
						   "HeapAlloc dt=1 heapalloc_value=1\n"
						   "EndOfGeneration\n",
		     GT_MERGE_STRICT,
		     "Sync@10 ProcStatus@21 ProcStatus@51 GoStatus@52 GoCreate@53 GoStart@54 "
		     "HeapAlloc@55 HeapAlloc@56 end");
}

Test(order, equal_times_grow)
{
	expect_order("Trace Go1.26\n" CLOCK(
			     1, 100) "EventBatch gen=1 m=1 time=100 size=auto\n"
				     "ProcStatus dt=0 p=0 pstatus=1\n"
				     "GoStatus dt=0 g=1 m=1 gstatus=2\n"
				     "EndOfGeneration\n" CLOCK(
					     2, 110) "EventBatch gen=2 m=1 time=90 size=auto\n"
						     "ProcStatus dt=0 p=0 pstatus=1\n"
						     "EndOfGeneration\n",
		     GT_MERGE_STRICT,
		     "Sync@100 ProcStatus@101 GoStatus@102 Sync@103 ProcStatus@104 end");
}

Test(order, implied_events)
{
	expect_order(
		"Trace Go1.26\n" CLOCK(1, 100) "EventBatch gen=1 m=1 time=200 size=auto\n"
					       "ProcStatus dt=1 p=0 pstatus=1\n"
					       "GoStatus dt=1 g=1 m=1 gstatus=2\n"
					       "GoCreateBlocked dt=1 new_g=2 new_stack=0 stack=0\n"
					       "GoSwitch dt=1 g=2 g_seq=1\n"
					       "GoSyscallBegin dt=5 p_seq=1 stack=0\n"
					       "GoDestroySyscall dt=1\n"
					       "EndOfGeneration\n",
		GT_MERGE_STRICT,
		"Sync@100 ProcStatus@201 GoStatus@202 GoCreateBlocked@203 GoSwitch@204 "
		"+GoBlock@205 +GoStart@206 GoSyscallBegin@209 +ProcSteal@210 "
		"GoDestroySyscall@211 end");
}

Test(order, samples_by_time)
{
	expect_order("Trace Go1.26\n" CLOCK(
			     1, 100) "EventBatch gen=1 m=18446744073709551615 time=100 size=auto\n"
				     "CPUSamples\n"
				     "CPUSample time=900 m=1 p=0 g=1 stack=0\n"
				     "CPUSample time=202 m=1 p=0 g=1 stack=0\n"
				     "EventBatch gen=1 m=1 time=200 size=auto\n"
				     "ProcStatus dt=1 p=0 pstatus=1\n"
				     "GoStatus dt=2 g=1 m=1 gstatus=2\n"
				     "EndOfGeneration\n",
		     GT_MERGE_STRICT,
		     "Sync@100 ProcStatus@201 CPUSample@202 GoStatus@203 CPUSample@900 end");
}

/* A Loss (what, count) has the same two varints in every version of the table. */
Test(order, facts_before_the_first_event_that_is_not_earlier)
{
	expect_order("Trace Go1.26\n" CLOCK(
			     1, 100) "EventBatch gen=1 m=1 time=200 size=auto\n"
				     "ProcStatus dt=1 p=0 pstatus=1\n"
				     "GoStatus dt=2 g=1 m=1 gstatus=2\n"
				     "ExperimentalBatch exp=1 gen=1 m=1 time=203\n"
				     "\tdata=\"G\\x01\\x03\\x00\\x01\\x01\\x03\\x01\\x01\\x01\"\n"
				     "ExperimentalBatch exp=1 gen=1 m=99 time=150\n"
				     "\tdata=\"G\\x01\\x03\\x00\\x01\\x01\"\n"
				     "EndOfGeneration\n",
		     GT_MERGE_STRICT,
		     "Sync@100 ProcStatus@201 Loss@203 GoStatus@203 Loss@204 Loss@150 end");
}

Test(order, alone)
{
	static const char text[] = "Trace Go1.26\n" CLOCK(
		1, 100) "EventBatch gen=1 m=1 time=200 size=auto\n"
			"ProcStatus dt=1 p=0 pstatus=1\n"
			"EndOfGeneration\n" CLOCK(2,
						  300) "EventBatch gen=2 m=1 time=400 size=auto\n"
						       "HeapAlloc dt=1 heapalloc_value=1\n"
						       "EndOfGeneration\n";

	expect_order(text, 0, "Sync@100 ProcStatus@201 Sync@300 HeapAlloc@401 end");
	expect_order(text, GT_MERGE_ALONE,
		     "Sync@100 ProcStatus@201 Sync@300 expected a proc but didn't have one");
}

Test(order, context_is_that_before_the_event)
{
	struct bytes b =
		assemble("Trace Go1.26\n" CLOCK(1, 100) "EventBatch gen=1 m=17 time=200 size=auto\n"
							"ProcStatus dt=1 p=3 pstatus=1\n"
							"GoStatus dt=1 g=5 m=17 gstatus=2\n"
							"GoBlock dt=1 reason_string=0 stack=0\n"
							"ProcStop dt=1\n"
							"EndOfGeneration\n");
	static const uint64_t expected[][2] = {
		{GT_NO_P, GT_NO_G}, {3, GT_NO_G}, {3, 5}, {3, GT_NO_G}};
	struct gt_error e = {0};
	struct gt_merge *t = gt_merge_open_memory(b.data, b.size, GT_MERGE_STRICT, &e);
	struct gt_event ev;

	cr_assert_eq(gt_merge_next(t, &ev, &e), 1);
	cr_expect_eq(ev.kind, GT_STRUCT);
	for (size_t i = 0; i < GT_LEN(expected); i++) {
		cr_assert_eq(gt_merge_next(t, &ev, &e), 1, "%s", e.message);
		cr_expect_eq(ev.m, 17u);
		cr_expect_eq(ev.p, expected[i][0], "event %zu", i);
		cr_expect_eq(ev.g, expected[i][1], "event %zu", i);
	}
	cr_expect_eq(gt_merge_next(t, &ev, &e), 0);
	cr_expect_eq(gt_merge_complete(t), 1u);
	gt_merge_close(t);
	free(b.data);
}

/* 300 Ms that all wait for each other in the wrong order of time: no order but one is left. */
Test(order, chain_against_the_clock)
{
	enum { N = 300 };
	char *text, *words;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const char *at;

	fputs("Trace Go1.26\n" CLOCK(1, 10), out);
	for (int i = 0; i < N; i++) {
		fprintf(out,
			"EventBatch gen=1 m=%d time=%d size=auto\n"
			"ProcStatus dt=1 p=%d pstatus=1\n",
			i + 1, 1000 * (N - i), i);
		if (i == 0) {
			fputs("GoCreate dt=1 new_g=1 new_stack=0 stack=0\n", out);
		} else {
			fprintf(out,
				"GoStart dt=1 g=%d g_seq=1\n"
				"GoCreate dt=1 new_g=%d new_stack=0 stack=0\n",
				i, i + 1);
		}
	}
	fputs("EndOfGeneration\n", out);
	fclose(out);
	words = order_of(text, GT_MERGE_STRICT);
	at = words + strlen(words) - 4;
	cr_expect_str_eq(at, " end");
	free(words);
	free(text);
}

/*
 * Of many that wait for one thing only those may try whose number comes next: else each change of a
 * P for which thousands of Ms wait costs thousands of tries.
 */
Test(frontier, whose_turn_it_is)
{
	const struct gt_key p = {GT_KEY_P, 7}, g = {GT_KEY_G, 7};
	struct gt_frontier f = {0};
	uint64_t time;

	gt_frontier_clear(&f);
	for (size_t i = 1; i <= 5; i++) {
		gt_frontier_push(&f, i, i);
		gt_frontier_park(&f, i == 5 ? g : p, i == 4 ? GT_ANY_SEQ : i);
	}
	cr_expect_eq(f.nparked, 5u);
	gt_frontier_unpark(&f, p, 3);
	cr_expect_eq(f.nparked, 3u, "3, and what waits for any change");
	cr_expect_eq(f.first.id, 3u);
	cr_expect_eq(f.second.id, 4u);
	gt_frontier_unpark(&f, p, 4);
	cr_expect_eq(f.nparked, 3u, "nobody waits for that");
	gt_frontier_unpark(&f, p, GT_ANY_SEQ);
	cr_expect_eq(f.nparked, 1u, "who waits for another thing");
	cr_expect(gt_frontier_earliest(&f, &time) && time == 1);
	gt_frontier_unpark(&f, g, 5);
	cr_expect_eq(f.nparked, 0u);
	gt_frontier_fini(&f);
}

Test(idmap, against_a_plain_array)
{
	enum { IDS = 5000 };
	static uintptr_t plain[IDS];
	struct gt_idmap map = {0};
	uint32_t x = 1;
	size_t n = 0, seen = 0;

	for (unsigned i = 0; i < 200000; i++) {
		uint64_t id;

		x = x * 1664525u + 1013904223u;
		id = x >> 8;
		id = id % IDS;
		if ((x & 64) != 0 && plain[id] == 0) {
			plain[id] = i + 1;
			gt_idmap_put(&map, id << 40, i + 1);
			n++;
		} else if ((x & 64) == 0) {
			n -= plain[id] != 0;
			plain[id] = 0;
			gt_idmap_remove(&map, id << 40);
		}
		cr_assert_eq(gt_idmap_get(&map, id << 40), plain[id]);
	}
	for (uint64_t id = 0; id < IDS; id++) {
		cr_assert_eq(gt_idmap_get(&map, id << 40), plain[id]);
	}
	for (size_t i = 0; gt_idmap_each(&map, &i) != NULL;) {
		seen++;
	}
	cr_expect_eq(seen, n);
	cr_expect_eq(map.count, n);
	gt_idmap_clear(&map);
	cr_expect_eq(gt_idmap_get(&map, 1), 0u);
	gt_idmap_fini(&map);
}
