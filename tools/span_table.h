/*
 * The side tables of spans: strings, stacks and objects of a whole trace, each once, with an index.
 *
 * In the file strings and stacks have ids that hold for one generation; here they keep their index.
 * For span.c alone: everybody else reads them through span.h.
 */
#pragma once

#include "lists.h"
#include "model_set.h"
#include "span.h"

struct gt_span_met {
	uint32_t *index;
	size_t count, cap; /* count 0: nothing yet in this generation */
};

/* As many stacks as a caller may hold at once. */
struct gt_span_rooms {
	struct gt_span_frame frames[GT_SPAN_STACKS_HELD][GT_LISTS_MAX];
	unsigned next;
};

struct gt_span_tables {
	struct gt_set strings;   /* key: bytes */
	struct gt_set frames;    /* key: struct gt_span_frame */
	struct gt_lists stacks;  /* of frames; 0 is the empty one */
	struct gt_set objects;   /* key: struct gt_span_object */
	struct gt_idmap mutexes; /* address -> index + 1 of the last mutex there */
	/*
	 * address -> epoch + 2 of the mutex there that came up first in a retake, which says none:
	 * that is the one that comes up next. 1: it has not yet.
	 */
	struct gt_idmap retaken;
	/* By their places in the tables of this generation: index + 1; 0: not met yet. */
	struct gt_span_met met_frames, met_stacks;
	struct gt_span_rooms *rooms; /* of the stacks that were asked for last */
};

void gt_span_tables_init(struct gt_span_tables *tables);
void gt_span_tables_fini(struct gt_span_tables *tables);
/* Ids are those of another generation from now on. */
void gt_span_tables_generation(struct gt_span_tables *tables);

uint32_t gt_span_tables_string(struct gt_span_tables *tables, const struct gt_text *text);
uint32_t gt_span_tables_stack(struct gt_span_tables *tables, const struct gt_generation *g,
			      uint64_t id);
/* Its frames, and how many these are, until GT_SPAN_STACKS_HELD others have been asked for. */
const struct gt_span_frame *gt_span_tables_frames(const struct gt_span_tables *tables,
						  uint32_t stack, size_t *n);
uint32_t gt_span_tables_object(struct gt_span_tables *tables, const struct gt_span_object *object);
/* The mutex at an address; the fact of a retake says no epoch. */
uint32_t gt_span_tables_mutex(struct gt_span_tables *tables, uint64_t address);
