/*
 * The two ends of a wait, for who finds out otherwise than by the registry why it ended. For join.c
 * alone.
 */
#pragma once

#include "wait.h"

/*
 * Before anything else: a child of fork, or a thread after the end of tracing, must not look at t;
 * nor one whose handler forked and began a trace of its own.
 */
GT_INLINE bool gt_wait_still(struct gt_thread *t, uint32_t number)
{
	return gt_tls.epoch == gt_load_relaxed(&gt_gate->epoch) && gt_tls.thread == t &&
	       number == gt_load_relaxed(&t->wait_number);
}

/* gt_wait_begin and _end without the registry and the guard. */
uint32_t gt_wait_write_block(struct gt_thread *t, const struct gt_wait_for *what);
void gt_wait_write_joined(struct gt_thread *t, uint32_t number, enum gt_ended ended, int result);
