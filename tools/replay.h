/*
 * A trace, event by event, to be written again: what stands in the file, in an order that could
 * have happened. For the commands that change a trace (cut, convert, merge).
 *
 * It is merge.h, and with each event what merge.h makes readable and so changes: the stream it
 * stands in, its time in ticks, its arguments as they are in the file. What is not in the file
 * (the parts of a GoSwitch) does not come. What is written in this order, stream by stream, has the
 * order of the file.
 */
#pragma once

#include "merge.h"
#include "order.h"

enum gt_replay_kind {
	GT_REPLAY_GENERATION = 1, /* one begins; its tables are in force */
	GT_REPLAY_EVENT,
	GT_REPLAY_FACT,
	GT_REPLAY_SAMPLE,
};

struct gt_replayed {
	uint8_t kind;               /* enum gt_replay_kind */
	const struct gt_spec *spec; /* of an event, a fact */
	uint64_t m;                 /* the stream in which it stands; GT_NO_M */
	uint64_t ticks;
	uint64_t args[GT_EVENT_ARGS];
	struct gt_sample sample; /* SAMPLE; its time is ticks, and its G 0 is none */
	/* As merge.h gives it: its context before it, its time in ns. */
	struct gt_event event;
};

struct gt_replay;

/* As gt_reader_open; memory stays the caller's. NULL: see *e. */
struct gt_replay *gt_replay_open(const char *path, struct gt_error *e);
struct gt_replay *gt_replay_open_memory(const void *data, size_t size, struct gt_error *e);
void gt_replay_close(struct gt_replay *r);
/* As gt_merge_seek. */
bool gt_replay_seek(struct gt_replay *r, uint64_t ticks);
/* As gt_merge_next. */
int gt_replay_next(struct gt_replay *r, struct gt_replayed *out, struct gt_error *e);

const struct gt_generation *gt_replay_generation(const struct gt_replay *r);
/* What every G, P and M is doing, all that came so far having happened. */
struct gt_order *gt_replay_order(struct gt_replay *r);
unsigned gt_replay_version(const struct gt_replay *r);

/*
 * The last known stack of a G, by its id in the tables of this generation: where it blocked, called
 * or was listed; 0: none. Also if it is listed only later in the generation.
 */
uint64_t gt_replay_stack(struct gt_replay *r, uint64_t g);
