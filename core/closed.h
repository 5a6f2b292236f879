/*
 * Code that was there in a generation and is gone at its end, when stacks get their names.
 *
 * Owns a short list of the objects that dlclose has taken away. The hook of dlclose notes them; the
 * advancer asks. Without it what a plugin did before it was closed would have the names of what
 * came to its place.
 */
#pragma once

#include "base/util.h"

struct link_map;

struct gt_closing {
	uintptr_t lo; /* 0: not known */
	uintptr_t hi;
	uintptr_t base;
	char path[256]; /* cut to fit */
};

/* What is about to be closed, which the loader knows. Any thread, no lock. */
void gt_closing_begin(struct gt_closing *c, const struct link_map *map);
/* It was: noted if it has gone. With the thread's guard set. */
void gt_closing_end(const struct gt_closing *c);

/* Whether there are any. */
bool gt_closed_any(void);
/*
 * Advancer, while it writes gen: the object that this pc of this stack of it lay in, if that has
 * gone since; NULL: none.
 */
const struct gt_closing *gt_closed_find(uint64_t gen, uint32_t stack, uint64_t pc);
/* Advancer: gen is written. */
void gt_closed_forget(uint64_t gen);
/* In a child after fork: nothing has gone, and nobody holds the lock. */
void gt_closed_reset(void);
