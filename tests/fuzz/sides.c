/*
 * Any bytes as a trace that is read in all three ways: each event given, what is usual passed over,
 * generations side by side. The first two say the same of it, word for word. What the third finds
 * good is good when it is read from its beginning to its end, and when each generation is read
 * alone; and the numbers are the same.
 *
 * A libFuzzer target; see reader.c. The first byte says how.
 */
#include "fuzz.h"

#include <string.h>

#include "sides.h"

const struct gt_fuzz_form gt_fuzz_form = {.before = 1};

/* What a way of reading has found. */
struct found {
	int status;
	struct gt_error error;
	struct gt_tally tally;
};

static void end(struct found *f, struct gt_merge *merge)
{
	f->tally.unread = merge != NULL ? gt_merge_unread(merge) : 0;
	gt_merge_close(merge);
	gt_idmap_fini(&f->tally.seen);
}

static struct found read_all(const uint8_t *data, size_t size, unsigned flags)
{
	struct found f = {.status = -1};
	struct gt_merge *merge = gt_merge_open_memory(data, size, flags, &f.error);
	struct gt_event ev;

	while (merge != NULL && (f.status = gt_merge_next(merge, &ev, &f.error)) > 0) {
		gt_tally_event(&f.tally, &ev);
	}
	end(&f, merge);
	return f;
}

static struct found skim(const uint8_t *data, size_t size, unsigned flags)
{
	struct found f = {.status = -1};
	struct gt_merge *merge = gt_merge_open_memory(data, size, flags, &f.error);
	const struct gt_event *ev;

	while (merge != NULL &&
	       (f.status = gt_merge_skim(merge, &ev, &f.tally.count, &f.error)) > 0) {
		gt_tally_event(&f.tally, ev);
	}
	end(&f, merge);
	return f;
}

static void same_numbers(const struct gt_tally *a, const struct gt_tally *b, const char *what)
{
	if (a->generations != b->generations || a->gs != b->gs || a->unread != b->unread ||
	    a->count.events != b->count.events || a->count.first != b->count.first ||
	    a->count.last != b->count.last) {
		fprintf(stderr, "%s counts otherwise\n", what);
		abort();
	}
}

static void same(const struct found *a, const struct found *b)
{
	char as[2000] = "good", bs[2000] = "good";

	if (a->status < 0) {
		gt_error_text(&a->error, as, sizeof(as));
	}
	if (b->status < 0) {
		gt_error_text(&b->error, bs, sizeof(bs));
	}
	if (strcmp(as, bs) != 0 || a->error.kind != b->error.kind) {
		fprintf(stderr, "each event given: %s\npassed over: %s\n", as, bs);
		abort();
	}
	if (a->status == 0) {
		same_numbers(&a->tally, &b->tally, "passing over");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gt_tally sides = {0};
	struct found whole, alone, skimmed;
	struct gt_fuzz_file trace;
	unsigned flags;

	if (size < 1) {
		return 0;
	}
	flags = data[0] & (GT_MERGE_STRICT | GT_MERGE_LIVE);
	whole = read_all(data + 1, size - 1, flags);
	skimmed = skim(data + 1, size - 1, flags);
	same(&whole, &skimmed);
	alone = read_all(data + 1, size - 1, flags | GT_MERGE_ALONE);
	skimmed = skim(data + 1, size - 1, flags | GT_MERGE_ALONE);
	same(&alone, &skimmed);
	trace = gt_fuzz_open(data + 1, size - 1);
	if (gt_sides_verify(trace.path, flags, 1 + (data[0] >> 3) % 3, &sides)) {
		if (whole.status < 0) {
			gt_fuzz_wrong("good on its side, but not", &whole.error);
		} else if (alone.status < 0) {
			gt_fuzz_wrong("good on its side, but not alone", &alone.error);
		}
		same_numbers(&whole.tally, &sides, "judging side by side");
	}
	gt_idmap_fini(&sides.seen);
	close(trace.fd);
	return 0;
}
