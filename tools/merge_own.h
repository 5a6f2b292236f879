/*
 * The insides of a merge. For merge.c and merge_skim.c alone.
 */
#pragma once

#include "frontier.h"
#include "merge.h"
#include "order.h"
#include "refs.h"
#include "strict.h"

/* One M in a generation. */
struct gt_lane {
	struct gt_m *m;    /* of the order */
	int64_t fact_time; /* of the next fact; INT64_MAX if there is none */
	/* Of the last GoSyscallBegin, and of the last Call that was taken; INT64_MIN: none yet. */
	int64_t begin_time, call_time;
	/* The times with which the batches begin that the last event and the last fact stand in:
	 * those of one buffer have the same. */
	uint64_t event_batch, fact_batch;
	/* Each has looked at its next event; its batch is NULL where there is none. */
	struct gt_cursor events, facts;
};

struct gt_merge {
	struct gt_reader *reader;
	struct gt_generation *generation;
	struct gt_order order;
	struct gt_strict_clock clock;
	unsigned flags;
	bool ended;
	bool cut; /* as in the generation */
	uint64_t complete;
	uint64_t unread; /* batches of facts left before their end */
	uint64_t last;   /* time of the last event returned */

	struct gt_lane *lanes;
	size_t nlanes, lanes_cap;
	struct gt_brief *briefs; /* of the streams of facts */
	size_t briefs_cap;
	struct gt_frontier frontier; /* ids are places in lanes */
	size_t sample;               /* next one */

	bool beside;        /* something comes before the next event of an M: see beside() */
	bool over;          /* the generation has no more events of Ms */
	bool pausing;       /* it was delivered to its end */
	bool tried_all;     /* since the last event that happened, the parked ones too */
	unsigned out, nout; /* of order.out, what is still to be given */
	/* Facts that come before what is in order.out: those of this lane up to this time. */
	struct gt_lane *facts_of;
	int64_t facts_until;
	bool facts_begin;  /* it is a beginning: no Call of that time */
	bool facts_end;    /* it is a GoSyscallEnd: its Call, if that is not written */
	size_t facts_lane; /* at the generation's end: all lanes from this one */

	struct gt_refs refs;
	struct gt_event event, fact; /* the last of an M, the last fact */
	struct gt_event extra;       /* the last Sync or sample */
};

/* A call has these at its beginning, and others at its end. */
GT_INLINE bool gt_merge_is_begin(unsigned number)
{
	return number == GT_EV_GO_SYSCALL_BEGIN || number == GT_EV_GO_BLOCK ||
	       number == GT_EV_PROC_STOP;
}

/* What stands in a file where such a call has ended. */
GT_INLINE bool gt_merge_is_call(unsigned fact)
{
	return fact == GT_FACT_CALL || fact == GT_FACT_REPEATING || fact == GT_FACT_DIFFERING;
}

/*
 * Whether the end of a call that is next in the lane, the facts up to it having been taken, has one
 * that is not written (base/brief.h). Not where the file ends before the generation does: what the
 * last events had may be what is cut off.
 */
GT_INLINE bool gt_lane_repeats(const struct gt_lane *lane)
{
	const struct gt_brief *said = lane->facts.facts;

	return said != NULL && gt_brief_repeats(said) && lane->event_batch == lane->fact_batch &&
	       lane->call_time <= lane->begin_time && !lane->events.generation->cut;
}

/* The next fact of the lane, the one before having been taken: > 0, 0 if there is none, -1. */
GT_INLINE int gt_lane_fact(struct gt_lane *lane, struct gt_error *e)
{
	const int n = gt_cursor_look(&lane->facts, e);

	lane->fact_time = n > 0 ? (int64_t)lane->facts.time : INT64_MAX;
	return n;
}

/* The first of the frontier has happened; on to the next event of its M: 1, or -1 with *e. */
GT_INLINE int gt_merge_follow(struct gt_merge *t, struct gt_lane *lane, struct gt_error *e)
{
	const int n = gt_cursor_look(&lane->events, e);

	if (gt_likely(n > 0)) {
		gt_frontier_replace(&t->frontier, lane->events.time);
	} else if (n == 0) {
		gt_frontier_pop(&t->frontier);
	}
	return n < 0 ? -1 : 1;
}

/* Something has happened: who waits for what that has changed may try again. */
GT_INLINE void gt_merge_wake(struct gt_merge *t)
{
	for (unsigned i = 0; gt_unlikely(t->frontier.nparked > 0) && i < t->order.nchanged; i++) {
		const struct gt_key changed = t->order.changed[i];

		gt_frontier_unpark(&t->frontier, changed, gt_order_next_seq(&t->order, changed));
	}
}

/* merge_skim.c: gt_merge_skim without the event that is given: 1, or -1 with *e. */
int gt_merge_pass(struct gt_merge *t, struct gt_count *count, struct gt_error *e);
