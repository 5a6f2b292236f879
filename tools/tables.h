/*
 * The tables of a generation: strings, stacks, CPU samples, clock. For reader.c alone.
 */
#pragma once

#include "reader.h"

/* Each adds what one batch of its kind holds: 0, or -1 with *e. */
int gt_tables_strings(struct gt_generation *g, const struct gt_batch *b, struct gt_error *e);
int gt_tables_stacks(struct gt_generation *g, const struct gt_batch *b, struct gt_error *e);
int gt_tables_samples(struct gt_generation *g, const struct gt_batch *b, struct gt_error *e);
int gt_tables_sync(struct gt_generation *g, const struct gt_batch *b, unsigned version,
		   struct gt_error *e);
/* What needs all of them: references between tables, ticks to ns, the order of samples. */
int gt_tables_finish(struct gt_generation *g, unsigned version, struct gt_error *e);
/* Empties everything but the index and keeps the memory; fini gives the memory back. */
void gt_tables_reset(struct gt_generation *g);
void gt_tables_fini(struct gt_generation *g);
