/*
 * One of the traces that are combined: what a first reading finds, and the acts that are not in it.
 * combine_source.c; for combine.c alone.
 */
#pragma once

#include "combine.h"
#include "rewrite.h"

struct gt_source_mapping {
	uint64_t args[GT_EVENT_ARGS];
	struct gt_text texts[2]; /* into the file, which stays */
};

struct gt_source {
	size_t number; /* in the order of the inputs */
	const struct gt_combine_input *input;
	struct gt_rewrite rewrite;
	struct gt_merge *ahead;
	struct gt_replay *replay;
	int64_t offset; /* ns from its clock to the common one */
	uint64_t next;  /* common ns of what comes next, */
	size_t facts;   /* and how many facts stand before it */
	bool begun, ended;
	uint64_t ticks; /* of its last event, its own */
	uint64_t old;   /* generations begun */

	/* From the first reading. */
	uint64_t start, frequency, period; /* common ns; ticks a second; ns of a generation */
	uint64_t max_g, max_p, pid;
	struct gt_idmap ms;
	char suffix[32];

	struct gt_source_mapping *mappings;
	size_t nmappings, mappings_cap;
	uint64_t broken[4];    /* arguments of its Broken; why is 0: it has none */
	uint64_t broken_ticks; /* in the new trace */
	uint64_t losses[GT_LOSS_END];
};

/* The first reading: 0, or -1 with *e where it cannot be read, or is none that can be merged. */
int gt_source_survey(struct gt_source *s, struct gt_error *e);
/*
 * An event of its first generation, where what is there is said by statuses: true, and written as
 * creations instead. False: an ordinary event.
 */
bool gt_source_introduces(struct gt_source *s, const struct gt_replayed *ev);
/* Its process is over, and with it what still lives. */
void gt_source_end(struct gt_source *s);
/* Keeps a fact Mapping, of the generation that is read. */
void gt_source_note_mapping(struct gt_source *s, const struct gt_event *ev);
