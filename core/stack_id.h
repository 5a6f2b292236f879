/*
 * Stacks in events: the walk of the calling thread, and the id that its list has in the generation
 * of a section.
 */
#pragma once

#include "emit.h"

/* Walks the calling thread's stack (t->walks): at most max of its GTRACE_DEPTH, at least its entry.
 */
GT_INLINE unsigned gt_thread_walk(struct gt_thread *t, void *frame, unsigned max)
{
	unsigned depth = gt_load_relaxed(&gt_stack_depth);
	unsigned n = 0;

	if (gt_likely(depth) && gt_likely(frame)) {
		n = gt_stack_walk(&t->root, frame, GT_MIN(depth, max), &t->walks);
		if (gt_unlikely(t->walks.truncated)) {
			gt_loss_add(GT_LOSS_STACK_TRUNCATED);
		}
	}
	return gt_likely(n) ? n : gt_thread_walk_none(t);
}

/* The id of a stack in this section's generation; of a string. */
GT_INLINE struct gt_arg_stack gt_stack_put(struct gt_w *w, const uint64_t *pcs, unsigned n)
{
	uint32_t id;

	if (!w->b || n == 0) {
		return gt_stack(0);
	}
	id = gt_table_put(&gt_trace->stacks[w->parity], pcs, n * sizeof(*pcs));
	if (gt_unlikely(!id)) {
		gt_loss_add(GT_LOSS_TABLE_FULL);
	}
	return gt_stack(id);
}

/*
 * The id of a list with that hash, which this thread has put in this generation; 0: it has not, or
 * has forgotten. Two are remembered where hashes meet.
 */
GT_INLINE uint32_t gt_stack_known(const struct gt_thread *t, uint64_t gen, uint64_t hash)
{
	const struct gt_known_stack *k = &t->known[hash >> 32 & (GT_KNOWN_STACKS - 2)];

	k += k->hash != hash;
	return k->hash == hash && gt_likely(k->gen == (uint32_t)gen) && hash ? k->id : 0;
}

/* Slow: the same for one that is not known yet. */
GT_NOINLINE uint32_t gt_stack_learn(struct gt_thread *t, uint64_t gen, uint64_t hash,
				    const uint64_t *pcs, unsigned n);

/* The same for a list whose hash is known (gt_walks.hash): most were there a moment before. */
GT_INLINE struct gt_arg_stack gt_stack_put_known(struct gt_w *w, uint64_t hash, const uint64_t *pcs,
						 unsigned n)
{
	uint32_t id = gt_stack_known(w->t, w->gen, hash);

	if (gt_unlikely(!id) && w->b) {
		id = gt_stack_learn(w->t, w->gen, hash, pcs, n);
	}
	return gt_stack(id);
}

/* Of the stack that t has walked last, in a generation that there is, and where it is known without
 * asking others; false. */
GT_INLINE bool gt_stack_walked_id(const struct gt_thread *t, uint64_t gen, uint32_t *id)
{
	const struct gt_list_id *known = t->walks.id;

	if (gt_likely(known != NULL)) {
		*id = known->id;
		return gt_likely(known->gen == (uint32_t)gen);
	}
	*id = gt_stack_known(t, gen, t->walks.hash);
	return *id != 0;
}

/* The stack that the section's own thread has walked last. */
GT_INLINE struct gt_arg_stack gt_stack_put_walked(struct gt_w *w, unsigned n)
{
	struct gt_walks *walks = &w->t->walks;
	struct gt_list_id *known = walks->id;
	struct gt_arg_stack stack;

	if (gt_likely(known != NULL) && gt_likely(known->gen == (uint32_t)w->gen)) {
		return gt_stack(known->id);
	}
	stack = gt_stack_put_known(w, walks->hash, walks->pcs, n);
	if (known && stack.v) {
		/* A handler may jump out of here: the generation is there when the rest is. */
		known->gen = 0;
		gt_signal_fence();
		known->id = (uint32_t)stack.v;
		gt_signal_fence();
		known->gen = (uint32_t)w->gen;
	}
	return stack;
}
