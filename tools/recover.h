/*
 * A trace out of what a killed process has left: its file and its spool. For cmd_recover.c.
 *
 * Whole generations are copied as they are. What was under way is put together from the batches
 * that are in the file already, from the buffers, tables and mailboxes in the spool, and from what
 * the last whole generation says of the threads that did nothing since. The result is judged as
 * gtrace verify does it before it is written; a stream that contradicts the others is cut where it
 * does, and that is counted: a damaged spool gives less, never something wrong.
 */
#pragma once

#include <stdio.h>

#include "error.h"

struct gt_recovered {
	uint64_t whole;      /* generations that were there */
	uint64_t whole_size; /* bytes of the file that they are */
	uint64_t finished;   /* generations put together */
	uint64_t events;     /* in those */
	uint64_t cut;        /* streams that were cut in them, */
	uint64_t cut_bytes;  /* and what that has left out */
	char why[400];       /* why a stream was cut first, or a generation left out; or "" */
	bool invalid;        /* the file itself is wrong behind its whole generations; see why */
};

/*
 * file is as good as empty where size is 0; spool may be NULL. Writes a whole trace to out: 0; or
 * -1 with *e: it is no trace, out cannot be written, or (GT_ERROR_TRUNCATED) no event was recorded.
 */
int gt_recover(const void *file, size_t size, const void *spool, size_t spool_size, FILE *out,
	       struct gt_recovered *did, struct gt_error *e);
