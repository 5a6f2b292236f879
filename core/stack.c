/*
 * The call stack of the calling thread: frame pointers, or call frame information, cut at the root.
 */
#include "stack.h"

#include <string.h>

#include "base/atomic.h"
#include "loaded.h"
#include "unwind.h"

GT_OFTEN_READ _Atomic uint32_t gt_stack_depth;

/*
 * Verdicts on lists of frame pointers: the list's hash, with bit 0 set where it is the true stack.
 * Each word stands alone: a lost or overwritten one costs a walk, so all accesses are relaxed.
 */
enum { VERDICT_BITS = 12 };
enum verdict { UNKNOWN, WRONG, RIGHT };

static _Atomic uint64_t verdicts[1 << VERDICT_BITS];

/* [start] No walk by frame pointers. */
static bool exact_only;

static enum verdict verdict_of(uint64_t hash)
{
	uint64_t word = gt_load_relaxed(&verdicts[hash >> (64 - VERDICT_BITS)]);

	if (((word ^ hash) & ~1ull) != 0) {
		return UNKNOWN;
	}
	return (word & 1) != 0 ? RIGHT : WRONG;
}

static void verdict_keep(uint64_t hash, bool right)
{
	gt_store_relaxed(&verdicts[hash >> (64 - VERDICT_BITS)], (hash & ~1ull) | right);
}

/*
 * The list that frame pointers give, and its hash. *whole: it ended at the trampoline. Reads only
 * [frame, hi) of the stack that we stand on; each step is upwards, so it ends.
 */
static GT_STACK_READER unsigned walk_frames(const struct gt_stack_root *root, uintptr_t frame,
					    uint64_t *pcs, unsigned max, uint64_t *hash,
					    bool *whole, struct gt_seen *seen)
{
	uint64_t h = 0x9e3779b97f4a7c15;
	unsigned n = 0;

	*whole = false;
	while (n < max) {
		const uintptr_t *f = (const uintptr_t *)frame;
		uintptr_t next = f[0];
		uintptr_t pc = f[1];

		if (seen) {
			gt_seen_note(seen, frame, next, false);
			gt_seen_note(seen, frame + 8, pc, true);
		}
		if (pc - root->cut_lo < root->cut_hi - root->cut_lo) {
			*whole = true;
			break;
		}
		pcs[n++] = pc - 1;
		h = (h ^ pc) * 0xff51afd7ed558ccd;
		h ^= h >> 32;
		if (next == root->hi) {
			/* The last of ours keeps no frame pointer: its rbp is the trampoline's. */
			*whole = true;
			break;
		}
		if (next <= frame || next > root->hi - 16 || next % 8 != 0) {
			break;
		}
		frame = next;
	}
	/* The last multiplication's high bits choose the verdict's place. */
	*hash = (h ^ *whole) * 0x9e3779b97f4a7c15;
	return n;
}

/* Puts the entry last where the walk did not reach the trampoline. hash: of what it found, or 0. */
static unsigned finish(const struct gt_stack_root *root, struct gt_walks *walks, unsigned n,
		       unsigned max, bool whole, uint64_t hash)
{
	walks->truncated = !whole;
	if (!whole && root->entry != 0) {
		n = GT_MIN(n, max - 1);
		walks->list[n++] = root->entry;
	}
	if (!whole && hash != 0) {
		/* What it found may be more than what is in the list: never less. */
		hash = gt_seen_hash_and(hash, root->entry, n);
	}
	walks->hash = hash;
	return n;
}

/* The list that nobody has judged yet. pcs is the list of frame pointers, and becomes the true one.
 */
static GT_NOINLINE unsigned judge(const struct gt_stack_root *root, uintptr_t frame, uint64_t *pcs,
				  unsigned n, unsigned max, uint64_t hash, bool *whole,
				  uint64_t *exact)
{
	bool exact_whole;
	unsigned nexact = gt_unwind_walk(root, frame, exact, max, &exact_whole, NULL);

	verdict_keep(hash, n == nexact && *whole == exact_whole &&
				   memcmp(pcs, exact, n * sizeof(*pcs)) == 0);
	memcpy(pcs, exact, nexact * sizeof(*pcs));
	*whole = exact_whole;
	return nexact;
}

unsigned gt_stack_walk_new(const struct gt_stack_root *root, uintptr_t frame, unsigned max,
			   struct gt_walks *walks)
{
	bool known = frame >= root->lo && frame < root->hi && root->hi - frame >= 16;
	/* Only of a stack whose bounds are known: beyond them, what was there may be gone. */
	struct gt_seen *seen = known ? gt_seen_begin(&walks->memory, frame) : NULL;
	uint64_t *pcs = walks->list;
	uint64_t hash = 0;
	bool right = false;
	bool whole = false;
	unsigned n = 0;

	walks->id = NULL;
	gt_signal_fence();
	walks->pcs = pcs;
	/* On another stack (a signal's, a coroutine's) nothing bounds a walk by frame pointers. */
	if (gt_likely(known && !exact_only)) {
		n = walk_frames(root, frame, pcs, max, &hash, &whole, seen);
		if (gt_unlikely(!gt_unwind_ready())) {
			/* Nobody to ask: the caller is certain, the rest if it led to the end. */
			n = whole || n == max ? n : GT_MIN(n, 1);
			right = true;
		} else {
			enum verdict verdict = whole || n == max ? verdict_of(hash) : WRONG;

			if (verdict == UNKNOWN) {
				n = judge(root, frame, pcs, n, max, hash, &whole, walks->scratch);
				return finish(root, walks, n, max, whole, 0);
			}
			right = verdict == RIGHT;
		}
	}
	if (!right) {
		if (seen) {
			gt_seen_again(seen);
		}
		n = gt_unwind_walk(root, frame, pcs, max, &whole, seen);
		hash = gt_seen_hash(pcs, n);
	}
	if (seen && !(whole && n == max)) {
		gt_seen_settle(seen, n, max, whole, hash);
		walks->id = whole ? &seen->id : NULL;
	}
	return finish(root, walks, n, max, whole, hash);
}

unsigned gt_stack_walk_cut(const struct gt_stack_root *root, const struct gt_seen *seen,
			   unsigned max, struct gt_walks *walks)
{
	walks->id = NULL;
	gt_signal_fence();
	memcpy(walks->list, seen->word, seen->n * sizeof(*walks->list));
	walks->pcs = walks->list;
	return finish(root, walks, seen->n, max, false, seen->hash);
}

void gt_stack_init(void)
{
	gt_unwind_init();
	/*
	 * Where rbp is no frame pointer, what it leads to may never have been written. That does no
	 * harm but under a checker, which would put it down to the program.
	 */
	exact_only = gt_unwind_ready() && gt_loaded_valgrind();
}

void gt_stack_forget(void)
{
	for (size_t i = 0; i < GT_LEN(verdicts); i++) {
		gt_store_relaxed(&verdicts[i], 0);
	}
	gt_unwind_forget();
}
