/*
 * Ps: slots to run in.
 *
 * A thread takes the lowest free slot when it starts to run and gives it back when it blocks, so
 * the number of lanes is the number of threads that ran at once, or few more: who looks for a slot
 * may not see yet that one was just given back. Slot 0 is the advancer's, because
 * an unblock by P 0 loses its arrow in Go's viewer.
 *
 * Fields of a P: only by the thread that holds the slot; taking and giving (acquire and release of
 * its byte) hand them over. By invariant 5 both happen outside a section: taken inside, the
 * slot's last stop could be of a later generation than the start that follows it.
 */
#pragma once

#include "base/atomic.h"
#include "base/util.h"

#define GT_PROCS_MAX 8192
/* Of so many the place has memory from the start. */
#define GT_PROCS_FIRST 256
#define GT_PROC_NONE   UINT32_MAX

/* On a line of its own: each traced call of the thread that holds the slot writes it, and the
 * lowest slots are those of the threads that run at the same time. */
struct gt_proc {
	uint64_t traced[2]; /* generation of its last status, by parity */
	uint64_t seq[2];    /* last sequence number in that generation */
} GT_ALIGNED(GT_LINE);

struct gt_procs {
	_Atomic uint32_t most;   /* slots ever used: one past the highest */
	_Atomic uint32_t backed; /* those whose place has memory */
	/*
	 * Those that are taken: a byte each, so that who gives one back needs no locked
	 * instruction. Eight at once are only looked at: whether one of them may be free.
	 */
	union {
		_Atomic uint8_t taken[GT_PROCS_MAX];
		_Atomic uint64_t eight[GT_PROCS_MAX / 8];
	};
	struct gt_proc proc[GT_PROCS_MAX];
};

/*
 * The lowest free slot; GT_PROC_NONE where all are taken, or there is no memory for more, and
 * recording breaks off. Outside a section. May make a system call where hundreds run at once.
 */
uint32_t gt_proc_take(void);
void gt_proc_give(uint32_t p);
/* At the start: takes slot 0 for good, the advancer's. */
void gt_proc_reserve(void);
