/*
 * Strict rules about what surrounds the events: stacks, clocks and facts. For merge.c.
 */
#pragma once

#include "cursor.h"

__extension__ typedef __int128 gt_i128; /* seconds * 10^9 of a wall clock that may be any number */

/* What the generation before said. */
struct gt_strict_clock {
	bool known;
	uint64_t frequency;
	uint64_t time, mono;
	gt_i128 wall; /* ns */
};

/* Each: 0, or -1 with *e. */
int gt_strict_clock(struct gt_strict_clock *last, const struct gt_generation *g, unsigned version,
		    bool ours, struct gt_error *e);
int gt_strict_stack(const struct gt_generation *g, struct gt_stack *s, struct gt_error *e);
/* late: no event of its M comes after it, where gtrace promises that one does. */
int gt_strict_fact(const struct gt_generation *g, const struct gt_event *ev, bool late,
		   struct gt_error *e);
