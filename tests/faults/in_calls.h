/*
 * Threads inside calls that nothing ends, for the programs that end while some are there.
 */
#pragma once

#include <poll.h>

#include "once.h"

static int in_calls_fds[2];     /* a pipe into which nobody writes */
static atomic_int in_calls_now; /* so many are in their call, or about to be */

static void *in_read(void *arg)
{
	char byte;

	atomic_fetch_add(&in_calls_now, 1);
	IS((int)read(in_calls_fds[0], &byte, 1), 1);
	return arg;
}

static void *in_poll(void *arg)
{
	struct pollfd one = {.fd = in_calls_fds[0], .events = POLLIN};

	atomic_fetch_add(&in_calls_now, 1);
	IS(poll(&one, 1, -1), 1);
	return arg;
}

/* Starts threads, and returns when each of them is well inside. */
static void in_calls_start(void *(*const *starts)(void *), int n)
{
	pthread_t thread;

	OK(pipe(in_calls_fds));
	for (int i = 0; i < n; i++) {
		OK(pthread_create(&thread, NULL, starts[i], NULL));
	}
	await_at_least(&in_calls_now, n);
	scene_pause(50000);
}
