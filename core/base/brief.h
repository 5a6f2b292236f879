/*
 * Brief facts: what an earlier fact of the batch has said is not written again.
 *
 * A batch remembers its last Blocks and Calls, each kind in slots that are filled in turn, the
 * mutex that a Retake named for the condition of a slot, and the G. Wait, Woken, Retaken and Called
 * say the rest. Nothing is written to make that so: the writer (core/brief.h) and who reads
 * (tools/cursor.h) keep the same memory by the functions below, from the start of each batch.
 */
#pragma once

#include "base/spec.h"
#include "base/util.h"

enum {
	GT_BRIEF_BITS = 3, /* of an argument that begins with a slot */
	GT_BRIEF_SLOTS = 1 << GT_BRIEF_BITS,
	GT_BRIEF_NONE = GT_BRIEF_SLOTS,
};

struct gt_brief {
	uint64_t g;      /* of the last Block or WaitEnd; 0: none yet */
	uint32_t blocks; /* so many there were: the next one has slot blocks % GT_BRIEF_SLOTS */
	uint32_t calls;
	uint32_t wait; /* the slot of the last Block or Wait */
	struct {
		uint64_t call, arg;
	} call[GT_BRIEF_SLOTS];
	struct {
		uint64_t object, epoch, kind;
		uint64_t mutex; /* 0: no Retake named one */
	} block[GT_BRIEF_SLOTS];
};

/* A batch begins. */
GT_INLINE void gt_brief_reset(struct gt_brief *b)
{
	b->g = 0;
	b->blocks = b->calls = 0;
	b->wait = GT_BRIEF_NONE;
}

/* Of so many that were remembered, those whose slots are in use: the first ones. */
GT_INLINE uint32_t gt_brief_used(uint32_t n)
{
	return n < GT_BRIEF_SLOTS ? n : GT_BRIEF_SLOTS;
}

/* --- What each fact leaves in the memory ------------------------------------------------------ */

GT_INLINE void gt_brief_block(struct gt_brief *b, uint64_t g, uint64_t object, uint64_t epoch,
			      uint64_t kind)
{
	b->g = g;
	b->wait = b->blocks++ % GT_BRIEF_SLOTS;
	b->block[b->wait].object = object;
	b->block[b->wait].epoch = epoch;
	b->block[b->wait].kind = kind;
	b->block[b->wait].mutex = 0;
}

GT_INLINE void gt_brief_retake(struct gt_brief *b, uint64_t mutex)
{
	if (b->wait != GT_BRIEF_NONE) {
		b->block[b->wait].mutex = mutex;
	}
}

GT_INLINE void gt_brief_call(struct gt_brief *b, uint64_t call, uint64_t arg)
{
	const uint32_t slot = b->calls++ % GT_BRIEF_SLOTS;

	b->call[slot].call = call;
	b->call[slot].arg = arg;
}

/* --- Owners ----------------------------------------------------------------------------------- */

/* The owner of a Wait that M m writes: tids of threads that meet are near each other. */
GT_INLINE uint64_t gt_brief_owner(uint64_t m, uint64_t owner)
{
	return owner ? gt_zigzag((int64_t)(owner - m)) + 1 : 0;
}

GT_INLINE uint64_t gt_brief_owner_of(uint64_t m, uint64_t said)
{
	return said ? m + (uint64_t)gt_unzigzag(said - 1) : 0;
}

/* --- Reading ---------------------------------------------------------------------------------- */

/*
 * The next fact of M m's batch: remembered, and made the one that it stands for; args has five
 * places. False: what it is to repeat has not been said in this batch.
 */
GT_INLINE bool gt_brief_read(struct gt_brief *b, uint64_t m, uint8_t *number, uint64_t *args)
{
	const uint64_t first = args[0], slot = first % GT_BRIEF_SLOTS;

	switch (*number) {
	case GT_FACT_BLOCK:
		gt_brief_block(b, args[0], args[1], args[2], args[3]);
		return true;
	case GT_FACT_WAIT_END:
		b->g = args[0];
		return true;
	case GT_FACT_RETAKE:
		gt_brief_retake(b, args[1]);
		return true;
	case GT_FACT_CALL:
		gt_brief_call(b, args[0], args[1]);
		return true;
	case GT_FACT_WAIT:
		if (slot >= b->blocks) {
			return false;
		}
		b->wait = (uint32_t)slot;
		*number = GT_FACT_BLOCK;
		args[0] = b->g;
		args[1] = b->block[slot].object;
		args[2] = b->block[slot].epoch;
		args[3] = b->block[slot].kind;
		args[4] = gt_brief_owner_of(m, first >> GT_BRIEF_BITS);
		return true;
	case GT_FACT_WOKEN:
		*number = GT_FACT_WAIT_END;
		args[0] = b->g;
		args[1] = GT_ENDED_WAKER;
		args[2] = 0;
		args[3] = first;
		return b->g != 0;
	case GT_FACT_RETAKEN:
		if (b->wait == GT_BRIEF_NONE || b->block[b->wait].mutex == 0) {
			return false;
		}
		*number = GT_FACT_RETAKE;
		args[3] = args[1];
		args[2] = first;
		args[1] = b->block[b->wait].mutex;
		args[0] = b->g;
		return true;
	case GT_FACT_CALLED:
		if (slot >= b->calls) {
			return false;
		}
		*number = GT_FACT_CALL;
		args[0] = b->call[slot].call;
		args[1] = b->call[slot].arg;
		args[2] = first >> GT_BRIEF_BITS;
		return true;
	default:
		return true;
	}
}
