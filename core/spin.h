/*
 * Spinning: how long a thread ran in circles for a lock that another held, told by samples.
 */
#pragma once

#include "thread.h"

/* The calling thread, running, is about to spin. Returns the moment. */
uint64_t gt_spin_begin(void);
/*
 * It has the lock at object. One that took longer than 20 us is a fact of weight 1; of the shorter
 * ones of a thread each 64th is one, of weight 64, written while the lock is held. frame: of the
 * hook.
 */
void gt_spin_end(struct gt_thread *t, const volatile void *object, uint64_t since, void *frame);
