/*
 * The stack walk by call frame information, for core/stack.c.
 *
 * Owns a fixed, lossy table from places of the code to their rows (core/cfi.h), filled as the
 * places are met. What stack.h says of its callers and of what a walk may do holds here.
 *
 * Objects of the loader are found by _dl_find_object (glibc 2.35): lock-free, and right at any
 * moment, also inside dlopen and dlclose of other threads. An object whose code is on our stack
 * cannot go away while we read its tables. Before glibc 2.35 only the objects that were there at
 * the start are known; these are never unloaded. Code of later ones, and code that has no tables
 * at all (compiled at run time), is passed by frame pointer, and believed only if that leads to
 * the trampoline.
 *
 * x86-64 only. Elsewhere gt_unwind_ready says no: aarch64's ABI asks all code for frame pointers.
 */
#pragma once

#include "base/util.h"

#include "seen.h"

struct gt_stack_root;

void gt_unwind_init(void);
/* The same as before glibc 2.35, for tests. */
void gt_unwind_init_snapshot(void);
bool gt_unwind_ready(void);
/* Whether code that is loaded later is found, too. */
bool gt_unwind_lock_free(void);
void gt_unwind_forget(void);
/*
 * The bounds of the object around this address, and the loader's description of it, if it can be
 * found at any time (as above).
 */
struct link_map;
bool gt_unwind_object(uintptr_t address, uintptr_t *lo, uintptr_t *hi, const struct link_map **map);
/*
 * As gt_stack_walk, but nothing is put last. *whole: it ended at the trampoline. seen: where it is
 * noted (gt_seen_begin), for a frame on a stack whose bounds are known; NULL: nowhere.
 */
unsigned gt_unwind_walk(const struct gt_stack_root *root, uintptr_t frame, uint64_t *pcs,
			unsigned max, bool *whole, struct gt_seen *seen);
