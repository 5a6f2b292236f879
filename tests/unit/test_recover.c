/*
 * A recovery puts unblocks that were left in mailboxes where they belong in their waker's stream.
 */
#include "trace_text.h"

#include "../../tools/recover_own.h"

enum { M = 10 };

/* The events of the one generation of text, with those posts among them, as text. */
static char *mixed(const char *text, struct gt_spool_post *posts, size_t n)
{
	struct bytes trace = assemble(text), out, shown;
	struct gt_error e = {0};
	struct gt_reader *reader = gt_reader_open_memory(trace.data, trace.size, &e);
	struct gt_generation *g;
	struct gt_compose_head head;
	struct gt_compose *c;
	FILE *f = open_memstream(&out.data, &out.size), *in;

	cr_assert_eq(gt_reader_next(reader, &g, &e), 1, "%s", e.message);
	head = gt_compose_head_of(g);
	c = gt_compose_new(f, 26);
	gt_compose_begin(c, &head);
	gt_recover_put_events(c, g, posts, n);
	cr_assert_eq(gt_compose_end(c), 0);
	gt_compose_free(c);
	fclose(f);
	gt_reader_close(reader);
	free(trace.data);

	in = fmemopen(out.data, out.size, "r");
	f = open_memstream(&shown.data, &shown.size);
	cr_assert_eq(gt_text_dump(in, f, false, &e), 0, "%s", e.message);
	fclose(in);
	fclose(f);
	free(out.data);
	return shown.data;
}

/* What the lines of the M begin with. */
static void expect_events(const char *shown, const char *const *events)
{
	const char *at = strstr(shown, "EventBatch gen=1 m=10 ");

	for (; *events != NULL; events++) {
		cr_assert_not_null(at, "nothing is left where %s should be", *events);
		cr_expect_eq(strncmp(at, *events, strlen(*events)), 0, "not %s: %s", *events, at);
		at = strchr(at, '\n');
		at = at != NULL ? at + 1 : NULL;
	}
}

static struct gt_spool_post post(uint64_t m, uint64_t ticks, uint64_t g, uint64_t seq)
{
	return (struct gt_spool_post){.m = m, .g = g, .seq = seq, .ns = ticks << GT_TICK_SHIFT};
}

#define EVENTS                                                              \
	"EventBatch gen=1 m=10 time=100 size=auto\n"                        \
	"ProcStatus dt=0 p=0 pstatus=1\nGoStatus dt=0 g=1 m=10 gstatus=2\n" \
	"GoLabel dt=50 label_string=0\nGoLabel dt=0 label_string=0\n"       \
	"EventBatch gen=1 m=10 time=180 size=auto\n"                        \
	"GoLabel dt=20 label_string=0\nGoLabel dt=5000 label_string=0\n"

Test(recover, posts_stand_before_the_first_later_event)
{
	/* Not in order, since those of all mailboxes come together. */
	struct gt_spool_post posts[] = {
		post(M, 9000, 2, 9), post(M, 50, 2, 1),  post(M, 300, 2, 8), post(M, 150, 2, 3),
		post(M, 120, 2, 2),  post(M, 185, 2, 6), post(M, 160, 2, 4), post(M, 200, 2, 7),
	};
	char *shown = mixed("Trace Go1.26\n" CLOCK(1, 100) EVENTS "EndOfGeneration\n", posts,
			    sizeof(posts) / sizeof(*posts));
	static const char *const want[] = {
		"EventBatch gen=1 m=10 time=100 ", "ProcStatus dt=0 ", "GoStatus dt=0 ",
		/* Before its first event nothing can stand. */
		"GoUnblock dt=0 g=2 g_seq=1 stack=0", "GoUnblock dt=20 g=2 g_seq=2 ",
		"GoLabel dt=30 ", "GoLabel dt=0 ",
		/* Behind what has the same time. The batch begins where it began. */
		"GoUnblock dt=0 g=2 g_seq=3 ", "GoUnblock dt=10 g=2 g_seq=4 ",
		"EventBatch gen=1 m=10 time=180 ", "GoUnblock dt=5 g=2 g_seq=6 ", "GoLabel dt=15 ",
		"GoUnblock dt=0 g=2 g_seq=7 ", "GoUnblock dt=100 g=2 g_seq=8 ", "GoLabel dt=4900 ",
		"EventBatch gen=1 m=10 time=9000 ", "GoUnblock dt=0 g=2 g_seq=9 ", NULL};

	expect_events(shown, want);
	free(shown);
}

Test(recover, posts_of_a_thread_without_events_have_a_stream)
{
	struct gt_spool_post posts[] = {post(77, 120, 2, 1), post(11, 130, 3, 1)};
	char *shown = mixed("Trace Go1.26\n" CLOCK(1, 100) EVENTS "EndOfGeneration\n", posts,
			    sizeof(posts) / sizeof(*posts));

	cr_expect_not_null(strstr(shown, "EventBatch gen=1 m=77 time=120 "));
	cr_expect_not_null(strstr(shown, "GoUnblock dt=0 g=2 g_seq=1 stack=0\n"));
	cr_expect_not_null(strstr(shown, "EventBatch gen=1 m=11 time=130 "));
	cr_expect_not_null(strstr(shown, "GoUnblock dt=0 g=3 g_seq=1 stack=0\n"));
	free(shown);
}

/* A batch that is full to the last byte has no room: they come behind it, as late as it ends. */
Test(recover, a_full_batch_stays_as_it_is)
{
	struct gt_spool_post posts[] = {post(M, 110, 2, 1), post(M, 111, 2, 2)};
	struct bytes text;
	FILE *f = open_memstream(&text.data, &text.size);
	unsigned bytes = 0;
	char *shown;

	fputs("Trace Go1.26\n" CLOCK(1, 100) "EventBatch gen=1 m=10 time=100 size=auto\n", f);
	for (; bytes + 3 <= GT_WIRE_BATCH_MAX; bytes += 3) {
		fputs("GoLabel dt=1 label_string=0\n", f);
	}
	fputs("EndOfGeneration\n", f);
	fclose(f);
	shown = mixed(text.data, posts, 2);
	cr_expect_not_null(strstr(shown, "\nEventBatch gen=1 m=10 time=21945 "
					 "size=10\nGoUnblock dt=0 g=2 g_seq=1 stack=0\n"
					 "GoUnblock dt=0 g=2 g_seq=2 stack=0\n"),
			   "%s", strlen(shown) > 400 ? shown + strlen(shown) - 400 : shown);
	free(text.data);
	free(shown);
}
