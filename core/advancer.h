/*
 * The advancer: the background thread that moves the generation forward.
 */
#pragma once

#include "thread.h"

/*
 * Starts it, once; called when the program makes its first thread, never before (unshare, setns
 * and glibc's single-threaded fast paths behave as without us). creator: the calling thread,
 * running, with its guard set.
 */
void gt_advancer_start(struct gt_thread *creator);
/* Wakes it before its time: a pool runs low. Any thread, inside a section too. */
void gt_advancer_nudge(void);
/* Asks it to finish the last generation and waits at most ns. False: it did not (or never ran). */
bool gt_advancer_finish(uint64_t ns);
