/*
 * For tests only: random delays at the steps of the protocol, and the six wrong orders.
 *
 * -Ddelays=true lets GT_DELAY() sleep now and then, up to 4 ms, so that races have room to happen.
 * -Dwrong=N builds one of the wrong orders below on purpose: the stress tests must catch it, or
 * they prove nothing. In any other build both are nothing.
 */
#pragma once

#include "base/util.h"

#ifdef GT_DELAYS
void gt_delay(void);
#define GT_DELAY() gt_delay()
#else
#define GT_DELAY() ((void)0)
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
