/*
 * The stacks and strings that events name by id: are they in the tables? For merge.c.
 *
 * Most events name what others have named before: then one look at a byte is enough.
 */
#pragma once

#include "cursor.h"

/* Ids of a table that were found good in this generation; those that are not small are not here. */
struct gt_refs_seen {
	uint8_t *ids; /* 1: good */
	size_t count, cap;
};

struct gt_refs {
	const struct gt_generation *generation;
	bool strict;
	struct gt_refs_seen stacks, strings;
	/* Which arguments of an event are ids, by its number. */
	struct gt_refs_row {
		uint8_t nstacks, nstrings;
		uint8_t stacks[2], strings[2];
		uint64_t stack, string; /* all ones if there is a first one, else 0 */
	} rows[256];
};

/* strict: stacks keep the rule of strict.h as well. */
void gt_refs_init(struct gt_refs *r, bool strict);
void gt_refs_fini(struct gt_refs *r);
/* The events that follow are those of g. */
void gt_refs_generation(struct gt_refs *r, const struct gt_generation *g);
/* 0, or -1 with *e. */
int gt_refs_check(struct gt_refs *r, const struct gt_event *ev, struct gt_error *e);

GT_INLINE bool gt_refs_has(const struct gt_refs_seen *seen, uint64_t id)
{
	return id < seen->count && seen->ids[id];
}

/* Whether all its ids were found good before; false: gt_refs_check tells. */
GT_INLINE bool gt_refs_known(const struct gt_refs *r, const struct gt_event *ev)
{
	const struct gt_refs_row *row = &r->rows[ev->number];

	return gt_refs_has(&r->stacks, ev->args[row->stacks[0]] & row->stack) &&
	       gt_refs_has(&r->strings, ev->args[row->strings[0]] & row->string) &&
	       row->nstacks < 2 && row->nstrings < 2;
}
