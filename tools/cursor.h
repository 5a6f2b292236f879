/*
 * A cursor: the events of one stream (all batches of one M in a generation), one after another.
 *
 * It decodes by the table (base/spec.h) and computes times as Go's reader does. Whether an event
 * may happen is decided by order.h.
 */
#pragma once

#include "base/brief.h"
#include "base/spec.h"
#include "reader.h"

#define GT_NO_G UINT64_MAX
#define GT_NO_P GT_WIRE_NO_P
#define GT_NO_M GT_WIRE_NO_M

enum { GT_EVENT_ARGS = 5 }; /* no row of the table has more: cursor.c asserts it */

/*
 * An event. `kind` says by which table `number` is to be read: GT_TIMED and GT_ALLOC are enum
 * gt_ev, GT_FACT is enum gt_fact. Two numbers of kind GT_STRUCT come out of merge.h: GT_EV_SYNC (a
 * generation begins) and GT_EV_CPU_SAMPLE (args[0] is the stack).
 */
struct gt_event {
	uint8_t number;
	uint8_t kind;  /* enum gt_kind */
	bool implied;  /* not in the file: part of a GoSwitch or GoDestroySyscall (see order.h) */
	uint8_t was;   /* statuses: the state before, enum gt_was; ProcSteal: enum gt_proc_state */
	uint64_t time; /* ns; strictly growing when it comes out of merge.h */
	uint64_t args[GT_EVENT_ARGS]; /* in the order of the table; names in the event's gt_spec */
	/*
	 * Where and by whom: the context *before* the event; GT_NO_M, GT_NO_P, GT_NO_G if none. A
	 * GoUnblock that gtrace posted late stands in its waker's M where no G may run any more:
	 * the waker is then the last G of that M, or better, the one that the fact WaitEnd names.
	 */
	uint64_t m, p, g;
	/* Of the event in the file. A Call that is not there (base/brief.h, Repeating) has that of
	 * its GoSyscallEnd. */
	uint64_t offset;
};

enum gt_was {
	GT_WAS_UNDETERMINED, /* first mention in the first generation: nothing is known before */
	GT_WAS_NOT_EXIST,
	GT_WAS_RUNNABLE,
	GT_WAS_RUNNING,
	GT_WAS_SYSCALL,
	GT_WAS_WAITING,
	GT_WAS_IDLE, /* Ps only */
};

/* The row of the table for an event. */
GT_INLINE const struct gt_spec *gt_event_spec(const struct gt_event *ev)
{
	return ev->kind == GT_FACT ? gt_spec_fact(ev->number) : gt_spec_event(ev->number);
}

/* "GoStart g=1 g_seq=2" */
void gt_event_text(const struct gt_event *ev, char *text, size_t size);

/* An argument by its name in the table, for where speed does not count. */
uint64_t gt_event_arg(const struct gt_event *ev, const char *name);

/*
 * The next event is found in two steps, because who waits for its turn needs no more of it than
 * its time.
 */
struct gt_cursor {
	const struct gt_generation *generation;
	const struct gt_batch *batch; /* NULL at the end */
	const uint8_t *at;            /* the event that gt_cursor_look has found: its type, */
	const uint8_t *args;          /* and what follows its time */
	uint64_t time;                /* ns: its own; before the first look, of the batch */
	const uint8_t *next;          /* where gt_cursor_look goes on */
	const uint8_t *end;           /* of the batch */
	const uint8_t *safe;          /* an event that begins before it can be read without asking
				       * where the file's bytes end; it may seem to end behind `end` */
	uint64_t m;
	/*
	 * The stream holds gtrace's facts: what the batch has said. Brief ones come out as what
	 * they stand for (base/brief.h); what stands in the file is at `at`. NULL: events.
	 */
	struct gt_brief *facts;
	/*
	 * Batches that were left where a fact begins that is not in the table: a newer gtrace wrote
	 * it, and how long it is cannot be known. NULL: that is an error.
	 */
	uint64_t *unread;
};

/* facts: memory for a stream of facts, the caller's until he is done; NULL for one of events. */
void gt_cursor_init(struct gt_cursor *c, const struct gt_generation *g, const struct gt_stream *s,
		    struct gt_brief *facts);
/* The facts of a generation in nobody's name: what holds for all of it. It may have none. */
void gt_cursor_init_common(struct gt_cursor *c, const struct gt_generation *g,
			   struct gt_brief *facts);
/* Goes to the next event, behind the one that was taken: 1, 0 at the end, -1 with *e. */
int gt_cursor_look(struct gt_cursor *c, struct gt_error *e);
/*
 * That event without its context (m is the stream's): 1, or -1 with *e. It can be taken again,
 * until the next look; a fact only once.
 */
int gt_cursor_take(struct gt_cursor *c, struct gt_event *ev, struct gt_error *e);
/* Both. */
int gt_cursor_next(struct gt_cursor *c, struct gt_event *ev, struct gt_error *e);
