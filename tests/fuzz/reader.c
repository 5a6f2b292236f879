/*
 * Any bytes as a trace: reader, order, merge, all views and the text form must end with a verdict.
 *
 * A libFuzzer target: tests/fuzz/run builds it with clang, ASan and UBSan; with replay.c it is a
 * program of any compiler that replays the corpus.
 */
#include "fuzz.h"

#include "stat_view.h"
#include "text.h"
#include "views.h"

const struct gt_fuzz_form gt_fuzz_form = {0};

/* A verdict has a message, and a place that is in the file. */
static void check_error(const struct gt_error *e, size_t size)
{
	char text[2000];

	gt_error_text(e, text, sizeof(text));
	if (e->kind == GT_ERROR_NONE || e->message[0] == '\0' ||
	    (e->offset != GT_NOWHERE && e->offset > size)) {
		fprintf(stderr, "bad error: kind %d, %s\n", e->kind, text);
		abort();
	}
}

static void read_events(const uint8_t *data, size_t size, unsigned flags)
{
	struct gt_error e = {0};
	struct gt_event ev;
	struct gt_merge *t = gt_merge_open_memory(data, size, flags, &e);
	uint64_t last = 0;
	int n = -1;

	while (t != NULL && (n = gt_merge_next(t, &ev, &e)) > 0) {
		if (ev.kind != GT_FACT && ev.offset >= size) {
			abort();
		}
		if (ev.kind != GT_FACT && (int64_t)ev.time <= (int64_t)last && last != INT64_MAX) {
			abort();
		}
		last = ev.kind != GT_FACT ? ev.time : last;
	}
	if (n < 0) {
		check_error(&e, size);
	}
	gt_merge_close(t);
}

static void view(const uint8_t *data, size_t size, bool normal)
{
	struct gt_error e = {0};
	struct gt_merge *t = gt_merge_open_memory(data, size, 0, &e);

	if (t != NULL && normal) {
		gt_view_normal(t, gt_fuzz_nowhere(), &e);
	} else if (t != NULL) {
		gt_view_events(t, gt_fuzz_nowhere(), true, &e);
	}
	gt_merge_close(t);
}

static void stat(const uint8_t *data, size_t size)
{
	struct gt_error e = {0};
	struct gt_merge *t = gt_merge_open_memory(data, size, 0, &e);
	struct gt_stat st = {.path = "fuzz", .top = 3, .model = gt_model_create()};

	if (t != NULL) {
		gt_model_read(st.model, t, &e);
		gt_stat_json(&st, gt_fuzz_nowhere());
		gt_stat_text(&st, gt_fuzz_nowhere());
	}
	gt_model_destroy(st.model);
	gt_merge_close(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gt_error e = {0};
	FILE *in;

	read_events(data, size, 0);
	read_events(data, size, GT_MERGE_STRICT | GT_MERGE_LIVE);
	read_events(data, size, GT_MERGE_STRICT | GT_MERGE_ALONE);
	view(data, size, false);
	view(data, size, true);
	stat(data, size);
	if (size > 0) {
		in = fmemopen((void *)data, size, "r");
		gt_text_dump(in, gt_fuzz_nowhere(), true, &e);
		fclose(in);
	}
	return 0;
}
