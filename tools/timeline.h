/*
 * The timeline of a trace: what a viewer draws. For the exports to viewers, which write it down in
 * the form of each.
 *
 *	struct gt_timeline *t = gt_timeline_open(path, &window, false, &error);
 *	while ((n = gt_timeline_next(t, &item, &error)) > 0) {
 *		... gt_timeline_word(t, item.name, NULL) from item.begin to item.end
 *	}
 *	gt_timeline_close(t);
 *
 * A thread has two rows: one of its waits, calls and regions, blank while it computes; and one of
 * its states, without gaps. Slices of a row follow each other or nest. An arrow leads from the
 * moment on the waker's row when it ended a wait to the slice in which the woken one may run again,
 * and which begins at that time. Of each arrow the beginning comes first. Slices come when they are
 * over, counters by their time, and a thread before what is on its rows.
 *
 * What stands in names and notes are words, which have an index, from 0 on in the order of arrival.
 * With a window, slices that reach over its edge are cut there; regions that began before it are
 * left out, because how they nest is not known.
 */
#pragma once

#include "span.h"
#include "window.h"

enum gt_item_kind {
	GT_ITEM_THREAD = 1, /* a thread is met, or has got another name */
	GT_ITEM_SLICE,
	GT_ITEM_MOMENT,
	GT_ITEM_COUNTER,
	GT_ITEM_SAMPLE, /* a CPU sample */
};

enum gt_row {
	GT_ROW_WORK,  /* waits, calls, regions, wake-ups, log lines */
	GT_ROW_STATE, /* running, runnable, blocked, in a call */
	/* Of no thread: */
	GT_ROW_GC,
	GT_ROW_WORLD, /* it is stopped */
	GT_ROW_END,
};

enum gt_counter {
	GT_COUNTER_RUNNING, /* threads */
	GT_COUNTER_RUNNABLE,
	GT_COUNTER_BLOCKED,
	GT_COUNTER_CALLING,
	GT_COUNTER_HEAP, /* bytes */
	GT_COUNTER_GOAL,
	GT_COUNTER_END,
};

struct gt_note {
	uint32_t key; /* word */
	bool is_word; /* value is the index of one */
	int64_t value;
};

enum { GT_NOTES_MAX = 12 };

struct gt_item {
	uint8_t kind; /* enum gt_item_kind */
	uint8_t row;  /* SLICE, MOMENT: enum gt_row. COUNTER: enum gt_counter */
	uint8_t nnotes;
	uint32_t thread; /* index of span.h; GT_SPAN_NONE: the process */
	uint32_t name, category;
	uint64_t begin, end; /* ns of the trace clock; equal but for slices */
	uint32_t stack;      /* index of span.h */
	uint64_t arrow;      /* its number: begins at a MOMENT, ends at a SLICE. 0: none */
	uint64_t value;      /* COUNTER */
	struct gt_note notes[GT_NOTES_MAX];
};

struct gt_timeline;

/*
 * path "-" is standard input; system: also threads that are none of the program's, as far as that
 * is known when they begin. NULL with *e.
 */
struct gt_timeline *gt_timeline_open(const char *path, const struct gt_window *window, bool system,
				     struct gt_error *e);
void gt_timeline_close(struct gt_timeline *t);
/* 1 and the next item, 0 at the end, -1 with *e after all that could be had. */
int gt_timeline_next(struct gt_timeline *t, struct gt_item *item, struct gt_error *e);

/* A zero byte follows that is not part of it. size may be NULL. */
const char *gt_timeline_word(const struct gt_timeline *t, uint32_t word, size_t *size);
/* Rows of no thread, and counters, in words. */
const char *gt_row_name(enum gt_row row);
const char *gt_counter_name(enum gt_counter counter);

/* The tables of threads, stacks and strings. */
const struct gt_spans *gt_timeline_spans(const struct gt_timeline *t);

/* From the first item on. */
struct gt_timeline_head {
	const char *name; /* of the process: the trace's file name without .trace */
	uint64_t pid;     /* 1 where the threads are goroutines */
	uint64_t begin;   /* ns of the trace clock: of the trace, not of the window */
	/* The same moment on three clocks, ns; trace is 0 where the file does not say. */
	uint64_t trace, monotonic, wall;
};

const struct gt_timeline_head *gt_timeline_head(const struct gt_timeline *t);
/*
 * A number for a thread, by which viewers tell threads apart: the kernel's id, or that of the
 * goroutine.
 */
uint64_t gt_timeline_tid(const struct gt_timeline *t, uint32_t thread);
