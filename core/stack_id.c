/*
 * Ids of stacks that a thread has not put in this generation yet, or has forgotten.
 */
#include "stack_id.h"

static void remember(struct gt_known_stack *k, const struct gt_known_stack *from)
{
	/* A handler may jump out of here: the hash is there when the rest is. */
	k->hash = 0;
	gt_signal_fence();
	k->gen = from->gen;
	k->id = from->id;
	gt_signal_fence();
	k->hash = from->hash;
}

uint32_t gt_stack_learn(struct gt_thread *t, uint64_t gen, uint64_t hash, const uint64_t *pcs,
			unsigned n)
{
	struct gt_known_stack *k = &t->known[hash >> 32 & (GT_KNOWN_STACKS - 2)];
	struct gt_known_stack mine = {.hash = hash, .gen = (uint32_t)gen};

	if (n == 0) {
		return 0;
	}
	mine.id = gt_table_put(&gt_trace->stacks[gen & 1], pcs, n * sizeof(*pcs));
	if (!mine.id) {
		gt_loss_add(GT_LOSS_TABLE_FULL);
	} else if (hash) {
		/* The one that was there last stays; of the same list in an old generation not. */
		if (k->hash != hash) {
			remember(k + 1, k);
		}
		remember(k, &mine);
	}
	return mine.id;
}
