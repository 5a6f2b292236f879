/*
 * Traces of several processes as one, on one clock. For cmd_merge.c.
 *
 * The clock is CLOCK_MONOTONIC, by the first clock snapshot of each trace. Threads, processors and
 * addresses get ids of their own where those of two traces could be taken for each other; the names
 * of start routines get the process behind them: "main [4711]". A thread that was there when its
 * trace began is created at that moment, one that was there when it ended is ended then: a waiting
 * one by an unblock from nobody and a start, at the same moment.
 */
#pragma once

#include <stdio.h>

#include "error.h"

struct gt_combine_input {
	const char *path; /* for messages */
	const void *data;
	size_t size;
};

struct gt_combine_done {
	uint64_t events;      /* of all traces */
	uint64_t pid_unknown; /* traces that say no process: they are numbered instead */
};

/* 0, or -1 with *e and *which, the input that it is about. */
int gt_combine(const struct gt_combine_input *inputs, size_t n, FILE *out,
	       struct gt_combine_done *done, size_t *which, struct gt_error *e);
