/*
 * Spans: what each thread did from when to when, with all that the trace knows about it. For stat,
 * pprof, the exports and diff: states, waits, wakers and calls are worked out here alone.
 *
 *	struct gt_spans *s = gt_spans_open(merge, 0);
 *	while ((n = gt_spans_next(s, &span, &error)) > 0) {
 *		if (span.kind == GT_SPAN_WAIT && span.waker != GT_SPAN_NONE) {
 *			... gt_spans_thread(s, span.waker)->id ended it at span.end,
 *			... from the stack gt_spans_stack(s, span.waker_stack, &nframes)
 *		}
 *	}
 *	n < 0: the trace is cut or wrong; what came before is good, what lasted then is open
 *	gt_spans_close(s);	and then gt_merge_close(merge)
 *
 * Order: the spans of a thread come in order and without a gap, from its appearance to its end.
 * Among threads they come in the order of the events that made them known. For a wait that is the
 * event by which its thread runs again, because only then it is known who ended it: the wait and
 * the runnable time after it come one behind the other, after spans of other threads that ended
 * later. The spans that last at the end of the trace come last, thread by thread.
 *
 * What counts as a wait is what Go's own summary takes for one: from the event that says that a
 * thread blocks to the one that says that it may run again; from there to running it is runnable.
 *
 * Threads, strings, stacks and objects have indices from 0 in the order of appearance, which never
 * change, and live as long as the stream; GT_SPAN_NONE: none, nobody, not known. Memory is bounded
 * by their numbers, not by events. Times are ns of the trace clock.
 */
#pragma once

#include "merge.h"

#define GT_SPAN_NONE UINT32_MAX /* as an index */

enum gt_span_kind {
	GT_SPAN_RUNNING = 1,
	GT_SPAN_RUNNABLE, /* also: new, or it yielded */
	GT_SPAN_WAIT,
	GT_SPAN_SYSCALL,
	/*
	 * A call of which only name and result are known, not how long it took: begin and end are
	 * one moment, inside another span of its thread. To be left out of every sum of times.
	 */
	GT_SPAN_CALL,
	GT_SPAN_EVENT, /* with GT_SPANS_EVENTS: no span, but an event that merge.h gave */
};

/* How a wait ended: enum gt_ended, and besides those: */
enum {
	GT_SPAN_OPEN = 0,                /* not before the end of the trace */
	GT_SPAN_RETURNED = GT_ENDED_END, /* a call returned by itself (network, time, a child) */
	GT_SPAN_HOWS,
};

struct gt_span {
	uint8_t kind; /* enum gt_span_kind */
	bool found;   /* it lasted when its thread was first seen: begin is that moment */
	bool open;    /* it lasted when the trace ended: end is that moment */
	bool died;    /* its thread ended in it */
	uint32_t thread;
	uint64_t begin, end;
	/* On which it began, as far as it is on any: GT_NO_M, GT_NO_P. */
	uint64_t m, p;
	/* Where it blocked, called or yielded. 0: not known, or it does not apply (RUNNING). */
	uint32_t stack;
	/* String: of a WAIT, and of a RUNNABLE whose thread yielded. */
	uint32_t reason;

	/* WAIT. Its end is also the moment of the unblock in the waker. */
	uint8_t how;          /* see above */
	uint32_t object;      /* what for */
	uint32_t owner;       /* the thread that had the object when the wait began */
	uint32_t waker;       /* the thread that ended it, */
	uint32_t waker_stack; /* and where it was then: the unlock, the signal, ... */
	uint64_t ready;       /* ns from the end until it ran: the RUNNABLE that comes next */
	uint64_t retake; /* a condition: ns at the wait's end, for the mutex that goes with it, */
	uint32_t retake_object, retake_owner; /* which this thread set free */
	bool retakes; /* there was such a wait; with several, retake is their sum */
	/*
	 * From its begin until it ran, end plus ready: ns on a processor by the kernel's count.
	 * counted: the trace says (GTRACE_CPU).
	 */
	uint64_t on_cpu;
	bool counted;

	/* WAIT, SYSCALL and CALL: the call into the kernel that it was. */
	bool named;        /* the trace says which; else the next three are 0 */
	uint64_t call;     /* calls.def */
	uint64_t argument; /* descriptor, child or identifier, plus one; 0: none */
	int64_t result;    /* minus errno if it failed (gt_call_failed in facts.h) */

	uint64_t lost; /* SYSCALL: when its processor was gone; 0: it kept it */

	/*
	 * EVENT: until the next gt_spans_next. Its tables: gt_spans_generation. Besides this there
	 * is only kind, and its time as begin and end.
	 */
	const struct gt_event *event;
};

enum {
	/*
	 * Each event of the merge as well, after the spans that it ended: for samples, counters,
	 * tasks, spins, losses, and for who watches gt_spans_now.
	 */
	GT_SPANS_EVENTS = 1,
};

struct gt_spans;

/* merge stays the caller's, must be at its beginning, and may be closed after the last span. */
struct gt_spans *gt_spans_open(struct gt_merge *merge, unsigned flags);
void gt_spans_close(struct gt_spans *s);
/* 1 and the next span, 0 at the end, -1 with *e after all that could be had. */
int gt_spans_next(struct gt_spans *s, struct gt_span *span, struct gt_error *e);

/* Of what has been read so far: the times of the first and the last event; 0: none. */
uint64_t gt_spans_begin(const struct gt_spans *s);
uint64_t gt_spans_end(const struct gt_spans *s);
/* It holds gtrace's facts, or gtrace's advancer runs in it. */
bool gt_spans_by_gtrace(const struct gt_spans *s);
/* The generation of the last event. */
const struct gt_generation *gt_spans_generation(const struct gt_spans *s);

struct gt_span_thread {
	uint32_t index;
	uint64_t id;             /* its G */
	uint64_t tid;            /* the M that it ran on last; GT_NO_M */
	uint32_t creator;        /* thread; NONE: nobody, or before the trace */
	uint32_t creator_stack;  /* where that was */
	uint32_t routine;        /* string: the outermost function of its first stack, or NONE */
	bool seen;               /* false: an id that only a fact has named */
	bool system;             /* by its routine, the tracer's or the runtime's own; see below */
	uint8_t state;           /* enum gt_go_state; GT_GO_BAD: not yet, or gone */
	uint64_t created, ended; /* ended: 0, it lives */
	const uint32_t *labels;  /* strings: names that it was given, in the order of appearance */
	size_t nlabels;
};

/* The place of an entry is fixed; what it says grows with the trace. */
const struct gt_span_thread *gt_spans_thread(const struct gt_spans *s, uint32_t thread);
uint32_t gt_spans_threads(const struct gt_spans *s);
/* The thread with this id, and the one that was last on this M; GT_SPAN_NONE. */
uint32_t gt_spans_by_id(const struct gt_spans *s, uint64_t g);
uint32_t gt_spans_by_m(const struct gt_spans *s, uint64_t m);
/*
 * One of the tracer's or the Go runtime's own threads, as Go's pages decide it: by its routine, or
 * because no stack was ever seen of it. Final at the end of the trace.
 */
bool gt_spans_is_system(const struct gt_spans *s, uint32_t thread);
/* The span that lasts, as far as it is known; NULL: the thread is not there (yet, any more). */
const struct gt_span *gt_spans_now(const struct gt_spans *s, uint32_t thread);

/* A zero byte follows that is not part of it. size may be NULL. "" for GT_SPAN_NONE. */
const char *gt_spans_string(const struct gt_spans *s, uint32_t string, size_t *size);
uint32_t gt_spans_strings(const struct gt_spans *s);

struct gt_span_frame {
	uint64_t pc;
	uint64_t line; /* 0: not known, as in gtrace's traces before gtrace symbolize */
	uint32_t func; /* strings; "": not known */
	uint32_t file;
};

enum { GT_SPAN_STACKS_HELD = 4 };
/*
 * Innermost frame first. Stack 0 is the empty one. Equal frames make equal indices. The frames are
 * there until so many others have been asked for.
 */
const struct gt_span_frame *gt_spans_stack(const struct gt_spans *s, uint32_t stack,
					   size_t *nframes);
uint32_t gt_spans_stacks(const struct gt_spans *s);
/* The index of a stack, and of a string, that the last event names by its id in the file. */
uint32_t gt_spans_stack_of(struct gt_spans *s, uint64_t id);
uint32_t gt_spans_string_of(struct gt_spans *s, uint64_t id);

/* address and epoch together are the object; one rwlock is two entries, by kind. */
struct gt_span_object {
	uint64_t address;
	uint64_t epoch; /* how often an object was made or destroyed there before */
	uint64_t kind;  /* enum gt_object; others come from a newer writer */
};

const struct gt_span_object *gt_spans_object(const struct gt_spans *s, uint32_t object);
uint32_t gt_spans_objects(const struct gt_spans *s);
