/*
 * What a condition variable's wait needs of its mutex.
 */
#pragma once

#include <pthread.h>

#include "base/util.h"

struct gt_thread;

/*
 * The calling thread t is about to unlock m, and gt_wake_wanted(m). False: no hint was left, since
 * that will not set it free, or concerns nobody.
 */
bool gt_mutex_hint_unlock_by(struct gt_thread *t, pthread_mutex_t *m, void *frame);
