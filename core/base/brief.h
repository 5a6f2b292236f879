/*
 * Brief facts: what an earlier fact of the batch has said is not written again.
 *
 * A batch remembers its last Blocks and Calls, each kind in slots that are filled in turn, the
 * mutex that a Retake named for the condition of a slot, and the G. Wait, Woken, Retaken and Called
 * say the rest. Nothing is written to make that so: the writer (core/brief.h) and who reads
 * (tools/cursor.h) keep the same memory by the functions below, from the start of each batch.
 *
 * Programs do the same again and again, so the memory also has what came after each Call when that
 * was there last. From a Repeating on, which is a Called else, a Call that is just this is not
 * written: the GoSyscallEnd alone says it. Such an end is told by times: its batch begins when that
 * of the facts does, as those of one buffer do, and no fact of a call of its M is later than its
 * GoSyscallBegin and not later than itself. For that an end is later than its beginning, if by a
 * tick only, its own fact is never in a later batch (core/call.c, write_short), and a batch begins
 * later than the sections in the one before it (gt_buf_refill). Where an older gtrace has written a
 * Called, an end may be without for other reasons, and none is told.
 */
#pragma once

#include "base/spec.h"
#include "base/util.h"

enum {
	GT_BRIEF_BITS = 3, /* of an argument that begins with a slot */
	GT_BRIEF_SLOTS = 1 << GT_BRIEF_BITS,
	GT_BRIEF_NONE = GT_BRIEF_SLOTS,
	GT_BRIEF_CALL_BITS = 4, /* the same of Calls, in a Repeating */
	GT_BRIEF_CALLS = 1 << GT_BRIEF_CALL_BITS,
	GT_BRIEF_NO_CALL = GT_BRIEF_CALLS,
};

struct gt_brief {
	uint64_t g;      /* of the last Block or WaitEnd; 0: none yet */
	uint32_t blocks; /* so many there were: the next one has slot blocks % GT_BRIEF_SLOTS */
	uint32_t calls;
	uint32_t wait; /* the slot of the last Block or Wait */
	uint32_t at;   /* the slot of the last Call; GT_BRIEF_NO_CALL: none yet */
	bool repeats;  /* reader: the last one that is written is a Repeating, and says more */
	bool plain;    /* reader: after a Called or Unsaid none does in this batch */
	bool over;     /* reader: the next fact is of another batch */
	struct {
		uint64_t call, arg;
		uint64_t result;    /* of what came after it, */
		uint64_t next;      /* and its slot; GT_BRIEF_NO_CALL: nothing yet */
	} call[GT_BRIEF_CALLS + 1]; /* the last place is that of GT_BRIEF_NO_CALL */
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
	b->at = GT_BRIEF_NO_CALL;
	b->repeats = b->plain = b->over = false;
	b->call[GT_BRIEF_NO_CALL].call = UINT64_MAX;
	b->call[GT_BRIEF_NO_CALL].next = GT_BRIEF_NO_CALL;
}

/* Of so many that were remembered, in so many slots, those that are in use: the first ones. */
GT_INLINE uint32_t gt_brief_used(uint32_t n, uint32_t slots)
{
	return n < slots ? n : slots;
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

/* A Call of that slot. */
GT_INLINE void gt_brief_called(struct gt_brief *b, uint64_t slot, uint64_t result)
{
	if (b->at != GT_BRIEF_NO_CALL) {
		b->call[b->at].next = slot;
		b->call[b->at].result = result;
	}
	b->at = (uint32_t)slot;
}

GT_INLINE void gt_brief_call(struct gt_brief *b, uint64_t call, uint64_t arg, uint64_t result)
{
	const uint32_t slot = b->calls++ % GT_BRIEF_CALLS;

	/* First, since the one before may have had that slot. */
	gt_brief_called(b, slot, result);
	b->call[slot].call = call;
	b->call[slot].arg = arg;
	b->call[slot].next = GT_BRIEF_NO_CALL;
}

/* Whether that is what came after the last Call when that was there before; then it is the last. */
GT_INLINE bool gt_brief_again(struct gt_brief *b, uint64_t call, uint64_t arg, uint64_t result)
{
	const uint64_t next = b->call[b->at].next;

	if (b->call[next].call != call || b->call[next].arg != arg ||
	    b->call[b->at].result != result) {
		return false;
	}
	b->at = (uint32_t)next;
	return true;
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
	const uint64_t first = args[0];
	uint64_t slot = first % GT_BRIEF_SLOTS;

	if (gt_unlikely(b->over)) {
		gt_brief_reset(b);
	}
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
		gt_brief_call(b, args[0], args[1], args[2]);
		b->repeats = false;
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
		/* One of eight slots: the last Call that they would have had there. */
		slot = b->calls - 1 - (b->calls - 1 - slot) % GT_BRIEF_SLOTS;
		slot %= GT_BRIEF_CALLS;
		b->repeats = false;
		b->plain = true;
		*number = GT_FACT_CALL;
		args[0] = b->call[slot].call;
		args[1] = b->call[slot].arg;
		args[2] = first >> GT_BRIEF_BITS;
		return true;
	case GT_FACT_REPEATING:
		slot = first % GT_BRIEF_CALLS;
		if (slot >= b->calls) {
			return false;
		}
		gt_brief_called(b, slot, first >> GT_BRIEF_CALL_BITS);
		b->repeats = !b->plain;
		*number = GT_FACT_CALL;
		args[0] = b->call[slot].call;
		args[1] = b->call[slot].arg;
		args[2] = first >> GT_BRIEF_CALL_BITS;
		return true;
	case GT_FACT_UNSAID:
		b->repeats = false;
		b->plain = true;
		return true;
	default:
		return true;
	}
}

/*
 * The end of a call that has no fact: the arguments of the Call that it stands for. Only after a
 * Repeating: by then something has come after each Call that there was.
 */
GT_INLINE void gt_brief_unwritten(const struct gt_brief *b, uint64_t *args)
{
	const uint64_t next = b->call[b->at].next;

	args[0] = b->call[next].call;
	args[1] = b->call[next].arg;
	args[2] = b->call[b->at].result;
}

/* That Call has been: it is the last one now. */
GT_INLINE void gt_brief_go_on(struct gt_brief *b)
{
	b->at = (uint32_t)b->call[b->at].next;
}
