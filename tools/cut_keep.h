/*
 * The threads that a part of a trace is about, and what is left of events when the others are taken
 * out. For cut.c alone.
 *
 * A thread keeps what it did itself, and what others did to it: an unblock by nobody. It has a
 * processor while it runs, as in the whole trace; whenever none that is kept does, the processor is
 * idle. So it need not matter that in traces of Go's runtime others run on the same M, and on the
 * same P, in between. What belongs to no thread is left out with the others: Go's collector.
 */
#pragma once

#include "again.h"
#include "rewrite.h"

struct gt_keep {
	bool all;
	struct gt_idmap gs;        /* those that are kept */
	struct gt_idmap ms;        /* where they ran last: for facts in the name of an M */
	struct gt_idmap abandoned; /* Ps that one of them has left behind in a system call */
	uint64_t threads, of_threads;
};

/*
 * patterns: as gt_cut has them; NULL keeps all. Reads the trace for that: 0; -1 with *e, also where
 * nothing fits.
 */
int gt_keep_init(struct gt_keep *k, const char *patterns, const struct gt_again *file,
		 struct gt_error *e);
void gt_keep_fini(struct gt_keep *k);

bool gt_keep_g(const struct gt_keep *k, uint64_t g);
/* Writes what is left of an event, or of a fact, that r has just given. False: nothing. */
bool gt_keep_put(struct gt_keep *k, struct gt_rewrite *w, struct gt_replay *r,
		 const struct gt_replayed *ev);
