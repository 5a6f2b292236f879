/*
 * The thread that many plays need: it waits for the mutex that it is given, has it, and ends.
 */
#pragma once

#include "scene.h"

static atomic_int tid; /* the waiter's, for AWAIT_ASLEEP_ON */

static void *waiter(void *mutex)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(mutex));
	OK(pthread_mutex_unlock(mutex));
	return NULL;
}
