/*
 * A trace in another version of the format, for readers that know only that. For cmd_convert.c.
 *
 * 1.26, 1.25 and 1.23 differ in what stands around the events: batches are copied as they are.
 * 1.22 has fewer events; what it lacks is said in its own where that can be, and left out where
 * not.
 */
#pragma once

#include <stdio.h>

#include "again.h"
#include "error.h"

/* What the result has no place for. */
struct gt_convert_lost {
	uint64_t snapshots; /* clocks of a generation: not before 1.25 */
	/* The rest: 1.22 alone. */
	uint64_t facts;    /* of gtrace */
	uint64_t batches;  /* other experimental ones */
	uint64_t events;   /* of an experiment */
	uint64_t stacks;   /* of statuses: where a G was at the beginning of a generation */
	uint64_t switches; /* GoSwitch and GoSwitchDestroy: they have become three events */
	uint64_t blocked;  /* GoCreateBlocked: the G is runnable until it is unblocked */
	uint64_t made;     /* snapshots that were made up: the trace clock stands for all */
};

/*
 * version: 22, 23, 25 or 26. 0, or -1 with *e. A truncated trace is converted as far as it is
 * whole: 1 with *e.
 */
int gt_convert(const struct gt_again *file, unsigned version, FILE *out,
	       struct gt_convert_lost *lost, struct gt_error *e);
