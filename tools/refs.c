/*
 * The slow half of the ids in events: those that were not seen before.
 */
#include "refs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "strict.h"

static struct gt_refs_row row_of(const struct gt_spec *spec)
{
	struct gt_refs_row row = {0};

	for (unsigned i = 0; i < spec->nargs; i++) {
		if (spec->args[i].type == GT_ARG_stack) {
			row.stacks[row.nstacks++] = (uint8_t)i;
			row.stack = UINT64_MAX;
		} else if (spec->args[i].type == GT_ARG_str) {
			row.strings[row.nstrings++] = (uint8_t)i;
			row.string = UINT64_MAX;
		}
	}
	return row;
}

void gt_refs_init(struct gt_refs *r, bool strict)
{
	*r = (struct gt_refs){.strict = strict};
	for (size_t i = 0; i < gt_specs_count; i++) {
		if (gt_specs[i].kind == GT_TIMED || gt_specs[i].kind == GT_ALLOC) {
			r->rows[gt_specs[i].number] = row_of(&gt_specs[i]);
		}
	}
}

void gt_refs_fini(struct gt_refs *r)
{
	free(r->stacks.ids);
	free(r->strings.ids);
}

static void forget(struct gt_refs_seen *seen, size_t count)
{
	seen->count = GT_MAX(count, 1);
	if (seen->count > seen->cap) {
		seen->cap = seen->count;
		seen->ids = gt_realloc(seen->ids, seen->cap);
	}
	memset(seen->ids, 0, seen->count);
	seen->ids[0] = 1; /* the empty one */
}

void gt_refs_generation(struct gt_refs *r, const struct gt_generation *g)
{
	r->generation = g;
	forget(&r->stacks, g->stack_ids.dense_count);
	forget(&r->strings, g->string_ids.dense_count);
}

static void see(struct gt_refs_seen *seen, uint64_t id)
{
	if (id < seen->count) {
		seen->ids[id] = 1;
	}
}

static int bad_id(const struct gt_refs *r, const struct gt_event *ev, const char *what, uint64_t id,
		  struct gt_error *e)
{
	gt_error_set(e, GT_ERROR_INVALID, ev->offset, r->generation->number, ev->m,
		     "invalid %s id %" PRIu64 "; expected one of the %s table of this generation",
		     what, id, what);
	gt_event_text(ev, e->event, sizeof(e->event));
	return -1;
}

int gt_refs_check(struct gt_refs *r, const struct gt_event *ev, struct gt_error *e)
{
	const struct gt_refs_row *row = &r->rows[ev->number];

	for (unsigned i = 0; i < row->nstacks; i++) {
		const uint64_t id = ev->args[row->stacks[i]];
		struct gt_stack *s = gt_generation_stack(r->generation, id);

		if (s == NULL) {
			return bad_id(r, ev, "stack", id, e);
		}
		if (!s->checked && r->strict && gt_strict_stack(r->generation, s, e) < 0) {
			return -1;
		}
		see(&r->stacks, id);
	}
	for (unsigned i = 0; i < row->nstrings; i++) {
		const uint64_t id = ev->args[row->strings[i]];

		if (gt_generation_string(r->generation, id) == NULL) {
			return bad_id(r, ev, "string", id, e);
		}
		see(&r->strings, id);
	}
	return 0;
}
