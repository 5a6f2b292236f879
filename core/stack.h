/*
 * The call stack of the calling thread, as program counters.
 *
 * Called by hooks on any thread of the program and at any moment: under any lock of the program,
 * of its allocator or of the dynamic loader, in signal handlers, on other stacks than the thread's
 * own, in key destructors, with PTHREAD_STACK_MIN of stack. So a walk takes no lock, allocates
 * nothing, makes no system call, has no thread-local state and calls nothing but glibc's
 * _dl_find_object, which promises the same. It needs about 1.5 KiB of stack.
 *
 * Method: what the thread remembers of its last walks (core/seen.h). Else follow the frame
 * pointers (1.5 ns a frame), which is right only where all code on the stack keeps them; code
 * without them makes such a walk skip callers without a trace. So a list found by frame pointers is
 * believed when a walk by call frame information (core/unwind.h, 7 ns a frame) has once given
 * exactly the same list. That verdict is remembered under the list's hash.
 *
 * Why no libunwind: docs/adr, "Own stack walk".
 */
#pragma once

#include "base/util.h"

#include "seen.h"

enum { GT_STACK_MAX = 128 };

/*
 * Where a thread's stack ends for us. The trampoline is our function that calls the start routine
 * (or main). A thread that has none (not created through us) is all zero: it is walked to its end.
 */
struct gt_stack_root {
	uintptr_t lo;     /* lowest address of the thread's stack */
	uintptr_t hi;     /* the trampoline's frame: __builtin_frame_address(0) in it */
	uintptr_t entry;  /* address of the start routine, or of main */
	uintptr_t cut_lo; /* the code of the trampoline: the frame that returns here is the last */
	uintptr_t cut_hi;
};

/* Once, from the library's constructor. */
void gt_stack_init(void);

/* How deep stacks are walked: GTRACE_DEPTH, less where GTRACE_BUDGET says so; 0: not at all. */
extern GT_HIDDEN _Atomic uint32_t gt_stack_depth;

/* What a thread keeps for its walks: its own stack may be small. */
struct gt_walks {
	/* The list of the last one, until the next: in list, in none, or where it was
	 * remembered. */
	const uint64_t *pcs;
	uint64_t hash; /* of the list, the same for the same list only; 0: not known */
	/* Where its id is remembered; NULL: nowhere. Written before the list. */
	struct gt_list_id *id;
	bool truncated;
	/* The list that is the entry alone (gt_thread_walk_none): id leads there, and it is so. */
	struct {
		uint64_t entry;
		struct gt_list_id id;
	} none;
	struct gt_seen_walks memory;
	uint64_t list[GT_STACK_MAX];
	uint64_t scratch[GT_STACK_MAX];
};

/* Slow halves: one that is not remembered; one that is, and was cut. */
GT_NOINLINE unsigned gt_stack_walk_new(const struct gt_stack_root *root, uintptr_t frame,
				       unsigned max, struct gt_walks *walks);
GT_NOINLINE unsigned gt_stack_walk_cut(const struct gt_stack_root *root, const struct gt_seen *seen,
				       unsigned max, struct gt_walks *walks);

/*
 * The stack of the caller of the function whose __builtin_frame_address(0) is frame: innermost
 * first, each the return address - 1, so that it lies in the call instruction (exact where a signal
 * interrupted). At most max (1 to GT_STACK_MAX) entries; at least one for a thread with an entry.
 *
 * The last one lies in the start routine or main: where the walk did not get there (deeper than
 * max, or code that cannot be walked), the entry itself is put last and truncated is set.
 */
GT_INLINE unsigned gt_stack_walk(const struct gt_stack_root *root, void *frame, unsigned max,
				 struct gt_walks *walks)
{
	struct gt_seen *seen;

	max = GT_MIN(max, (unsigned)GT_STACK_MAX);
	seen = gt_seen_find(&walks->memory, (uintptr_t)frame, max);
	if (gt_unlikely(!seen)) {
		return gt_stack_walk_new(root, (uintptr_t)frame, max, walks);
	}
	if (gt_unlikely(!seen->whole)) {
		return gt_stack_walk_cut(root, seen, max, walks);
	}
	walks->id = &seen->id;
	gt_signal_fence();
	walks->hash = seen->hash;
	walks->pcs = seen->word;
	walks->truncated = false;
	return seen->n;
}

/*
 * Drops all that was remembered of code. To be called after each dlclose, and when the executable
 * mappings have changed (gt_symbol_refresh says so): other code may stand at the same addresses. A
 * row that is stale in spite of it gives a wrong stack, never a bad access.
 */
void gt_stack_forget(void);
