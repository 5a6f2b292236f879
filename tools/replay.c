/*
 * Replaying: beside the merged stream each batch is decoded a second time, as it stands.
 */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/varint.h"
#include "compose.h"

/* Where a stream is. */
struct place {
	const struct gt_batch *batch; /* NULL: at its end */
	const uint8_t *at;
	uint64_t ticks;
	struct gt_brief *facts; /* as in a cursor */
};

/* A batch by its offset in the file. */
struct span {
	uint64_t offset;
	size_t place; /* of its stream */
};

struct gt_replay {
	struct gt_merge *merge;
	struct place *places; /* of events, then of facts */
	size_t nplaces, places_cap;
	struct gt_brief *briefs; /* of those of facts */
	size_t briefs_cap;
	struct span *spans; /* by offset */
	size_t nspans, spans_cap;
	size_t sample;          /* the next one */
	struct gt_idmap stacks; /* G -> stack + 1 */
	bool listed;            /* stacks has also those of later statuses */
};

static struct gt_replay *of(struct gt_merge *merge)
{
	struct gt_replay *r;

	if (merge == NULL) {
		return NULL;
	}
	r = gt_alloc(sizeof(*r));
	*r = (struct gt_replay){.merge = merge};
	return r;
}

struct gt_replay *gt_replay_open(const char *path, struct gt_error *e)
{
	return of(gt_merge_open(path, 0, e));
}

struct gt_replay *gt_replay_open_memory(const void *data, size_t size, struct gt_error *e)
{
	return of(gt_merge_open_memory(data, size, 0, e));
}

bool gt_replay_seek(struct gt_replay *r, uint64_t ticks)
{
	return gt_merge_seek(r->merge, ticks);
}

void gt_replay_close(struct gt_replay *r)
{
	if (r == NULL) {
		return;
	}
	gt_merge_close(r->merge);
	gt_idmap_fini(&r->stacks);
	free(r->places);
	free(r->briefs);
	free(r->spans);
	free(r);
}

const struct gt_generation *gt_replay_generation(const struct gt_replay *r)
{
	return gt_merge_generation(r->merge);
}

struct gt_order *gt_replay_order(struct gt_replay *r)
{
	return gt_merge_order(r->merge);
}

unsigned gt_replay_version(const struct gt_replay *r)
{
	return gt_merge_version(r->merge);
}

/* --- Streams as they stand ---------------------------------------------------------------- */

static void enter(struct place *p, const struct gt_batch *b)
{
	p->batch = b;
	if (b != NULL) {
		p->at = b->data + (p->facts ? 2 : 0); /* the mark of a batch of facts */
		p->ticks = b->time;
		if (p->facts) {
			gt_brief_reset(p->facts);
		}
	}
}

static void add_places(struct gt_replay *r, const struct gt_streams *streams,
		       struct gt_brief *facts)
{
	for (size_t i = 0; i < streams->count; i++) {
		r->places = gt_grow(r->places, r->nplaces, &r->places_cap, sizeof(*r->places));
		r->places[r->nplaces] = (struct place){.facts = facts ? &facts[i] : NULL};
		enter(&r->places[r->nplaces++], streams->array[i].first);
		for (const struct gt_batch *b = streams->array[i].first; b != NULL; b = b->next) {
			r->spans = gt_grow(r->spans, r->nspans, &r->spans_cap, sizeof(*r->spans));
			r->spans[r->nspans++] = (struct span){b->offset, r->nplaces - 1};
		}
	}
}

static int by_offset(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

static void begin(struct gt_replay *r)
{
	const struct gt_generation *g = gt_merge_generation(r->merge);

	r->nplaces = r->nspans = r->sample = 0;
	if (g->facts.count > r->briefs_cap) {
		free(r->briefs);
		r->briefs_cap = g->facts.count;
		r->briefs = gt_alloc(r->briefs_cap * sizeof(*r->briefs));
	}
	add_places(r, &g->streams, NULL);
	add_places(r, &g->facts, r->briefs);
	if (r->nspans > 0) {
		qsort(r->spans, r->nspans, sizeof(*r->spans), by_offset);
	}
	gt_idmap_clear(&r->stacks);
	r->listed = false;
}

/* The stream in which this offset lies. */
static struct place *place_of(struct gt_replay *r, uint64_t offset)
{
	size_t lo = 0, hi = r->nspans;

	while (hi - lo > 1) {
		const size_t mid = lo + (hi - lo) / 2;

		if (r->spans[mid].offset <= offset) {
			lo = mid;
		} else {
			hi = mid;
		}
	}
	return &r->places[r->spans[lo].place];
}

/*
 * The next event of a stream. It has been decoded before, by the cursor behind merge.h: what that
 * refuses never comes here.
 */
static bool decode(struct place *p, struct gt_replayed *out)
{
	const uint8_t *end;
	uint64_t dt = 0;
	uint8_t number;

	for (;;) {
		while (p->batch != NULL && p->at >= p->batch->data + p->batch->size) {
			enter(p, p->batch->next);
		}
		if (p->batch == NULL) {
			return false;
		}
		out->spec = p->facts ? gt_spec_fact(*p->at) : gt_spec_event(*p->at);
		if (out->spec != NULL) {
			break;
		}
		if (!p->facts) {
			return false;
		}
		/* A newer writer's: the cursor has left the batch there as well. */
		enter(p, p->batch->next);
	}
	end = p->batch->data + p->batch->size;
	p->at++;
	p->at += GT_MAX(gt_varint_get(p->at, end, &dt), 0);
	p->ticks += dt;
	for (unsigned i = 0; i < out->spec->nargs; i++) {
		p->at += GT_MAX(gt_varint_get(p->at, end, &out->args[i]), 0);
	}
	number = out->spec->number;
	if (p->facts && gt_brief_read(p->facts, p->batch->m, &number, out->args)) {
		out->spec = gt_spec_fact(number);
	}
	out->m = p->batch->m;
	out->ticks = p->ticks;
	return true;
}

/* --- Stacks ------------------------------------------------------------------------------- */

static void note_stack(struct gt_replay *r, uint64_t g, uint64_t stack, bool later)
{
	if (later && gt_idmap_get(&r->stacks, g) != 0) {
		return;
	}
	gt_idmap_remove(&r->stacks, g);
	gt_idmap_put(&r->stacks, g, (uintptr_t)stack + 1);
}

static void note_stacks(struct gt_replay *r, const struct gt_replayed *out, bool later)
{
	switch (out->spec->number) {
	case GT_EV_GO_STATUS_STACK:
		note_stack(r, out->args[0], out->args[3], later);
		break;
	case GT_EV_GO_CREATE:
	case GT_EV_GO_CREATE_BLOCKED:
		note_stack(r, out->args[0], out->args[1], later);
		break;
	case GT_EV_GO_BLOCK:
	case GT_EV_GO_STOP:
	case GT_EV_GO_SYSCALL_BEGIN:
		if (!later && out->event.g != GT_NO_G && out->args[1] != 0) {
			note_stack(r, out->event.g, out->args[1], false);
		}
		break;
	default:
		break;
	}
}

uint64_t gt_replay_stack(struct gt_replay *r, uint64_t g)
{
	uintptr_t word;

	for (size_t i = 0; i < r->nplaces && !r->listed; i++) {
		struct place p = r->places[i];
		struct gt_replayed later = {0};

		while (!p.facts && decode(&p, &later)) {
			note_stacks(r, &later, true);
		}
	}
	r->listed = true;
	word = gt_idmap_get(&r->stacks, g);
	return word != 0 ? word - 1 : 0;
}

/* --- All of it ---------------------------------------------------------------------------- */

/* What out->event is. */
static bool decode_next(struct gt_replay *r, struct gt_replayed *out)
{
	struct place *p = place_of(r, out->event.offset);
	struct place end;

	if (out->event.kind != GT_FACT || p->facts) {
		return decode(p, out);
	}
	/* A Call that is not written: the end that it belongs to, which comes next, tells when. */
	end = *p;
	if (!decode(&end, out)) {
		return false;
	}
	out->spec = gt_spec_fact(out->event.number);
	memcpy(out->args, out->event.args, sizeof(out->event.args));
	return true;
}

int gt_replay_next(struct gt_replay *r, struct gt_replayed *out, struct gt_error *e)
{
	for (;;) {
		const struct gt_generation *g;
		int n = gt_merge_next(r->merge, &out->event, e);

		if (n <= 0) {
			return n;
		}
		g = gt_merge_generation(r->merge);
		if (out->event.kind == GT_STRUCT && out->event.number == GT_EV_SYNC) {
			begin(r);
			out->kind = GT_REPLAY_GENERATION;
			return 1;
		}
		if (out->event.kind == GT_STRUCT) {
			out->kind = GT_REPLAY_SAMPLE;
			out->sample = g->samples[r->sample++];
			out->sample.time = gt_compose_ticks(g, out->sample.time);
			return 1;
		}
		if (out->event.implied) {
			continue;
		}
		if (!decode_next(r, out)) {
			return gt_error_set(e, GT_ERROR_INVALID, out->event.offset, g->number,
					    out->event.m, "the event cannot be decoded again");
		}
		if (out->event.kind == GT_FACT) {
			out->kind = GT_REPLAY_FACT;
			return 1;
		}
		out->kind = GT_REPLAY_EVENT;
		note_stacks(r, out, false);
		return 1;
	}
}
