/*
 * One wait for a lock that a trace is sure to show, for the programs that may open files: the
 * holder looks on until the waiter sleeps. (filter.h has one for those that may not.)
 */
#pragma once

#include "../programs/scene.h"

static pthread_mutex_t once_mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int once_tid;

static void *holder(void *arg)
{
	OK(pthread_mutex_lock(&once_mutex));
	reach(1);
	AWAIT_ASLEEP_ON(&once_tid, &once_mutex);
	OK(pthread_mutex_unlock(&once_mutex));
	/* Of a thread that has ended, nobody can be told that it woke another. */
	await(2);
	return arg;
}

static void wait_once(void)
{
	pthread_t thread;

	atomic_store(&scene_stage, 0);
	atomic_store(&once_tid, 0);
	OK(pthread_create(&thread, NULL, holder, NULL));
	await(1);
	tell_tid(&once_tid);
	OK(pthread_mutex_lock(&once_mutex));
	OK(pthread_mutex_unlock(&once_mutex));
	reach(2);
	join_ended(thread);
}
