/*
 * What the advancer itself writes into a generation: posts, statuses, tables, the clock, the end.
 *
 * Used only by whoever holds gt_trace.x_advance, after the last section of that generation.
 */
#pragma once

#include "base/clock.h"

#include "thread.h"
#include "trace.h"

/* Reads all clocks; later in each of them than *before. */
void gt_dump_stamp(struct gt_stamp *to, const struct gt_clock *clock,
		   const struct gt_stamp *before);
/* The stack that a status of t in that G state shows, as an id of the generation. */
uint32_t gt_dump_note_stack(struct gt_thread *t, unsigned g, uint64_t gen);

void gt_dump_posts(uint64_t gen);
void gt_dump_statuses(uint64_t gen);
void gt_dump_losses(uint64_t gen);
/* The steps of the overhead governor; last: of the trace, which ends one. */
void gt_dump_budget(uint64_t gen, bool last);
/* What is new to say of the trace. */
void gt_dump_about(uint64_t gen);
/* last: of the trace, and that this comes before the program's end, where it does. */
void gt_dump_ends(uint64_t gen, bool last);
void gt_dump_tables(uint64_t gen);
void gt_dump_clock(uint64_t gen);
/*
 * A batch for that generation, the last one, which is in the file: recording is over, why, with
 * which error (errno; 0). Its length, and where it is until the next call of these.
 */
size_t gt_dump_compose_broken(uint64_t gen, enum gt_broken why, int error, const uint8_t **batch);
/* In a child after fork: nothing is remembered. */
void gt_dump_forget(void);
