/*
 * The stream of spans from within: what is known of each thread. For span.c and span_thread.c
 * alone.
 */
#pragma once

#include "span.h"
#include "span_table.h"

/* Of one event, or of one thread at the end, there are never more. */
enum { GT_SPAN_QUEUE = 8 };

struct gt_span_state {
	struct gt_span_thread open; /* what span.h shows */
	struct gt_span now;         /* what lasts; its end is not set. kind 0: nothing */
	uint64_t named_at;          /* when a fact named the call that now is */
	uint32_t object_next,
		owner_next; /* of the block that comes next: the fact stands before it */
	/* A wait that has ended, while who ended it is not settled. kind 0: none. */
	struct gt_span over;
	uint32_t waker_before; /* who was last on the unblock's M */
	/* What the fact says of the wait: it may come before the unblock. */
	uint8_t how;
	uint64_t how_waker; /* a G; 0: not known */
	uint32_t *labels;
	size_t labels_cap;
};

struct gt_spans {
	struct gt_merge *merge;
	unsigned flags;
	bool by_gtrace;
	uint64_t begin, end;
	uint64_t sync; /* when this generation began */
	struct gt_span_tables tables;
	struct gt_span_state **threads;
	size_t nthreads, threads_cap;
	struct gt_idmap by_g; /* G -> struct gt_span_state * */
	struct gt_idmap by_m; /* M -> index + 1 of the thread that was last on it */

	struct gt_span queue[GT_SPAN_QUEUE];
	unsigned head, tail;
	struct gt_event event;
	bool given; /* the event; or it is not wanted */
	/* The trace has ended: with this, and the threads below `closed` are done. */
	bool ended;
	int status;
	struct gt_error error;
	size_t closed;
};

/* The thread with this id, which may be new, and its index. */
struct gt_span_state *gt_span_thread_of(struct gt_spans *s, uint64_t g);
uint32_t gt_span_index_of(struct gt_spans *s, uint64_t g);
/* It runs on this M now. */
void gt_span_put_on(struct gt_spans *s, struct gt_span_state *t, uint64_t m);
/* It was seen with this stack; it was given this name. */
void gt_span_routine(struct gt_spans *s, struct gt_span_state *t, uint32_t stack);
void gt_span_label(struct gt_spans *s, struct gt_span_state *t, uint64_t string);
