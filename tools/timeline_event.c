/*
 * The timeline: what comes of events themselves: counters, samples, regions, log lines, and the
 * ranges of a collector.
 */
#include "timeline_own.h"

#include <string.h>

#include "facts.h"

/* Counts the thread where it is now, and no more where it was. */
static void count(struct gt_timeline *t, uint32_t thread)
{
	static const uint8_t counters[] = {
		[GT_SPAN_RUNNING] = GT_COUNTER_RUNNING,
		[GT_SPAN_RUNNABLE] = GT_COUNTER_RUNNABLE,
		[GT_SPAN_WAIT] = GT_COUNTER_BLOCKED,
		[GT_SPAN_SYSCALL] = GT_COUNTER_CALLING,
	};
	struct gt_timeline_row *row;
	const struct gt_span *now;
	uint8_t kind;

	if (thread == GT_SPAN_NONE) {
		return;
	}
	row = gt_timeline_row(t, thread);
	now = gt_spans_now(t->spans, thread);
	kind = now != NULL && gt_timeline_shows(t, thread) ? now->kind : 0;
	if (kind == row->counted) {
		return;
	}
	if (row->counted != 0) {
		t->counters[counters[row->counted]]--;
		t->changed[counters[row->counted]] = true;
	}
	if (kind != 0) {
		t->counters[counters[kind]]++;
		t->changed[counters[kind]] = true;
	}
	row->counted = kind;
}

static void measure(struct gt_timeline *t, enum gt_counter counter, uint64_t value)
{
	t->changed[counter] = t->changed[counter] || t->counters[counter] != value;
	t->counters[counter] = value;
}

/* What has changed since the window's last event; at its beginning, all that is not 0. */
static void put_counters(struct gt_timeline *t, uint64_t now)
{
	uint64_t begin = now, end = now;

	if (!gt_timeline_clip(t, &begin, &end)) {
		return;
	}
	for (unsigned i = 0; i < GT_COUNTER_END; i++) {
		if (t->changed[i]) {
			t->changed[i] = false;
			gt_timeline_put(t, GT_ITEM_COUNTER, i, GT_SPAN_NONE, now, now)->value =
				t->counters[i];
		}
	}
}

/* A moment or a sample on the row of the thread that the event is of. NULL: it is not shown. */
static struct gt_item *put_moment(struct gt_timeline *t, enum gt_item_kind kind,
				  const struct gt_event *ev, uint64_t stack)
{
	const uint32_t thread = gt_spans_by_id(t->spans, ev->g);
	uint64_t begin = ev->time, end = ev->time;
	struct gt_item *item;

	if (thread == GT_SPAN_NONE || !gt_timeline_shows(t, thread) ||
	    !gt_timeline_clip(t, &begin, &end)) {
		return NULL;
	}
	gt_timeline_meet(t, thread, begin);
	item = gt_timeline_put(t, kind, GT_ROW_WORK, thread, begin, end);
	item->stack = gt_spans_stack_of(t->spans, stack);
	return item;
}

static uint32_t word_of(struct gt_timeline *t, uint64_t string)
{
	return gt_timeline_string(t, gt_spans_string_of(t->spans, string));
}

static void region_begin(struct gt_timeline *t, const struct gt_event *ev)
{
	const uint32_t thread = gt_spans_by_id(t->spans, ev->g);
	struct gt_timeline_row *row;

	if (thread != GT_SPAN_NONE) {
		row = gt_timeline_row(t, thread);
		row->regions = gt_grow(row->regions, row->nregions, &row->regions_cap,
				       sizeof(*row->regions));
		row->regions[row->nregions++] = (struct gt_timeline_region){
			.begin = ev->time,
			.task = ev->args[0],
			.name = word_of(t, ev->args[1]),
			.stack = gt_spans_stack_of(t->spans, ev->args[2]),
		};
	}
}

static void region_end(struct gt_timeline *t, uint32_t thread, uint64_t now)
{
	struct gt_timeline_row *row = gt_timeline_row(t, thread);
	const struct gt_timeline_region *region;
	uint64_t begin, end = now;
	struct gt_item *item;

	if (row->nregions == 0) {
		return; /* it began before the trace */
	}
	region = &row->regions[--row->nregions];
	begin = region->begin;
	if (gt_timeline_shows(t, thread) && gt_timeline_clip(t, &begin, &end) &&
	    begin == region->begin) {
		gt_timeline_meet(t, thread, begin);
		item = gt_timeline_put(t, GT_ITEM_SLICE, GT_ROW_WORK, thread, begin, end);
		item->name = region->name;
		item->category = GT_WORD_REGION;
		item->stack = region->stack;
		if (region->task != 0) {
			gt_item_note(item, GT_WORD_TASK, (int64_t)region->task);
		}
	}
}

void gt_timeline_end_regions(struct gt_timeline *t, uint32_t thread, uint64_t now)
{
	while (gt_timeline_row(t, thread)->nregions != 0) {
		region_end(t, thread, now);
	}
}

static void range_begin(struct gt_timeline *t, enum gt_row row, uint64_t now, uint32_t name)
{
	t->since[row] = now;
	t->why[row] = name;
}

static void range_end(struct gt_timeline *t, enum gt_row row, uint64_t now)
{
	uint64_t begin = t->since[row], end = now;
	struct gt_item *item;

	if (begin != 0 && gt_timeline_clip(t, &begin, &end)) {
		item = gt_timeline_put(t, GT_ITEM_SLICE, row, GT_SPAN_NONE, begin, end);
		item->name = t->why[row];
		item->category = GT_WORD_COLLECTOR;
	}
	t->since[row] = 0;
}

static void timed(struct gt_timeline *t, const struct gt_event *ev)
{
	const uint32_t self = gt_spans_by_id(t->spans, ev->g);
	struct gt_item *item;

	switch (ev->number) {
	case GT_EV_GO_CREATE:
	case GT_EV_GO_CREATE_BLOCKED:
	case GT_EV_GO_CREATE_SYSCALL:
	case GT_EV_GO_STATUS:
	case GT_EV_GO_STATUS_STACK:
	case GT_EV_GO_START:
	case GT_EV_GO_UNBLOCK:
	case GT_EV_GO_SWITCH:
	case GT_EV_GO_SWITCH_DESTROY:
		count(t, gt_spans_by_id(t->spans, ev->args[0]));
		break;
	case GT_EV_USER_REGION_BEGIN:
		region_begin(t, ev);
		break;
	case GT_EV_USER_REGION_END:
		if (self != GT_SPAN_NONE) {
			region_end(t, self, ev->time);
		}
		break;
	case GT_EV_USER_LOG:
		item = put_moment(t, GT_ITEM_MOMENT, ev, ev->args[3]);
		if (item != NULL) {
			item->name = word_of(t, ev->args[1]);
			item->category = GT_WORD_LOG;
			gt_item_note_word(item, GT_WORD_TEXT, word_of(t, ev->args[2]));
		}
		break;
	case GT_EV_GC_ACTIVE:
	case GT_EV_GC_BEGIN:
		if (t->since[GT_ROW_GC] == 0) {
			range_begin(t, GT_ROW_GC, ev->time, GT_WORD_COLLECTION);
		}
		break;
	case GT_EV_GC_END:
		range_end(t, GT_ROW_GC, ev->time);
		break;
	case GT_EV_STW_BEGIN:
		range_begin(t, GT_ROW_WORLD, ev->time, word_of(t, ev->args[0]));
		break;
	case GT_EV_STW_END:
		range_end(t, GT_ROW_WORLD, ev->time);
		break;
	case GT_EV_HEAP_ALLOC:
		measure(t, GT_COUNTER_HEAP, ev->args[0]);
		break;
	case GT_EV_HEAP_GOAL:
		measure(t, GT_COUNTER_GOAL, ev->args[0]);
		break;
	default:
		break;
	}
	count(t, self);
	if (self != GT_SPAN_NONE && gt_spans_thread(t->spans, self)->ended != 0) {
		gt_timeline_end_regions(t, self, ev->time);
	}
}

/* The rows end there, and the program did not. */
static void recording_ended(struct gt_timeline *t, const struct gt_event *ev)
{
	const struct gt_broken_off b = {
		.first = ev->args[0], .why = ev->args[1], .error = ev->args[2]};
	uint64_t begin = ev->time, end = ev->time;
	struct gt_broken_words room;
	struct gt_item *item;
	const char *words;

	if (gt_timeline_clip(t, &begin, &end)) {
		words = gt_broken_words(&b, &room);
		item = gt_timeline_put(t, GT_ITEM_MOMENT, GT_ROW_WORLD, GT_SPAN_NONE, begin, end);
		item->name = GT_WORD_EARLY;
		item->category = GT_WORD_TRACING;
		gt_item_note_word(item, GT_WORD_REASON,
				  gt_set_put(&t->words, words, strlen(words)));
	}
}

void gt_timeline_event(struct gt_timeline *t, const struct gt_event *ev)
{
	if (ev->kind == GT_STRUCT && ev->number == GT_EV_CPU_SAMPLE) {
		struct gt_item *item = put_moment(t, GT_ITEM_SAMPLE, ev, ev->args[0]);

		if (item != NULL) {
			item->name = item->category = GT_WORD_SAMPLE;
		}
	} else if (ev->kind == GT_FACT && ev->number == GT_FACT_BROKEN) {
		recording_ended(t, ev);
	} else if (ev->kind == GT_TIMED) {
		timed(t, ev);
		put_counters(t, ev->time);
	}
}
