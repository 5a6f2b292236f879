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

struct gt_stack_root;

/*
 * What a walk has read of the stack, and found. A walk is a function of the frame that it begins at
 * and of the words that it reads from there upwards; where they are the same again, so is the list.
 * To look is a load and a comparison a word, and none of the places of the code is looked up.
 */
enum { GT_SEEN_WORDS = 64, GT_SEEN_SETS = 4, GT_SEEN_WAYS = 4 };

struct gt_seen {
	uintptr_t frame;
	uint32_t forgets; /* how often all was forgotten by then */
	uint16_t words;   /* more than there is room for: cannot be kept */
	uint16_t n;       /* of the list */
	bool whole;
	uint64_t hash;              /* of the list */
	uint32_t at[GT_SEEN_WORDS]; /* bytes above frame; bit 0: a return address of the list */
	uint64_t word[GT_SEEN_WORDS];
};

/* The walks that a thread remembers, by where they began and by the first return address. */
struct gt_seen_walks {
	uint64_t key[GT_SEEN_SETS][GT_SEEN_WAYS]; /* 0: none */
	uint8_t next[GT_SEEN_SETS];               /* the way that is overwritten next */
	struct gt_seen walk[GT_SEEN_SETS][GT_SEEN_WAYS];
};

/* Reads other functions' frames, which AddressSanitizer may have poisoned. */
#define GT_STACK_READER __attribute__((no_sanitize("address")))

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
/* As gt_stack_walk, but nothing is put last. *whole: it ended at the trampoline. */
unsigned gt_unwind_walk(const struct gt_stack_root *root, uintptr_t frame, uint64_t *pcs,
			unsigned max, bool *whole);
/* The same by the thread that owns seen. *hash: of the list, never 0; 0: not known. */
unsigned gt_unwind_walk_again(const struct gt_stack_root *root, uintptr_t frame, uint64_t *pcs,
			      unsigned max, bool *whole, uint64_t *hash,
			      struct gt_seen_walks *seen);
