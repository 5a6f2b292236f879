/*
 * Calls into the kernel that no thread of this process is known to end: their events, and the
 * hand-off of the P of a long one.
 *
 * Nothing is written when a call begins: its thread notes when, which and where, and gives itself
 * up for taken over (x_in_call). When it returns it writes the beginning, back-dated, and
 * the end in one section; by then it knows how long it took:
 *
 *	shorter than GTRACE_MIN		nothing, counted (GT_LOSS_SHORT)
 *	up to 20 us			GoSyscallBegin, GoSyscallEnd: it kept its P
 *	longer, "as" a system call	GoSyscallBegin, ProcStop at begin + 20 us;
 *					GoSyscallEndBlocked ProcStart GoStart
 *	longer, "as" a reason		GoBlock, ProcStop; ProcStart GoUnblock GoStart
 *
 * A generation must not end without it, so the advancer writes the beginning for each thread that
 * is in a call then, in its name, and gives its P back (hand_off.c). What returns later writes the
 * end alone. So no ProcSteal is needed.
 *
 * As in wait.h no section is open during the call, which may be cancelled or left by longjmp, and
 * whose signal handlers may run anything; hooks in those pass straight, because the guard says
 * GT_BUSY_CALL.
 */
#pragma once

#include "base/spec.h"

#include "thread.h"
#include "trace.h"

enum { GT_CALL_KEEP_NS = 20000 };

/* [start] Classes that are traced, a bit for each enum gt_class. */
extern GT_HIDDEN uint64_t gt_classes;
/*
 * [start] Most of their calls are written at once (call.c): there is neither GTRACE_BUDGET nor
 * GTRACE_MIN, and moments are a counter's.
 */
extern GT_HIDDEN bool gt_calls_at_once;

GT_INLINE bool gt_class_on(enum gt_class class)
{
	return gt_classes >> class & 1;
}

/*
 * The calling thread t, running, is about to make a call. as: 0 for a system call, or the reason
 * of the block that a long one is. arg: descriptor and the like, -1 for none. frame: of the hook.
 */
void gt_call_begin(struct gt_thread *t, enum gt_call call, enum gt_reason as, int64_t arg,
		   void *frame);
/*
 * It has returned; result: as the kernel gives it, -errno for a failure. Does nothing if the call
 * was closed already (its frame was left), in a child of fork, or after the end. Keeps errno.
 */
void gt_call_end(struct gt_thread *t, int64_t result);

/*
 * Closes a call that will not return: its frame was left by longjmp (a hook runs above it), or its
 * thread was cancelled in it and ends.
 */
void gt_call_left(struct gt_thread *t);
/*
 * A handler has left the tracer itself by longjmp, at whatever point: the section that was open is
 * undone, the call that was about to be written is closed, the guard is down. Where that is not
 * possible the trace ends at its last whole generation.
 */
void gt_call_recover(struct gt_thread *t);

/*
 * sched_yield: one that takes longer than 20 us is a GoStop; shorter ones are summed up and written
 * as one fact, by the next call or block of this thread.
 */
void gt_yield_begin(struct gt_thread *t);
void gt_yield_end(struct gt_thread *t, void *frame);
