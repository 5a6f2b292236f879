/*
 * A trace's file that a command reads more than once, or in part. One that can be opened again is,
 * each time: what is compressed is unpacked as it is read, and what nobody asks for is not read.
 * Anything else (standard input, a pipe) is kept in memory.
 */
#pragma once

#include "mapped.h"
#include "replay.h"

struct gt_again {
	const char *path; /* the caller's; NULL: in memory */
	struct gt_mapped memory;
};

/* "-" is standard input. 0, or -1 as gt_mapped_open, of a->memory. */
int gt_again_open(struct gt_again *a, const char *path);
void gt_again_close(struct gt_again *a);

/*
 * All of it has been read, with that result (0, or not 0 with *e): the same, or what is wrong with
 * the rest, which could not be unpacked: 1 where it is truncated, else -1, with *e.
 */
int gt_again_ends(const struct gt_again *a, int n, struct gt_error *e);

/* From its beginning; NULL: see *e. The file must stay open. */
struct gt_reader *gt_again_read(const struct gt_again *a, struct gt_error *e);
struct gt_merge *gt_again_merge(const struct gt_again *a, struct gt_error *e);
struct gt_replay *gt_again_replay(const struct gt_again *a, struct gt_error *e);
