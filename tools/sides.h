/*
 * The generations of a trace judged side by side, by several threads. For cmd_verify.c.
 */
#pragma once

#include "facts.h"
#include "merge.h"

/* What verify tells of a good trace. */
struct gt_tally {
	uint64_t generations, gs;
	uint64_t unread;       /* batches of facts */
	struct gt_count count; /* of all events that Go's reader gives for something in the file */
	struct gt_idmap seen;  /* Gs */
	struct gt_broken_offs broken;
};

void gt_tally_fini(struct gt_tally *t);
void gt_tally_event(struct gt_tally *t, const struct gt_event *ev);

/*
 * Judges the trace at path with that many threads; flags are those of merge.h. True: it is valid as
 * a whole, and so is each generation alone; the tally is filled. False: something is wrong with it,
 * or cannot be judged so: read it again, one generation after the other.
 */
bool gt_sides_verify(const char *path, unsigned flags, unsigned jobs, struct gt_tally *t);
