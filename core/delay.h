/*
 * For tests only: random delays at the steps of the protocol, an advancer that loses its processor,
 * and the six wrong orders.
 *
 * -Ddelays=true lets GT_DELAY() sleep now and then, up to 4 ms, so that races have room to happen.
 * -Dwrong=N builds one of the wrong orders below on purpose: the stress tests must catch it, or
 * they prove nothing. With -DGT_STALLS (tests/scale) the advancer sleeps 200 ms once a generation,
 * at each of the places below in turn: no thread may wait for it. In any other build all are
 * nothing.
 */
#pragma once

#include "base/util.h"

#ifdef GT_DELAYS
void gt_delay(void);
#define GT_DELAY() gt_delay()
#else
#define GT_DELAY() ((void)0)
#endif

/* Where the advancer is amid something that threads share with it. */
enum gt_stall {
	GT_STALL_LOOK,    /* it reads what a thread has noted of its call */
	GT_STALL_DRAFTED, /* and has just claimed it */
	GT_STALL_TABLE,   /* it cuts a node of a table */
	GT_STALL_BUMPED,  /* the next generation has begun */
	GT_STALL_POSTS,   /* it reads a mailbox */
	GT_STALL_SETTLED, /* it says that a call's beginning is written */
	GT_STALL_REAP,    /* it takes a record out of the registry */
	GT_STALL_END
};

#ifdef GT_STALLS
void gt_stall(enum gt_stall place);
#define GT_STALL(place) gt_stall(place)
#else
#define GT_STALL(place) ((void)0)
#endif

#ifndef GT_WRONG
#define GT_WRONG 0
#endif

enum gt_wrong {
	GT_WRONG_NONE,
	GT_WRONG_REGISTER_BEFORE_BLOCK, /* a joiner can be claimed before its GoBlock is written */
	GT_WRONG_NO_PUBLICATION, /* a joiner that timed out does not wait for its waker's section */
	GT_WRONG_GEN_BEFORE_CLAIM,    /* a waker loads its generation, then claims the waiter */
	GT_WRONG_STATE_AFTER_SECTION, /* the trace state changes after the section */
	GT_WRONG_PROC_INSIDE_SECTION, /* a P is taken inside the section */
	GT_WRONG_NOTE_AFTER_BUMP,     /* silent Gs are noted after the generation was stored */
};
