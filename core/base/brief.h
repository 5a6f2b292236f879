/*
 * Brief facts: what an earlier fact of the batch has said is not written again.
 *
 * A batch remembers its last Blocks and Calls, each kind in slots, the mutex that a Retake named
 * for the condition of a slot, and the G. Wait, Woken, Retaken, Repeating and Differing say the
 * rest. Nothing is written to make that so: the writer (core/brief.h) and who reads
 * (tools/cursor.h) keep the same memory by the functions below, from the start of each batch.
 *
 * The slot of a Call is that of its number and result, and has its last argument. A server does the
 * same for each connection, with another descriptor: so a slot also notes, from the last fact of a
 * call that came next, its slot, and which slot had its argument before. From a Repeating or
 * Differing on, a Call that is just this is not written: the GoSyscallEnd alone says it.
 * Such an end is told by times: its batch begins when that of the facts does, as those of one
 * buffer do, and no fact of a call of its M is later than its GoSyscallBegin and not later than
 * itself. For that an end is later than its beginning, if by a tick only, its own fact is never in
 * a later batch (core/call.c, write_short and write_at_once), and a batch begins later than the
 * sections in the one before it (gt_buf_refill).
 */
#pragma once

#include "base/spec.h"
#include "base/util.h"

enum {
	GT_BRIEF_BITS = 3, /* of an argument that begins with a slot */
	GT_BRIEF_SLOTS = 1 << GT_BRIEF_BITS,
	GT_BRIEF_NONE = GT_BRIEF_SLOTS,
	GT_BRIEF_CALL_BITS = 4, /* the same of Calls */
	GT_BRIEF_CALLS = 1 << GT_BRIEF_CALL_BITS,
	GT_BRIEF_NO_CALL = GT_BRIEF_CALLS,
	GT_BRIEF_NUMBER_BITS = 16, /* of the number of a Call, beside its result */
};

/* The number and the result of a Call in one word; where they do not fit, there is none. */
#define GT_BRIEF_UNFIT UINT64_MAX
/* What a slot has then, and one that is not there: nobody asks for that. */
#define GT_BRIEF_NOBODY (UINT64_MAX - 1)

/* A line's half: most of what a call that goes on as before looks at is in the slot that it has. */
struct gt_brief_slot {
	uint64_t done;
	uint64_t arg;
	/* Which one came next (GT_BRIEF_NO_CALL: none yet), and which had its argument before (0:
	 * none came). */
	uint32_t next, from;
	bool came; /* writer: it has come again */
};
_Static_assert(sizeof(struct gt_brief_slot) == 32, "two of them fill a line");

struct gt_brief {
	uint64_t g;       /* of the last Block or WaitEnd; 0: none yet */
	uint32_t blocks;  /* so many there were: the next one has slot blocks % GT_BRIEF_SLOTS */
	uint32_t calls;   /* the same of Calls that are in full */
	uint32_t wait;    /* the slot of the last Block or Wait */
	uint32_t strange; /* writer: so many Calls found no slot */
	uint32_t at;      /* the slot of the last Call; GT_BRIEF_NO_CALL: none yet */
	bool repeats;     /* reader: the last one that is written says more than itself */
	bool plain;       /* reader: after an Unsaid none does in this batch */
	bool over;        /* reader: the next fact is of another batch */
	/* The last place is that of GT_BRIEF_NO_CALL. */
	struct gt_brief_slot call[GT_BRIEF_CALLS + 1];
	struct {
		uint64_t object, epoch, kind;
		uint64_t mutex; /* 0: no Retake named one */
	} block[GT_BRIEF_SLOTS];
};
_Static_assert(offsetof(struct gt_brief, call) % 32 == 0, "no slot lies on two lines");

/* A batch begins. */
GT_INLINE void gt_brief_reset(struct gt_brief *b)
{
	b->g = 0;
	b->blocks = b->calls = b->strange = 0;
	b->wait = GT_BRIEF_NONE;
	b->at = GT_BRIEF_NO_CALL;
	b->repeats = b->plain = b->over = false;
	b->call[GT_BRIEF_NO_CALL].done = GT_BRIEF_NOBODY;
	b->call[GT_BRIEF_NO_CALL].next = GT_BRIEF_NO_CALL;
	b->call[GT_BRIEF_NO_CALL].from = 0;
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

/* --- Calls ------------------------------------------------------------------------------------ */

GT_INLINE uint64_t gt_brief_number(uint64_t done)
{
	return done % (1 << GT_BRIEF_NUMBER_BITS);
}

GT_INLINE uint64_t gt_brief_result(uint64_t done)
{
	return done >> GT_BRIEF_NUMBER_BITS;
}

GT_INLINE uint64_t gt_brief_done(uint64_t call, uint64_t result)
{
	/* The number in NOBODY, and what is above it, is no call's. */
	const bool fits = call < gt_brief_number(GT_BRIEF_NOBODY) &&
			  result >> (64 - GT_BRIEF_NUMBER_BITS) == 0;

	return gt_likely(fits) ? result << GT_BRIEF_NUMBER_BITS | call : GT_BRIEF_UNFIT;
}

/* The call that a slot has from now on. */
GT_INLINE void gt_brief_fill(struct gt_brief *b, uint32_t slot, uint64_t call, uint64_t result)
{
	b->call[slot].done = GT_MIN(gt_brief_done(call, result), GT_BRIEF_NOBODY);
	b->call[slot].came = false;
}

/* The slots that are in use are the first ones. */
GT_INLINE uint32_t gt_brief_calls(const struct gt_brief *b)
{
	return gt_brief_used(b->calls, GT_BRIEF_CALLS);
}

/* Which slot has that argument: that one itself, else the first; itself, where none has. */
GT_INLINE uint32_t gt_brief_source(const struct gt_brief *b, uint32_t slot, uint64_t arg)
{
	const uint32_t n = gt_brief_calls(b);
	uint32_t i = slot < n && b->call[slot].arg == arg ? slot : 0;

	while (i < n && b->call[i].arg != arg) {
		i++;
	}
	return i < n ? i : slot;
}

/* The Call of that slot has come, with that argument. */
GT_INLINE void gt_brief_follow(struct gt_brief *b, uint32_t slot, uint64_t arg)
{
	b->call[b->at].from = gt_brief_source(b, slot, arg);
	b->call[b->at].next = slot;
	b->call[slot].arg = arg;
	b->at = slot;
}

/* A Call in full. */
GT_INLINE void gt_brief_call(struct gt_brief *b, uint64_t call, uint64_t arg, uint64_t result)
{
	const uint32_t slot = b->calls % GT_BRIEF_CALLS;

	gt_brief_follow(b, slot, arg);
	b->calls++;
	gt_brief_fill(b, slot, call, result);
	/* After that, since the one before may have had this slot. */
	b->call[slot].next = GT_BRIEF_NO_CALL;
	b->call[slot].from = 0;
}

/* Which slot has that number and result; GT_BRIEF_CALLS: none. */
GT_INLINE uint32_t gt_brief_find(const struct gt_brief *b, uint64_t done)
{
	const uint32_t n = gt_brief_calls(b);
	uint32_t i = 0;

	while (i < n && b->call[i].done != done) {
		i++;
	}
	return i < n ? i : GT_BRIEF_CALLS;
}

/*
 * Writer: in which slot that call has its next result, since all are taken: the one that would come
 * next, else the first of that call, unless its own result came twice, as one does that will come
 * again. GT_BRIEF_CALLS: none, the oldest slot goes. So does one in 16 times where there would be
 * one, or two results that take turns would never both have one.
 */
GT_INLINE uint32_t gt_brief_other(struct gt_brief *b, uint64_t call)
{
	enum { OFTEN = 16 };
	const uint32_t next = b->call[b->at].next;
	uint32_t i = 0;

	if (b->calls < GT_BRIEF_CALLS || ++b->strange % OFTEN == 0) {
		return GT_BRIEF_CALLS;
	}
	if (gt_brief_number(b->call[next].done) == call && !b->call[next].came) {
		return next;
	}
	while (i < GT_BRIEF_CALLS &&
	       (gt_brief_number(b->call[i].done) != call || b->call[i].came)) {
		i++;
	}
	return i;
}

/* It has it, and that Call has come. */
GT_INLINE void gt_brief_differ(struct gt_brief *b, uint32_t slot, uint64_t arg, uint64_t result)
{
	gt_brief_fill(b, slot, gt_brief_number(b->call[slot].done), result);
	gt_brief_follow(b, slot, arg);
}

/* What came next when the last Call was there before has come: it is the last one now. */
GT_INLINE void gt_brief_go_on(struct gt_brief *b)
{
	const uint32_t next = b->call[b->at].next;

	b->call[next].arg = b->call[b->call[b->at].from].arg;
	b->at = next;
}

/*
 * Writer: whether that call, a real one, is it. In one comparison: where nothing came next it is
 * NOBODY's, whatever the argument, and no slot has a result that does not fit.
 */
GT_INLINE bool gt_brief_is_next(const struct gt_brief *b, uint64_t call, uint64_t arg,
				uint64_t result)
{
	const struct gt_brief_slot *last = &b->call[b->at];
	const uint64_t done = result << GT_BRIEF_NUMBER_BITS | call;

	return ((b->call[last->next].done ^ done) | (b->call[last->from].arg ^ arg) |
		result >> (64 - GT_BRIEF_NUMBER_BITS)) == 0;
}

/* It has come, with that argument. */
GT_INLINE void gt_brief_came(struct gt_brief *b, uint64_t arg)
{
	const uint32_t next = b->call[b->at].next;

	b->call[next].came = true;
	b->call[next].arg = arg;
	b->at = next;
}

/*
 * A slot and something else in one number, where they fit. An argument is not how far it is from
 * the slot's last one, which calls that are not written have changed: facts are to be read without
 * the events.
 */
GT_INLINE bool gt_brief_fits(uint64_t v)
{
	return v >> (64 - GT_BRIEF_CALL_BITS) == 0;
}

GT_INLINE uint64_t gt_brief_beside(uint32_t slot, uint64_t v)
{
	return v << GT_BRIEF_CALL_BITS | slot;
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
	case GT_FACT_REPEATING:
	case GT_FACT_DIFFERING:
		slot = first % GT_BRIEF_CALLS;
		if (slot >= gt_brief_calls(b) || b->call[slot].done == GT_BRIEF_NOBODY) {
			return false;
		}
		args[0] = gt_brief_number(b->call[slot].done);
		if (*number == GT_FACT_REPEATING) {
			args[1] = first >> GT_BRIEF_CALL_BITS;
			args[2] = gt_brief_result(b->call[slot].done);
			gt_brief_follow(b, (uint32_t)slot, args[1]);
		} else {
			args[2] = first >> GT_BRIEF_CALL_BITS;
			gt_brief_differ(b, (uint32_t)slot, args[1], args[2]);
		}
		b->repeats = !b->plain;
		*number = GT_FACT_CALL;
		return true;
	case GT_FACT_UNSAID:
		b->repeats = false;
		b->plain = true;
		return true;
	default:
		return true;
	}
}

/* Whether an end that has no fact stands for a Call: then gt_brief_go_on. */
GT_INLINE bool gt_brief_repeats(const struct gt_brief *b)
{
	return b->repeats && b->call[b->call[b->at].next].done != GT_BRIEF_NOBODY;
}

/* The arguments of the last Call, which has just come so. */
GT_INLINE void gt_brief_last(const struct gt_brief *b, uint64_t *args)
{
	args[0] = gt_brief_number(b->call[b->at].done);
	args[1] = b->call[b->at].arg;
	args[2] = gt_brief_result(b->call[b->at].done);
}
