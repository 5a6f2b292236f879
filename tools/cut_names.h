/*
 * Names of threads (GoLabel) that were given before the part of a trace begins: each is said again
 * when its G runs there first. For cut.c.
 */
#pragma once

#include "cut_keep.h"

struct gt_names {
	struct gt_idmap gs; /* G -> its last name, as long as that is to be said */
};

/* An event before the part. */
void gt_names_note(struct gt_names *n, const struct gt_generation *g, const struct gt_replayed *ev);
/* Those of who runs now and has been listed. */
void gt_names_of_running(struct gt_names *n, const struct gt_keep *keep, struct gt_replay *r,
			 struct gt_compose *to, uint64_t ticks);
/* An event that has just been written, or what is left of it. */
void gt_names_put(struct gt_names *n, const struct gt_keep *keep, struct gt_compose *to,
		  const struct gt_replayed *ev);
void gt_names_fini(struct gt_names *n);
