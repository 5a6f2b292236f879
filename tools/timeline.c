/*
 * The timeline: spans and events -> slices, moments, arrows and counters in words.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "span_text.h"
#include "timeline_own.h"

/* --- Words ------------------------------------------------------------------------------------ */

static uint32_t word_of(struct gt_timeline *t, const char *text, size_t size)
{
	return gt_set_put(&t->words, text, size);
}

uint32_t gt_timeline_string(struct gt_timeline *t, uint32_t string)
{
	size_t size;
	const char *text = gt_spans_string(t->spans, string, &size);

	return size ? word_of(t, text, size) : GT_WORD_NOT_KNOWN;
}

/* In a trace of gtrace a reason is one of its own: "mutex" for "sync". */
static uint32_t word_reason(struct gt_timeline *t, uint32_t string)
{
	static const char *const names[] = {
		[GT_REASON_NONE] = "",
#define GT_REASON(id, NAME, text) [id] = #NAME,
#include "base/events.def"
	};
	const char *text = gt_spans_string(t->spans, string, NULL);
	char name[32];
	size_t n = 0;

	for (unsigned id = 1; !t->goroutines && id < GT_REASON_END; id++) {
		if (strcmp(gt_reason_text(id), text) == 0) {
			for (; names[id][n] != '\0'; n++) {
				name[n] = (char)(names[id][n] | 0x20);
			}
			return word_of(t, name, n);
		}
	}
	return gt_timeline_string(t, string);
}

static uint32_t word_call(struct gt_timeline *t, uint64_t call)
{
	struct gt_call_name room;
	const char *name = gt_call_name(call, &room);

	return word_of(t, name, strlen(name));
}

/* "mutex 0x5567" */
static uint32_t word_object(struct gt_timeline *t, uint32_t index)
{
	const struct gt_span_object *o = gt_spans_object(t->spans, index);
	const char *kind = gt_object_text(o->kind);
	char text[80];
	int n;

	while (t->nobjects <= index) {
		t->objects = gt_grow(t->objects, t->nobjects, &t->objects_cap, sizeof(*t->objects));
		t->objects[t->nobjects++] = 0;
	}
	if (t->objects[index] == 0) {
		n = snprintf(text, sizeof(text), "%s 0x%" PRIx64, kind ? kind : "object",
			     o->address);
		t->objects[index] = 1 + word_of(t, text, (size_t)n);
	}
	return t->objects[index] - 1;
}

/* --- Threads ---------------------------------------------------------------------------------- */

struct gt_timeline_row *gt_timeline_row(struct gt_timeline *t, uint32_t thread)
{
	while (t->nrows <= thread) {
		t->rows = gt_grow(t->rows, t->nrows, &t->rows_cap, sizeof(*t->rows));
		t->rows[t->nrows++] =
			(struct gt_timeline_row){.told = UINT32_MAX, .name = UINT32_MAX};
	}
	return &t->rows[thread];
}

/* "worker #7": with its number, because several may have the same name. */
static uint32_t word_thread(struct gt_timeline *t, uint32_t thread)
{
	const struct gt_span_thread *of = gt_spans_thread(t->spans, thread);
	struct gt_timeline_row *row = gt_timeline_row(t, thread);
	const char *name;
	char text[300];
	int n;

	if (row->name == UINT32_MAX || row->nlabels != of->nlabels || row->routine != of->routine) {
		row->nlabels = of->nlabels;
		row->routine = of->routine;
		name = gt_spans_string(
			t->spans, of->nlabels ? of->labels[of->nlabels - 1] : of->routine, NULL);
		n = snprintf(text, sizeof(text), "%.256s #%" PRIu64, *name ? name : "thread",
			     of->id);
		row->name = word_of(t, text, (size_t)n);
	}
	return row->name;
}

struct gt_item *gt_timeline_put(struct gt_timeline *t, enum gt_item_kind kind, unsigned row,
				uint32_t thread, uint64_t begin, uint64_t end)
{
	struct gt_item *item;

	t->queue = gt_grow(t->queue, t->queued, &t->queue_cap, sizeof(*t->queue));
	item = &t->queue[t->queued++];
	*item = (struct gt_item){.kind = (uint8_t)kind,
				 .row = (uint8_t)row,
				 .thread = thread,
				 .begin = begin,
				 .end = end};
	return item;
}

/* It comes before what is on its rows, and again when it has got another name. */
void gt_timeline_meet(struct gt_timeline *t, uint32_t thread, uint64_t now)
{
	const uint32_t name = word_thread(t, thread);
	struct gt_timeline_row *row = gt_timeline_row(t, thread);

	if (row->told != name) {
		row->told = name;
		gt_timeline_put(t, GT_ITEM_THREAD, GT_ROW_WORK, thread, now, now)->name = name;
	}
}

/* --- Notes ------------------------------------------------------------------------------------ */

static void note_thread(struct gt_timeline *t, struct gt_item *item, uint32_t key, uint32_t thread)
{
	if (thread != GT_SPAN_NONE) {
		gt_item_note_word(item, key, word_thread(t, thread));
	}
}

static void note_call(struct gt_timeline *t, struct gt_item *item, const struct gt_span *span)
{
	const char *error;

	if (!span->named) {
		return;
	}
	if (span->argument != 0) {
		gt_item_note(item, GT_WORD_ARGUMENT, (int64_t)(span->argument - 1));
	}
	gt_item_note(item, GT_WORD_RESULT, span->result);
	if (gt_call_failed(span->result)) {
		error = gt_errno_name((uint64_t)-span->result);
		if (error != NULL) {
			gt_item_note_word(item, GT_WORD_ERROR, word_of(t, error, strlen(error)));
		}
	}
}

static void note_wait(struct gt_timeline *t, struct gt_item *item, const struct gt_span *span)
{
	const char *ended = gt_span_how_name(span->how);

	if (span->object != GT_SPAN_NONE) {
		const struct gt_span_object *o = gt_spans_object(t->spans, span->object);

		gt_item_note_word(item, GT_WORD_OBJECT, word_object(t, span->object));
		if (o->epoch != 0) {
			gt_item_note(item, GT_WORD_EPOCH, (int64_t)o->epoch);
		}
	}
	note_thread(t, item, GT_WORD_OWNER, span->owner);
	gt_item_note_word(item, GT_WORD_ENDED, word_of(t, ended, strlen(ended)));
	note_thread(t, item, GT_WORD_WAKER, span->waker);
	if (span->retakes) {
		gt_item_note(item, GT_WORD_RETAKE, (int64_t)span->retake);
		note_thread(t, item, GT_WORD_RETAKE_OWNER, span->retake_owner);
	}
}

/* --- Spans ------------------------------------------------------------------------------------ */

/* False: nothing of it is in the window. */
bool gt_timeline_clip(const struct gt_timeline *t, uint64_t *from, uint64_t *to)
{
	return gt_window_clip(&t->window, t->head.begin, from, to);
}

bool gt_timeline_shows(const struct gt_timeline *t, uint32_t thread)
{
	return (t->system || !gt_spans_thread(t->spans, thread)->system) &&
	       gt_window_thread(&t->window, t->spans, thread);
}

/* The moment on the waker's row at which it ended the wait, and the arrow that begins there. */
static void put_wake(struct gt_timeline *t, const struct gt_span *span, uint32_t name)
{
	uint64_t at = span->end, until = span->end;
	struct gt_item *item;

	if (span->waker == GT_SPAN_NONE || span->how == GT_SPAN_OPEN ||
	    !gt_timeline_clip(t, &at, &until) || !gt_timeline_shows(t, span->waker)) {
		return;
	}
	gt_timeline_meet(t, span->waker, at);
	item = gt_timeline_put(t, GT_ITEM_MOMENT, GT_ROW_WORK, span->waker, at, at);
	item->name = GT_WORD_WAKE;
	item->category = GT_WORD_WAKE;
	item->stack = span->waker_stack;
	item->arrow = ++t->arrows;
	note_thread(t, item, GT_WORD_WOKEN, span->thread);
	gt_item_note_word(item, GT_WORD_WAIT, name);
	if (span->object != GT_SPAN_NONE) {
		gt_item_note_word(item, GT_WORD_OBJECT, word_object(t, span->object));
	}
	gt_item_note(item, GT_WORD_WAITED, (int64_t)(span->end - span->begin));
	gt_timeline_row(t, span->thread)->arrow = item->arrow;
}

static void put_state(struct gt_timeline *t, const struct gt_span *span, uint64_t begin,
		      uint64_t end, uint64_t arrow)
{
	static const uint8_t names[] = {
		[GT_SPAN_RUNNING] = GT_WORD_RUNNING,
		[GT_SPAN_RUNNABLE] = GT_WORD_RUNNABLE,
		[GT_SPAN_WAIT] = GT_WORD_BLOCKED,
		[GT_SPAN_SYSCALL] = GT_WORD_IN_A_CALL,
	};
	struct gt_item *item =
		gt_timeline_put(t, GT_ITEM_SLICE, GT_ROW_STATE, span->thread, begin, end);

	item->name = names[span->kind];
	item->category = GT_WORD_STATE;
	item->arrow = arrow;
	if (span->kind == GT_SPAN_RUNNABLE && span->reason != GT_SPAN_NONE) {
		item->stack = span->stack;
		gt_item_note_word(item, GT_WORD_REASON, word_reason(t, span->reason));
	}
}

static void put_work(struct gt_timeline *t, const struct gt_span *span, uint32_t name,
		     uint64_t begin, uint64_t end)
{
	const bool moment = span->kind == GT_SPAN_CALL;
	struct gt_item *item = gt_timeline_put(t, moment ? GT_ITEM_MOMENT : GT_ITEM_SLICE,
					       GT_ROW_WORK, span->thread, begin, end);

	item->name = name;
	item->category = span->kind == GT_SPAN_WAIT ? GT_WORD_WAIT : GT_WORD_CALL;
	item->stack = span->stack;
	if (span->kind == GT_SPAN_WAIT) {
		if (span->named) {
			gt_item_note_word(item, GT_WORD_REASON, word_reason(t, span->reason));
		}
		note_wait(t, item, span);
	}
	note_call(t, item, span);
}

static void take_span(struct gt_timeline *t, const struct gt_span *span)
{
	uint64_t begin = span->begin, end = span->end, arrow;
	struct gt_timeline_row *row;
	uint32_t name = GT_WORD_SYSTEM_CALL;

	if (!gt_timeline_shows(t, span->thread)) {
		return;
	}
	if (span->named) {
		name = word_call(t, span->call);
	} else if (span->kind == GT_SPAN_WAIT) {
		name = word_reason(t, span->reason);
	}
	row = gt_timeline_row(t, span->thread);
	arrow = row->arrow;
	if (span->kind != GT_SPAN_CALL) {
		row->arrow = 0;
	}
	if (span->kind == GT_SPAN_WAIT) {
		put_wake(t, span, name);
	}
	if (!gt_timeline_clip(t, &begin, &end)) {
		return;
	}
	gt_timeline_meet(t, span->thread, begin);
	if (span->kind == GT_SPAN_WAIT || span->kind == GT_SPAN_SYSCALL ||
	    span->kind == GT_SPAN_CALL) {
		put_work(t, span, name, begin, end);
	}
	if (span->kind != GT_SPAN_CALL) {
		put_state(t, span, begin, end, arrow);
	}
}

/* --- The stream ------------------------------------------------------------------------------- */

/* What is known when the first event has come: its generation's tables are read. */
static void begin(struct gt_timeline *t)
{
	const struct gt_generation *g = gt_spans_generation(t->spans);

	t->begun = true;
	t->head.begin = gt_spans_begin(t->spans);
	if (g->has_snapshot) {
		t->head.trace = g->snapshot_time;
		t->head.monotonic = g->snapshot_mono;
		t->head.wall = g->snapshot_sec * 1000000000 + g->snapshot_nsec;
	}
	t->goroutines = g->facts.count == 0 && !gt_spans_by_gtrace(t->spans);
	t->head.pid = 1;
}

/*
 * The first thread of a process has its id; where that one is not there yet, another's must do.
 * It does not change after the first item.
 */
static void find_pid(struct gt_timeline *t, const struct gt_span *span)
{
	uint32_t first = gt_spans_by_id(t->spans, 1);

	if (t->goroutines || t->given || t->head.pid != 1) {
		return;
	}
	first = first != GT_SPAN_NONE ? first : span->thread;
	if (first != GT_SPAN_NONE && gt_spans_thread(t->spans, first)->tid != GT_NO_M) {
		t->head.pid = gt_spans_thread(t->spans, first)->tid;
	}
}

int gt_timeline_next(struct gt_timeline *t, struct gt_item *item, struct gt_error *e)
{
	struct gt_span span;

	while (t->taken == t->queued) {
		t->taken = t->queued = 0;
		if (t->status <= 0) {
			*e = t->status < 0 ? t->error : *e;
			return t->status;
		}
		t->status = gt_spans_next(t->spans, &span, &t->error);
		if (t->status <= 0) {
			for (size_t i = 0; i < t->nrows; i++) {
				gt_timeline_end_regions(t, (uint32_t)i, gt_spans_end(t->spans));
			}
			continue;
		}
		if (!t->begun) {
			begin(t);
		}
		find_pid(t, &span);
		if (span.kind == GT_SPAN_EVENT) {
			gt_timeline_event(t, span.event);
		} else {
			take_span(t, &span);
		}
	}
	t->given = true;
	*item = t->queue[t->taken++];
	return 1;
}

struct gt_timeline *gt_timeline_open(const char *path, const struct gt_window *window, bool system,
				     struct gt_error *e)
{
	static const char *const words[] = {
#define W(NAME, text) text,
		GT_WORDS(W)
#undef W
	};
	struct gt_merge *merge = gt_merge_open(path, 0, e);
	const char *base = strrchr(path, '/');
	struct gt_timeline *t;
	size_t n;

	if (merge == NULL) {
		return NULL;
	}
	t = gt_alloc(sizeof(*t));
	*t = (struct gt_timeline){.merge = merge, .window = *window, .system = system, .status = 1};
	t->spans = gt_spans_open(merge, GT_SPANS_EVENTS);
	t->words = gt_set_of(0);
	for (size_t i = 0; i < GT_LEN(words); i++) {
		word_of(t, words[i], strlen(words[i]));
	}
	base = strcmp(path, "-") == 0 ? "trace" : base != NULL ? base + 1 : path;
	n = strlen(base);
	n -= n > 6 && strcmp(base + n - 6, ".trace") == 0 ? 6 : 0;
	t->name = gt_alloc(n + 1);
	memcpy(t->name, base, n);
	t->head.name = t->name;
	return t;
}

void gt_timeline_close(struct gt_timeline *t)
{
	if (t == NULL) {
		return;
	}
	gt_spans_close(t->spans);
	gt_merge_close(t->merge);
	gt_set_fini(&t->words);
	for (size_t i = 0; i < t->nrows; i++) {
		free(t->rows[i].regions);
	}
	free(t->rows);
	free(t->objects);
	free(t->queue);
	free(t->name);
	free(t);
}

/* --- What else there is ----------------------------------------------------------------------- */

const char *gt_timeline_word(const struct gt_timeline *t, uint32_t word, size_t *size)
{
	return gt_set_key(&t->words, word, size);
}

const struct gt_spans *gt_timeline_spans(const struct gt_timeline *t)
{
	return t->spans;
}

const struct gt_timeline_head *gt_timeline_head(const struct gt_timeline *t)
{
	return &t->head;
}

uint64_t gt_timeline_tid(const struct gt_timeline *t, uint32_t thread)
{
	const struct gt_span_thread *of = gt_spans_thread(t->spans, thread);

	/* Above all ids that the kernel gives: that of a thread which has not run yet. */
	return t->goroutines ? of->id : of->tid != GT_NO_M ? of->tid : (1 << 22) + of->id;
}

const char *gt_row_name(enum gt_row row)
{
	static const char *const names[GT_ROW_END] = {
		[GT_ROW_WORK] = "",
		[GT_ROW_STATE] = "state",
		[GT_ROW_GC] = "garbage collection",
		[GT_ROW_WORLD] = "world stopped",
	};

	return names[row];
}

const char *gt_counter_name(enum gt_counter counter)
{
	static const char *const names[GT_COUNTER_END] = {
		[GT_COUNTER_RUNNING] = "running threads",
		[GT_COUNTER_RUNNABLE] = "runnable threads",
		[GT_COUNTER_BLOCKED] = "blocked threads",
		[GT_COUNTER_CALLING] = "threads in a call",
		[GT_COUNTER_HEAP] = "heap",
		[GT_COUNTER_GOAL] = "heap goal",
	};

	return names[counter];
}
