/*
 * gtrace export --to chrome: a trace in the JSON that chrome://tracing, Perfetto, Speedscope and
 * others read ("Trace Event Format"). For cuts: viewers hold all of it in memory.
 *
 * A row is a thread to them, with a number of its own: they have no rows within threads, and take
 * two threads for one where the kernel gave the second the id of the first. Times are microseconds
 * since the beginning of the trace, with three decimals.
 */
#include "export.h"

#include <inttypes.h>

#include "json.h"
#include "span_text.h"
#include "timeline.h"

struct writer {
	struct gt_json json;
	const struct gt_timeline *timeline;
	const struct gt_spans *spans;
	uint64_t pid;
	bool more; /* there are events before the next one */
};

/* --- Events ----------------------------------------------------------------------------------- */

/* Rows of threads from 4 on; below are those of no thread. */
static uint64_t row_number(uint32_t thread, unsigned row)
{
	return thread != GT_SPAN_NONE ? ((uint64_t)thread + 2) * 2 + row : row;
}

static void put_time(struct writer *w, const char *name, uint64_t ns)
{
	gt_json_key(&w->json, name);
	fprintf(w->json.out, "%" PRIu64 ".%03" PRIu64, ns / 1000, ns % 1000);
	w->json.more = true;
}

static void put_word(struct writer *w, const char *name, uint32_t word)
{
	size_t size;
	const char *text = gt_timeline_word(w->timeline, word, &size);

	gt_json_key(&w->json, name);
	gt_json_put_text(&w->json, text, size);
}

/* An event of a kind of theirs on a row; what it is besides may follow until event_end. */
static void event_begin(struct writer *w, const char *phase, uint64_t row)
{
	fputs(w->more ? ",\n" : "\n", w->json.out);
	w->more = true;
	w->json.more = false;
	gt_json_begin(&w->json, '{');
	gt_json_string(&w->json, "ph", phase);
	gt_json_number(&w->json, "pid", w->pid);
	gt_json_number(&w->json, "tid", row);
}

static void event_time(struct writer *w, uint64_t time)
{
	put_time(w, "ts", time - gt_timeline_head(w->timeline)->begin);
}

static void event_end(struct writer *w)
{
	gt_json_end(&w->json, '}');
}

static void put_metadata(struct writer *w, uint64_t row, const char *what, const char *name)
{
	event_begin(w, "M", row);
	gt_json_string(&w->json, "name", what);
	gt_json_key(&w->json, "args");
	gt_json_begin(&w->json, '{');
	gt_json_string(&w->json, "name", name);
	gt_json_end(&w->json, '}');
	event_end(w);
}

/* A list of functions, the innermost first. */
static void put_stack(struct writer *w, uint32_t stack)
{
	size_t n;
	const struct gt_span_frame *frames = gt_spans_stack(w->spans, stack, &n);
	struct gt_span_words room;

	gt_json_key(&w->json, "stack");
	gt_json_begin(&w->json, '[');
	for (size_t i = 0; i < n; i++) {
		gt_json_put_string(&w->json, gt_span_frame_name(w->spans, &frames[i], &room));
	}
	gt_json_end(&w->json, ']');
}

static void put_arguments(struct writer *w, const struct gt_item *item)
{
	const struct gt_note *note;
	char number[24];

	gt_json_key(&w->json, "args");
	gt_json_begin(&w->json, '{');
	for (note = item->notes; note < item->notes + item->nnotes; note++) {
		const char *key = gt_timeline_word(w->timeline, note->key, NULL);

		if (note->is_word) {
			put_word(w, key, (uint32_t)note->value);
		} else {
			snprintf(number, sizeof(number), "%" PRId64, note->value);
			gt_json_word(&w->json, key, number);
		}
	}
	if (item->stack != 0) {
		put_stack(w, item->stack);
	}
	gt_json_end(&w->json, '}');
}

/* --- Items ------------------------------------------------------------------------------------ */

static void put_head(struct writer *w)
{
	const struct gt_timeline_head *head = gt_timeline_head(w->timeline);

	w->pid = head->pid;
	put_metadata(w, 0, "process_name", head->name);
	for (unsigned row = GT_ROW_GC; row < GT_ROW_END; row++) {
		put_metadata(w, row_number(GT_SPAN_NONE, row), "thread_name", gt_row_name(row));
	}
}

static void put_thread(struct writer *w, const struct gt_item *item)
{
	const char *name = gt_timeline_word(w->timeline, item->name, NULL);
	char text[500];

	snprintf(text, sizeof(text), "%s, tid %" PRIu64, name,
		 gt_timeline_tid(w->timeline, item->thread));
	put_metadata(w, row_number(item->thread, GT_ROW_WORK), "thread_name", text);
	snprintf(text, sizeof(text), "%s: %s", name, gt_row_name(GT_ROW_STATE));
	put_metadata(w, row_number(item->thread, GT_ROW_STATE), "thread_name", text);
}

/*
 * An arrow is bound to its slices by bind_id; the older events for arrows ("s", "f") are bound by
 * their times, to whatever slice begins or ends then. So what an arrow begins at is a slice without
 * width.
 */
static void put_event(struct writer *w, const struct gt_item *item)
{
	const bool ends = item->kind == GT_ITEM_SLICE;
	const bool slice = ends || item->arrow != 0;
	char number[24];

	event_begin(w, slice ? "X" : "i", row_number(item->thread, item->row));
	event_time(w, item->begin);
	if (slice) {
		put_time(w, "dur", item->end - item->begin);
	} else {
		gt_json_string(&w->json, "s", "t");
	}
	put_word(w, "name", item->name);
	put_word(w, "cat", item->category);
	if (item->arrow != 0) {
		snprintf(number, sizeof(number), "0x%" PRIx64, item->arrow);
		gt_json_string(&w->json, "bind_id", number);
		gt_json_boolean(&w->json, ends ? "flow_in" : "flow_out", true);
	}
	put_arguments(w, item);
	event_end(w);
}

static void put_counter(struct writer *w, const struct gt_item *item)
{
	event_begin(w, "C", 0);
	event_time(w, item->begin);
	gt_json_string(&w->json, "name", gt_counter_name(item->row));
	gt_json_key(&w->json, "args");
	gt_json_begin(&w->json, '{');
	gt_json_number(&w->json, item->row < GT_COUNTER_HEAP ? "threads" : "bytes", item->value);
	gt_json_end(&w->json, '}');
	event_end(w);
}

static void put_item(struct writer *w, const struct gt_item *item)
{
	if (!w->more) {
		put_head(w);
	}
	switch (item->kind) {
	case GT_ITEM_THREAD:
		put_thread(w, item);
		break;
	case GT_ITEM_COUNTER:
		put_counter(w, item);
		break;
	default:
		put_event(w, item);
		break;
	}
}

int gt_export_chrome(const struct gt_export *x, struct gt_error *e)
{
	struct gt_timeline *timeline = gt_timeline_open(x->path, &x->window, x->system, e);
	struct writer w = {.json = {.out = x->out}, .timeline = timeline};
	struct gt_item item;
	int n;

	if (timeline == NULL) {
		return -1;
	}
	w.spans = gt_timeline_spans(timeline);
	fputs("{\"displayTimeUnit\": \"ns\", \"traceEvents\": [", x->out);
	while ((n = gt_timeline_next(timeline, &item, e)) > 0) {
		put_item(&w, &item);
	}
	fputs("\n]}\n", x->out);
	gt_timeline_close(timeline);
	return n;
}
