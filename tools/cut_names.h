/*
 * Names of threads (GoLabel) that were given before the part of a trace begins: each is said again
 * when its G runs there first. For cut.c.
 */
#pragma once

#include "cut_keep.h"

struct gt_names {
	struct gt_idmap gs; /* G -> its last name (struct gt_text), as long as it is to be said */
};

/* An event before the part. */
void gt_names_note(struct gt_names *n, const struct gt_generation *g, const struct gt_replayed *ev);
/* The part begins: of those who run, to be said at once. */
void gt_names_begin(struct gt_names *n, const struct gt_keep *keep, struct gt_replay *r,
		    struct gt_compose *to, uint64_t ticks);
/* An event that has just been written. */
void gt_names_put(struct gt_names *n, struct gt_compose *to, const struct gt_replayed *ev);
void gt_names_fini(struct gt_names *n);
