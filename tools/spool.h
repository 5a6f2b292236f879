/*
 * What a spool file holds of generations that are not in the trace yet (base/spool.h). For
 * recover.c.
 *
 * A spool may be damaged, or of a process that still runs: nothing in it is believed. What does not
 * fit is left out; nothing here is an error once the head has been read.
 */
#pragma once

#include "base/spool.h"
#include "reader.h"

struct gt_spool {
	const uint8_t *data;
	size_t size;
	uint32_t pid;
	uint64_t gen;         /* being written; 0: none */
	uint64_t generations; /* whole ones in the file, as the spool says */
	unsigned broken;      /* enum gt_broken; not 0: what is unfinished lacks something */
	uint32_t places[GT_SPOOL_PLACES];
};

/* An unblock that waits to be written in the stream of m. */
struct gt_spool_post {
	uint64_t m;
	uint64_t g, seq, stack;
	uint64_t ns;
};

/* An entry of a table. */
struct gt_spool_entry {
	uint64_t id;
	const uint8_t *data;
	size_t size;
};

struct gt_spool_stamp {
	uint64_t ticks, mono, sec, nsec;
};

/* Whether one lies beside that trace: it is being written, or gtrace recover has to finish it. */
bool gt_spool_is_beside(const char *trace);
/* Memory stays the caller's. 0, or -1 with *e: no spool, or one of another version. */
int gt_spool_open(struct gt_spool *s, const void *data, size_t size, struct gt_error *e);

/*
 * The arrays below are the caller's to free; they point into the spool.
 */
/* All batches of a generation, those of one M in their order. */
struct gt_batch *gt_spool_batches(const struct gt_spool *s, uint64_t gen, size_t *n);
struct gt_spool_post *gt_spool_posts(const struct gt_spool *s, uint64_t gen, size_t *n);
struct gt_spool_entry *gt_spool_stacks(const struct gt_spool *s, uint64_t gen, size_t *n);
struct gt_spool_entry *gt_spool_strings(const struct gt_spool *s, uint64_t gen, size_t *n);
struct gt_spool_stamp gt_spool_stamp(const struct gt_spool *s, uint64_t gen);
/* Lines of /proc/PID/maps. Not ended by a zero. */
struct gt_text gt_spool_maps(const struct gt_spool *s);
/* Losses counted since the trace began, by enum gt_loss; 0 for what is not there. */
uint64_t gt_spool_loss(const struct gt_spool *s, unsigned what);

/*
 * A batch, header and payload, at *at in bytes that may end anywhere; *gen is its generation. Steps
 * over it; false: no whole batch begins there.
 */
bool gt_spool_next_batch(const uint8_t *data, size_t size, size_t *at, uint64_t *gen,
			 struct gt_batch *b);
