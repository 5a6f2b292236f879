/*
 * The side tables of spans: strings, stacks and objects of a whole trace, each once, with an index.
 *
 * In the file strings and stacks have ids that hold for one generation; here they keep their index.
 * For span.c alone: everybody else reads them through span.h.
 */
#pragma once

#include "model_set.h"
#include "span.h"

struct gt_span_tables {
	struct gt_set strings;   /* key: bytes */
	struct gt_set stacks;    /* key: struct gt_span_frame[]; 0 is the empty one */
	struct gt_set objects;   /* key: struct gt_span_object */
	struct gt_idmap mutexes; /* address -> index + 1 of the last mutex there */
	/*
	 * address -> epoch + 2 of the mutex there that came up first in a retake, which says none:
	 * that is the one that comes up next. 1: it has not yet.
	 */
	struct gt_idmap retaken;
	struct gt_idmap ids;          /* stack id of this generation -> index + 1 */
	struct gt_span_frame *frames; /* room for a stack */
	size_t frames_cap;
};

void gt_span_tables_init(struct gt_span_tables *tables);
void gt_span_tables_fini(struct gt_span_tables *tables);
/* Ids are those of another generation from now on. */
void gt_span_tables_generation(struct gt_span_tables *tables);

uint32_t gt_span_tables_string(struct gt_span_tables *tables, const struct gt_text *text);
uint32_t gt_span_tables_stack(struct gt_span_tables *tables, const struct gt_generation *g,
			      uint64_t id);
uint32_t gt_span_tables_object(struct gt_span_tables *tables, const struct gt_span_object *object);
/* The mutex at an address; the fact of a retake says no epoch. */
uint32_t gt_span_tables_mutex(struct gt_span_tables *tables, uint64_t address);
