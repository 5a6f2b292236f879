/*
 * What the files of the timeline share: its state, and how items are put. For timeline*.c alone.
 */
#pragma once

#include "model_set.h"
#include "timeline.h"

/* Words of the timeline itself, which have the first indices. */
#define GT_WORDS(W)                     \
	W(RUNNING, "running")           \
	W(RUNNABLE, "runnable")         \
	W(BLOCKED, "blocked")           \
	W(IN_A_CALL, "in a call")       \
	W(STATE, "state")               \
	W(WAIT, "wait")                 \
	W(CALL, "call")                 \
	W(SYSTEM_CALL, "system call")   \
	W(WAKE, "wake")                 \
	W(REGION, "region")             \
	W(LOG, "log")                   \
	W(SAMPLE, "CPU sample")         \
	W(COLLECTOR, "collector")       \
	W(COLLECTION, "collection")     \
	W(TRACING, "tracing")           \
	W(EARLY, "ended early")         \
	W(REASON, "reason")             \
	W(OBJECT, "object")             \
	W(EPOCH, "epoch")               \
	W(OWNER, "owner")               \
	W(ENDED, "ended")               \
	W(WAKER, "waker")               \
	W(WOKEN, "woken")               \
	W(WAITED, "waited_ns")          \
	W(RETAKE, "retake_ns")          \
	W(RETAKE_OWNER, "retake_owner") \
	W(RESULT, "result")             \
	W(ERROR, "error")               \
	W(ARGUMENT, "argument")         \
	W(TASK, "task")                 \
	W(TEXT, "text")                 \
	W(NOT_KNOWN, "not known")

#define W(NAME, text) GT_WORD_##NAME,
enum { GT_WORDS(W) GT_WORDS_END };
#undef W

/* Regions that are open, the outermost first. */
struct gt_timeline_region {
	uint64_t begin, task;
	uint32_t name, stack;
};

struct gt_timeline_row {
	uint8_t counted; /* enum gt_span_kind */
	uint32_t told;   /* word: the name in the last GT_ITEM_THREAD; UINT32_MAX: none yet */
	uint32_t name;   /* word: the name, made from these; UINT32_MAX: none yet */
	uint32_t routine;
	size_t nlabels;
	uint64_t arrow; /* that ends where the next slice begins; 0 */
	struct gt_timeline_region *regions;
	size_t nregions, regions_cap;
};

struct gt_timeline {
	struct gt_merge *merge;
	struct gt_spans *spans;
	struct gt_window window;
	struct gt_timeline_head head;
	char *name;
	bool system;       /* also threads that are none of the program's */
	bool begun, given; /* the first event has come, the first item is given */
	bool goroutines;

	struct gt_set words;
	struct gt_timeline_row *rows; /* by thread */
	size_t nrows, rows_cap;
	uint32_t *objects; /* by object: word + 1 */
	size_t nobjects, objects_cap;
	uint64_t arrows;
	uint64_t counters[GT_COUNTER_END];
	bool changed[GT_COUNTER_END];
	uint64_t since[GT_ROW_END]; /* of GC and WORLD: 0, not now */
	uint32_t why[GT_ROW_END];   /* word */

	struct gt_item *queue; /* what the last span or event gave */
	size_t queued, queue_cap, taken;
	int status; /* of the spans: 1, there are more */
	struct gt_error error;
};

/* Adds an item, to be filled in before the next one is added. */
struct gt_item *gt_timeline_put(struct gt_timeline *t, enum gt_item_kind kind, unsigned row,
				uint32_t thread, uint64_t begin, uint64_t end);
/* To be called before anything is put on a thread's row. */
void gt_timeline_meet(struct gt_timeline *t, uint32_t thread, uint64_t now);
struct gt_timeline_row *gt_timeline_row(struct gt_timeline *t, uint32_t thread);
/* Cuts it to the window; false: nothing of it is in there. */
bool gt_timeline_clip(const struct gt_timeline *t, uint64_t *begin, uint64_t *end);
bool gt_timeline_shows(const struct gt_timeline *t, uint32_t thread);
uint32_t gt_timeline_string(struct gt_timeline *t, uint32_t string);

GT_INLINE void gt_item_note(struct gt_item *item, uint32_t key, int64_t value)
{
	item->notes[item->nnotes++] = (struct gt_note){.key = key, .value = value};
}

GT_INLINE void gt_item_note_word(struct gt_item *item, uint32_t key, uint32_t word)
{
	item->notes[item->nnotes++] = (struct gt_note){.key = key, .is_word = true, .value = word};
}

/* timeline_event.c. An event, after the spans that it ended. */
void gt_timeline_event(struct gt_timeline *t, const struct gt_event *ev);
/* The thread, or the trace, is over: what is open of its regions ends. */
void gt_timeline_end_regions(struct gt_timeline *t, uint32_t thread, uint64_t now);
