/*
 * What a condition variable's wait needs of its mutex.
 */
#pragma once

#include <pthread.h>

#include "base/util.h"

struct gt_thread;

/* Whether the lock word of m says that somebody sleeps for it. */
bool gt_mutex_contended(const pthread_mutex_t *m);
/* The calling thread is about to unlock m, and gt_wake_wanted(m). */
void gt_mutex_hint_unlock(pthread_mutex_t *m, void *frame);
/* The same by t, which waits for something else: the wait unlocks m. */
void gt_mutex_hint_unlock_by(struct gt_thread *t, pthread_mutex_t *m, void *frame);
