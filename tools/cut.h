/*
 * A part of a trace as a trace of its own. For cmd_cut.c.
 *
 * It begins between two events: what every live G, P and M does at that moment is said first, and
 * numbers count from there. Events, their order and their times are those of the whole trace. Each
 * generation that reaches into the part is one of the new trace.
 */
#pragma once

#include <stdio.h>

#include "again.h"
#include "error.h"

struct gt_cut {
	uint64_t from, to; /* ns since the first event; UINT64_MAX: to the end */
	/*
	 * Patterns with commas between: tids (of gtrace's traces), numbers (#3), or shell patterns
	 * for names and start routines. NULL: all. With the threads that fit come those that have
	 * created them; of the others what they did to these is left: an unblock by nobody.
	 */
	const char *threads;
};

struct gt_cut_done {
	uint64_t events;              /* written */
	uint64_t threads, of_threads; /* with gt_cut.threads */
};

/*
 * 0, or -1 with *e. 1 with *e: the trace is truncated before the part ends, and cut as far as it
 * goes. What lies behind the part is read for threads alone.
 */
int gt_cut(const struct gt_again *file, const struct gt_cut *cut, FILE *out,
	   struct gt_cut_done *done, struct gt_error *e);
