/*
 * The reader: generations from a pipe that gives a few bytes at a time, tables, times, limits.
 */
#include <criterion/criterion.h>

#include <pthread.h>
#include <unistd.h>

#include "cursor.h"
#include "trace_text.h"

static const char two_generations[] = "Trace Go1.26\n" CLOCK(
	1, 100) "EventBatch gen=1 m=7 time=90 size=auto\n"
		"ProcStatus dt=1 p=0 pstatus=1\n"
		"EventBatch gen=1 m=18446744073709551615 time=100 size=auto\n"
		"Strings\n"
		"String id=3\n\tdata=\"main\"\n"
		"String id=1099511627776\n\tdata=\"f.c\"\n"
		"EventBatch gen=1 m=18446744073709551615 time=100 size=auto\n"
		"Stacks\n"
		"Stack id=9 nframes=2\n"
		"\tpc=10 func=3 file=1099511627776 line=4\n"
		"\tpc=20 func=0 file=3 line=5\n"
		"EventBatch gen=1 m=7 time=200 size=auto\n"
		"ProcStop dt=5\n"
		"EndOfGeneration\n" CLOCK(2, 300) "EndOfGeneration\n";

static void check_two(struct gt_reader *r)
{
	struct gt_generation *g;
	struct gt_error e = {0};
	struct gt_cursor c;
	struct gt_event ev;
	const struct gt_stack *s;

	cr_assert_eq(gt_reader_next(r, &g, &e), 1, "%s", e.message);
	cr_expect_eq(g->number, 1u);
	cr_expect_eq(g->index, 1u);
	cr_expect_eq(g->start, 90u);
	cr_expect_eq(g->snapshot_time, 101u);
	cr_expect_eq(g->snapshot_mono, 1000u);
	cr_expect_eq(g->streams.count, 1u);
	cr_expect_eq(gt_generation_string(g, 1099511627776)->length, 3u);
	cr_expect_null(gt_generation_string(g, 4));
	cr_expect_eq(gt_generation_string(g, 0)->length, 0u);
	s = gt_generation_stack(g, 9);
	cr_assert_not_null(s);
	cr_expect_eq(s->nframes, 2u);
	cr_expect_eq(gt_stack_frame(g, s, 0)->line, 4u);
	cr_expect_eq(memcmp(gt_stack_frame(g, s, 1)->file.data, "main", 4), 0);
	cr_expect_eq(gt_stack_frame(g, s, 1)->func.length, 0u);

	gt_cursor_init(&c, g, &g->streams.array[0], NULL);
	cr_assert_eq(gt_cursor_next(&c, &ev, &e), 1);
	cr_expect_eq(ev.time, 91u);
	cr_expect_eq(ev.m, 7u);
	cr_assert_eq(gt_cursor_next(&c, &ev, &e), 1, "the second batch of the M");
	cr_expect_eq(ev.number, GT_EV_PROC_STOP);
	cr_expect_eq(ev.time, 205u);
	cr_expect_eq(gt_cursor_next(&c, &ev, &e), 0);

	cr_assert_eq(gt_reader_next(r, &g, &e), 1, "%s", e.message);
	cr_expect_eq(g->number, 2u);
	cr_expect_eq(g->nstrings, 0u, "tables belong to their generation");
	cr_expect_null(gt_generation_stack(g, 9));
	cr_expect_eq(gt_reader_next(r, &g, &e), 0);
	cr_expect_eq(gt_reader_next(r, &g, &e), 0, "the end stays");
}

Test(reader, from_memory)
{
	struct bytes b = assemble(two_generations);
	struct gt_error e = {0};
	struct gt_reader *r = gt_reader_open_memory(b.data, b.size, &e);

	cr_assert_not_null(r, "%s", e.message);
	cr_expect_eq(gt_reader_version(r), 26u);
	check_two(r);
	cr_expect_eq(gt_reader_offset(r), b.size);
	gt_reader_close(r);
	free(b.data);
}

static int pipe_ends[2];

static void *drip(void *arg)
{
	const struct bytes *b = arg;

	for (size_t i = 0; i < b->size; i++) {
		cr_assert_eq(write(pipe_ends[1], b->data + i, 1), 1);
	}
	close(pipe_ends[1]);
	return NULL;
}

Test(reader, from_a_pipe_byte_by_byte)
{
	struct bytes b = assemble(two_generations);
	struct gt_error e = {0};
	struct gt_reader *r;
	pthread_t writer;
	char path[40];

	cr_assert_eq(pipe(pipe_ends), 0);
	cr_assert_eq(pthread_create(&writer, NULL, drip, &b), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", pipe_ends[0]);
	r = gt_reader_open(path, &e);
	cr_assert_not_null(r, "%s", e.message);
	check_two(r);
	gt_reader_close(r);
	pthread_join(writer, NULL);
	close(pipe_ends[0]);
	free(b.data);
}

/* Every prefix gives a verdict, and never more generations than are whole in it. */
Test(reader, every_prefix)
{
	struct bytes b = assemble(two_generations);
	struct gt_error e;
	size_t ends[2], nends = 0;

	for (size_t i = 0; i < b.size && nends < 2; i++) {
		struct gt_reader *r = gt_reader_open_memory(b.data, i + 1, &e);
		struct gt_generation *g;
		unsigned whole = 0;
		int n = 0;

		while (r != NULL && (n = gt_reader_next(r, &g, &e)) > 0) {
			whole++;
		}
		if (whole > nends) {
			ends[nends++] = i;
		}
		cr_expect_eq(whole, nends, "%zu bytes", i + 1);
		if (r != NULL && n < 0) {
			cr_expect_eq(e.kind, GT_ERROR_TRUNCATED, "%zu bytes: %s", i + 1, e.message);
		}
		gt_reader_close(r);
	}
	cr_expect_eq(nends, 2u);
	cr_expect_eq(ends[1], b.size - 1);
	free(b.data);
}

/* 65,536 bytes of payload, in batches whose size is a padded varint, as writers leave room for it.
 */
Test(reader, largest_batch)
{
	struct bytes b = assemble("Trace Go1.26\n" CLOCK(1, 100));
	const size_t payload = 65536;
	char *file = gt_alloc(b.size + payload + 100);
	static const char head[] = "\x01\x01\x07\x64\x80\x80\x84\x80\x00";
	struct gt_generation *g;
	struct gt_error e = {0};
	struct gt_reader *r;
	struct gt_cursor c;
	struct gt_event ev;
	size_t n = 0, at = b.size;

	memcpy(file, b.data, b.size);
	memcpy(file + at, head, sizeof(head) - 1);
	at += sizeof(head) - 1;
	for (size_t i = 0; i < payload; i += 2) {
		file[at++] = GT_EV_PROC_STOP;
		file[at++] = 1;
	}
	file[at++] = GT_EV_END_OF_GENERATION;
	r = gt_reader_open_memory(file, at, &e);
	cr_assert_eq(gt_reader_next(r, &g, &e), 1, "%s", e.message);
	gt_cursor_init(&c, g, &g->streams.array[0], NULL);
	while (gt_cursor_next(&c, &ev, &e) > 0) {
		n++;
	}
	cr_expect_eq(n, payload / 2);
	cr_expect_eq(ev.time, 100 + payload / 2);
	gt_reader_close(r);
	free(file);
	free(b.data);
}

/* Brief facts come out in full, batch by batch; what the file says is where the cursor is. */
Test(reader, brief_facts_in_full)
{
	struct bytes b = assemble("Trace Go1.26\n" CLOCK(
		1,
		100) "ExperimentalBatch exp=1 gen=1 m=10 time=101\n"
		     "\tdata=\"G\\x01\\x05\\x01\\x01\\x06\\x14\\x15\\x01\\x30\\x06\"\n"
		     "ExperimentalBatch exp=1 gen=1 m=10 time=200\n"
		     "\tdata="
		     "\"G\\x01\\x05\\x00\\x02\\x07\\x00\\x15\\x01\\x10\\x07\\x15\\x01\\x21\\x07\"\n"
		     "EndOfGeneration\n");
	static const uint64_t calls[][4] = {
		{102, 1, 6, 20}, {103, 1, 6, 3}, {200, 2, 7, 0}, {201, 2, 7, 1}};
	struct gt_error e = {0};
	struct gt_reader *r = gt_reader_open_memory(b.data, b.size, &e);
	struct gt_generation *g;
	struct gt_cursor c;
	struct gt_brief brief;
	struct gt_event ev;

	cr_assert_eq(gt_reader_next(r, &g, &e), 1, "%s", e.message);
	gt_cursor_init(&c, g, &g->facts.array[0], &brief);
	for (size_t i = 0; i < GT_LEN(calls); i++) {
		cr_assert_eq(gt_cursor_next(&c, &ev, &e), 1, "%s", e.message);
		cr_expect_eq(*c.at, i % 2 ? GT_FACT_DIFFERING : GT_FACT_CALL);
		cr_expect_eq(ev.number, GT_FACT_CALL);
		cr_expect_eq(ev.time, calls[i][0]);
		cr_expect_eq(ev.args[0], calls[i][1]);
		cr_expect_eq(ev.args[1], calls[i][2]);
		cr_expect_eq(ev.args[2], calls[i][3]);
	}
	cr_expect_eq(gt_cursor_next(&c, &ev, &e), -1);
	cr_expect_str_eq(e.message,
			 "a Differing with slot 1, which has no Call before it in its batch "
			 "that could be repeated");
	gt_reader_close(r);
	free(b.data);
}

/* 15,625,000 ticks a second are 64 ns each, exactly; 11,718,750 are 85.33 and lose a part each. */
Test(reader, ticks_are_truncated_one_by_one)
{
	struct gt_generation g = {.ns_per_tick = 1.0 / (15625000.0 / 1e9)};

	cr_expect_eq(gt_generation_ns(&g, 3), 192u);
	g.ns_per_tick = 1.0 / (11718750.0 / 1e9);
	cr_expect_eq(gt_generation_ns(&g, 1), 85u);
	cr_expect_eq(gt_generation_ns(&g, 3), 256u);
	g.ns_per_tick = 1e9;
	cr_expect_eq(gt_generation_ns(&g, UINT64_MAX), (uint64_t)1 << 63, "as Go on amd64");
}

Test(reader, no_such_file)
{
	struct gt_error e = {0};

	cr_expect_null(gt_reader_open("/nonexistent/app.trace", &e));
	cr_expect_eq(e.kind, GT_ERROR_READ);
	cr_expect_not_null(strstr(e.message, "No such file"));
}
