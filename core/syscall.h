/*
 * System calls: their two events, and the hand-off of the P of a long one.
 *
 * A call shorter than 20 us keeps its P: GoSyscallBegin, GoSyscallEnd. A longer one gives it back
 * by a ProcStop in its own stream, dated begin + 20 us: written by the thread on return, or by the
 * advancer in its name at a generation boundary. So no ProcSteal is needed (trace-model section 5).
 */
#pragma once

#include "thread.h"
#include "trace.h"

enum { GT_SYSCALL_KEEP_NS = 20000 };

/* The calling thread t, running, is about to make a system call; frame: of the hook. */
void gt_syscall_begin(struct gt_thread *t, void *frame);
/* It has returned. */
void gt_syscall_end(struct gt_thread *t);

/*
 * Advancer, before the bump: takes the Ps of all threads that sit in a system call and writes the
 * hand-off in their streams of the current generation.
 */
void gt_syscall_hand_off_all(void);
