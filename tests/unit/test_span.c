/*
 * Spans: known answers from an assembled trace, and what holds of every stream: the spans of a
 * thread come in order and without a gap.
 */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "span.h"
#include "trace_text.h"

/* G 1, main, on M 10; G 2, a worker, on M 11: waits 130 to 180 for the mutex 0x1000 that M 10 has.
 */
#define TRACE                                                                                   \
	"Trace Go1.26\n" CLOCK(                                                                 \
		1, 100) "EventBatch gen=1 m=18446744073709551615 time=100 size=auto\nStrings\n" \
			"String id=1\n\tdata=\"sync\"\nString id=2\n\tdata=\"main\"\n"          \
			"String id=3\n\tdata=\"worker\"\nString id=4\n\tdata=\"take\"\n"        \
			"String id=5\n\tdata=\"give\"\nString id=6\n\tdata=\"x.c\"\n"           \
			"EventBatch gen=1 m=18446744073709551615 time=100 size=auto\nStacks\n"  \
			"Stack id=1 nframes=1\n\tpc=10 func=2 file=6 line=1\n"                  \
			"Stack id=2 nframes=1\n\tpc=20 func=3 file=6 line=2\n"                  \
			"Stack id=3 nframes=2\n\tpc=30 func=4 file=6 line=3\n"                  \
			"\tpc=20 func=3 file=6 line=2\n"                                        \
			"Stack id=4 nframes=2\n\tpc=40 func=5 file=6 line=4\n"                  \
			"\tpc=10 func=2 file=6 line=1\n"                                        \
			"EventBatch gen=1 m=10 time=100 size=auto\n"                            \
			"ProcStatus dt=1 p=0 pstatus=1\n"                                       \
			"GoStatusStack dt=1 g=1 m=10 gstatus=2 stack=1\n"                       \
			"GoCreate dt=8 new_g=2 new_stack=2 stack=1\n"                           \
			"GoUnblock dt=70 g=2 g_seq=2 stack=4\n"                                 \
			"GoSyscallBegin dt=20 p_seq=1 stack=4\n"                                \
			"GoSyscallEnd dt=30\n"                                                  \
			"EventBatch gen=1 m=11 time=115 size=auto\n"                            \
			"ProcStatus dt=0 p=1 pstatus=2\n"                                       \
			"ProcStart dt=1 p=1 p_seq=1\n"                                          \
			"GoStart dt=4 g=2 g_seq=1\n"                                            \
			"GoBlock dt=10 reason_string=1 stack=3\n"                               \
			"GoStart dt=55 g=2 g_seq=3\n"                                           \
			"GoBlock dt=50 reason_string=1 stack=3\n"                               \
			"ProcStop dt=10\n"                                                      \
			"ExperimentalBatch exp=1 gen=1 m=11 time=100\n\tdata=\"G\\x01"          \
			"\\x01\\x1e\\x02\\x80\\x20\\x00\\x01\\x0a"                              \
			"\\x02\\x37\\x02\\x01\\x00\\x01\"\n"                                    \
			"ExperimentalBatch exp=1 gen=1 m=10 time=100\n\tdata=\"G\\x01"          \
			"\\x05\\x78\\x01\\x04\\x0a"                                             \
			"\\x05\\x0a\\x02\\x00\\x03\"\n"                                         \
			"EndOfGeneration\n"

struct fixture {
	struct bytes bytes;
	struct gt_merge *merge;
	struct gt_spans *spans;
};

static struct fixture start(unsigned flags)
{
	struct gt_error e = {0};
	struct fixture f = {.bytes = assemble(TRACE)};

	f.merge = gt_merge_open_memory(f.bytes.data, f.bytes.size, 0, &e);
	cr_assert_not_null(f.merge, "%s", e.message);
	f.spans = gt_spans_open(f.merge, flags);
	return f;
}

static void stop(struct fixture *f)
{
	gt_spans_close(f->spans);
	gt_merge_close(f->merge);
	free(f->bytes.data);
}

static int next(struct fixture *f, struct gt_span *span)
{
	struct gt_error e = {0};
	int n = gt_spans_next(f->spans, span, &e);

	cr_assert_geq(n, 0, "%s", e.message);
	return n;
}

/* The n-th span of this kind of the thread with this id. */
static struct gt_span nth(struct fixture *f, unsigned kind, uint64_t id, unsigned n)
{
	struct gt_span span;

	while (next(f, &span) > 0) {
		if (span.kind == kind && gt_spans_thread(f->spans, span.thread)->id == id &&
		    n-- == 0) {
			return span;
		}
	}
	cr_assert_fail("no such span");
	return span;
}

static const char *innermost(const struct fixture *f, uint32_t stack)
{
	size_t n;
	const struct gt_span_frame *frames = gt_spans_stack(f->spans, stack, &n);

	return n ? gt_spans_string(f->spans, frames[0].func, NULL) : "";
}

Test(span, wait)
{
	struct fixture f = start(0);
	const struct gt_span wait = nth(&f, GT_SPAN_WAIT, 2, 0);
	const struct gt_span_object *object;

	cr_expect_eq(wait.begin, 130);
	cr_expect_eq(wait.end, 180);
	cr_expect_eq(wait.ready, 5);
	cr_expect_eq(wait.how, GT_ENDED_WAKER);
	cr_expect_not(wait.found || wait.open || wait.died || wait.named || wait.retakes);
	cr_expect_eq(wait.m, 11);
	cr_expect_str_eq(gt_spans_string(f.spans, wait.reason, NULL), "sync");
	cr_expect_str_eq(innermost(&f, wait.stack), "take");
	cr_assert_eq(wait.waker, gt_spans_by_id(f.spans, 1));
	cr_expect_eq(wait.owner, wait.waker, "the thread on M 10");
	cr_expect_str_eq(innermost(&f, wait.waker_stack), "give");
	cr_assert_neq(wait.object, GT_SPAN_NONE);
	object = gt_spans_object(f.spans, wait.object);
	cr_expect_eq(object->address, 0x1000);
	cr_expect_eq(object->kind, GT_OBJECT_MUTEX);
	stop(&f);
}

Test(span, open_at_the_end)
{
	struct fixture f = start(0);
	const struct gt_span wait = nth(&f, GT_SPAN_WAIT, 2, 1);

	cr_expect(wait.open);
	cr_expect_eq(wait.how, GT_SPAN_OPEN);
	cr_expect_eq(wait.begin, 235);
	cr_expect_eq(wait.end, gt_spans_end(f.spans));
	cr_expect_eq(wait.object, GT_SPAN_NONE, "a fact is for one wait");
	stop(&f);
}

/* Two facts in one call: the first has no time of its own. */
Test(span, calls)
{
	struct fixture f = start(0);
	const struct gt_span alone = nth(&f, GT_SPAN_CALL, 1, 0);
	struct gt_span call;

	cr_expect(alone.named);
	cr_expect_eq(alone.call, 1);
	cr_expect_eq(alone.argument, 4);
	cr_expect_eq(alone.result, 5);
	cr_expect_eq(alone.begin, alone.end);
	call = nth(&f, GT_SPAN_SYSCALL, 1, 0);
	cr_expect_eq(call.begin, 200);
	cr_expect_eq(call.end, 230);
	cr_expect_eq(call.call, 2);
	cr_expect_eq(call.result, -2);
	cr_expect_eq(call.lost, 0);
	stop(&f);
}

Test(span, threads)
{
	struct fixture f = start(0);
	const struct gt_span_thread *t;
	struct gt_span span;

	while (next(&f, &span) > 0) {
	}
	cr_assert_eq(gt_spans_threads(f.spans), 2);
	t = gt_spans_thread(f.spans, gt_spans_by_id(f.spans, 2));
	cr_expect_eq(t->tid, 11);
	cr_expect_eq(t->created, 110);
	cr_expect_eq(t->ended, 0);
	cr_expect_eq(t->creator, gt_spans_by_id(f.spans, 1));
	cr_expect_str_eq(innermost(&f, t->creator_stack), "main");
	cr_expect_str_eq(gt_spans_string(f.spans, t->routine, NULL), "worker");
	cr_expect_eq(gt_spans_by_m(f.spans, 11), t->index);
	cr_expect_eq(gt_spans_by_id(f.spans, 99), GT_SPAN_NONE);
	cr_expect_eq(gt_spans_begin(f.spans), 100);
	stop(&f);
}

/* From its appearance on each begins where the last one of its thread ended. */
Test(span, no_gap)
{
	struct fixture f = start(GT_SPANS_EVENTS);
	uint64_t at[2] = {100, 110};
	struct gt_span span;
	size_t events = 0;

	while (next(&f, &span) > 0) {
		if (span.kind == GT_SPAN_EVENT) {
			events++;
			cr_expect_eq(span.event->time, span.begin);
			continue;
		}
		cr_assert_lt(span.thread, 2);
		cr_expect_leq(span.begin, span.end);
		if (span.kind == GT_SPAN_CALL) {
			continue;
		}
		cr_expect_eq(span.begin, at[span.thread], "thread %u: %lu, not %lu", span.thread,
			     (unsigned long)span.begin, (unsigned long)at[span.thread]);
		at[span.thread] = span.end;
	}
	cr_expect_eq(at[0], gt_spans_end(f.spans));
	cr_expect_eq(at[1], gt_spans_end(f.spans));
	cr_expect_eq(events, 1 + 13 + 4);
	stop(&f);
}
