/*
 * Many streams -> one: the next events of all Ms stand in the frontier, the earliest that the order
 * lets happen comes out, and with it what belongs there besides.
 */
#include "merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontier.h"
#include "order.h"
#include "strict.h"

/*
 * One M in a generation. Its next event is one of a pair: while one of them is being delivered,
 * the other is read.
 */
struct lane {
	struct gt_cursor cursor;
	struct gt_event pair[2];
	unsigned which;
	struct gt_m *m; /* of the order */
	struct gt_cursor facts;
	struct gt_event fact;
	bool has_fact;
};

/* Which arguments of an event are string or stack ids. */
struct refs {
	uint8_t nstacks, nstrings;
	uint8_t stacks[2], strings[2];
};

struct gt_merge {
	struct gt_reader *reader;
	struct gt_generation *generation;
	struct gt_order order;
	struct gt_strict_clock clock;
	unsigned flags;
	bool ended;
	uint64_t complete;
	uint64_t unread; /* batches of facts left before their end */
	uint64_t last;   /* time of the last event returned */

	struct lane *lanes;
	size_t nlanes, lanes_cap;
	struct gt_frontier frontier; /* ids are places in lanes */
	size_t sample;               /* next one */

	unsigned out; /* next of order.out */
	/* Facts that come before what is in order.out: those of this lane up to this time. */
	struct lane *facts_of;
	uint64_t facts_until;
	bool facts_begin;  /* it is a beginning: no Call of that time */
	size_t facts_lane; /* at the generation's end: all lanes from this one */

	struct refs refs[256]; /* by event number */
};

static struct refs refs_of(const struct gt_spec *spec)
{
	struct refs r = {0};

	for (unsigned i = 0; i < spec->nargs; i++) {
		if (spec->args[i].type == GT_ARG_stack) {
			r.stacks[r.nstacks++] = (uint8_t)i;
		} else if (spec->args[i].type == GT_ARG_str) {
			r.strings[r.nstrings++] = (uint8_t)i;
		}
	}
	return r;
}

/* --- Opening and closing ------------------------------------------------------------------ */

static struct gt_merge *begin(struct gt_reader *reader, unsigned flags)
{
	struct gt_merge *t;

	if (reader == NULL) {
		return NULL;
	}
	t = gt_alloc(sizeof(*t));
	t->reader = reader;
	t->flags = flags;
	gt_order_init(&t->order, flags & GT_MERGE_STRICT, flags & GT_MERGE_LIVE);
	for (size_t i = 0; i < gt_specs_count; i++) {
		if (gt_specs[i].kind == GT_TIMED || gt_specs[i].kind == GT_ALLOC) {
			t->refs[gt_specs[i].number] = refs_of(&gt_specs[i]);
		}
	}
	return t;
}

struct gt_merge *gt_merge_open(const char *path, unsigned flags, struct gt_error *e)
{
	return begin(gt_reader_open(path, e), flags);
}

struct gt_merge *gt_merge_open_memory(const void *data, size_t size, unsigned flags,
				      struct gt_error *e)
{
	return begin(gt_reader_open_memory(data, size, e), flags);
}

void gt_merge_close(struct gt_merge *t)
{
	if (t == NULL) {
		return;
	}
	gt_order_fini(&t->order);
	gt_reader_close(t->reader);
	free(t->lanes);
	gt_frontier_fini(&t->frontier);
	free(t);
}

const struct gt_generation *gt_merge_generation(const struct gt_merge *t)
{
	return t->generation;
}

uint64_t gt_merge_complete(const struct gt_merge *t)
{
	return t->complete;
}

uint64_t gt_merge_unread(const struct gt_merge *t)
{
	return t->unread;
}

unsigned gt_merge_version(const struct gt_merge *t)
{
	return gt_reader_version(t->reader);
}

/* --- Generations -------------------------------------------------------------------------- */

static struct gt_event *next_of(struct lane *lane)
{
	return &lane->pair[lane->which];
}

static struct lane *add_lane(struct gt_merge *t)
{
	t->lanes = gt_grow(t->lanes, t->nlanes, &t->lanes_cap, sizeof(*t->lanes));
	t->lanes[t->nlanes] = (struct lane){0};
	return &t->lanes[t->nlanes++];
}

/* A call has these at its beginning, and others at its end. */
static bool is_begin(const struct gt_event *ev)
{
	return ev->kind == GT_TIMED &&
	       (ev->number == GT_EV_GO_SYSCALL_BEGIN || ev->number == GT_EV_GO_BLOCK ||
		ev->number == GT_EV_PROC_STOP);
}

static int next_fact(struct lane *lane, struct gt_error *e)
{
	int n = gt_cursor_next(&lane->facts, &lane->fact, e);

	lane->fact.p = GT_NO_P;
	lane->fact.g = GT_NO_G;
	lane->has_fact = n > 0;
	return n;
}

/* Lane i is that of stream i; Ms that have only facts come after. */
static int fill_lanes(struct gt_merge *t, struct gt_error *e)
{
	const struct gt_generation *g = t->generation;

	t->nlanes = 0;
	gt_frontier_clear(&t->frontier);
	for (size_t i = 0; i < g->streams.count; i++) {
		struct lane *lane = add_lane(t);
		int n;

		gt_cursor_init(&lane->cursor, g, &g->streams.array[i], false);
		n = gt_cursor_next(&lane->cursor, next_of(lane), e);
		if (n < 0) {
			return -1;
		}
		if (n > 0) {
			gt_frontier_push(&t->frontier, next_of(lane)->time, i);
		}
	}
	for (size_t i = 0; i < g->facts.count; i++) {
		const struct gt_stream *s = &g->facts.array[i];
		uintptr_t at = gt_idmap_get(&g->streams.by_m, s->m);
		struct lane *lane = at != 0 ? &t->lanes[at - 1] : add_lane(t);

		gt_cursor_init(&lane->facts, g, s, true);
		lane->facts.unread = t->flags & GT_MERGE_LIVE ? NULL : &t->unread;
		if (next_fact(lane, e) < 0) {
			return -1;
		}
	}
	return 0;
}

static int begin_generation(struct gt_merge *t, struct gt_event *ev, struct gt_error *e)
{
	int n = gt_reader_next(t->reader, &t->generation, e);

	if (n <= 0) {
		if (n == 0 && t->complete == 0) {
			n = gt_error_set(e, GT_ERROR_TRUNCATED, gt_reader_offset(t->reader),
					 GT_NOWHERE, GT_NOWHERE,
					 "the file ends after its header, without a generation");
		}
		t->generation = NULL;
		return n;
	}
	if (t->flags & GT_MERGE_ALONE) {
		gt_order_fini(&t->order);
		gt_order_init(&t->order, t->flags & GT_MERGE_STRICT, t->flags & GT_MERGE_LIVE);
		t->clock.known = false;
	}
	if ((t->flags & GT_MERGE_STRICT) &&
	    gt_strict_clock(&t->clock, t->generation, gt_merge_version(t), t->flags & GT_MERGE_LIVE,
			    e) < 0) {
		return -1;
	}
	gt_order_generation(&t->order, t->generation);
	if (fill_lanes(t, e) < 0) {
		return -1;
	}
	t->sample = t->facts_lane = 0;
	*ev = (struct gt_event){.number = GT_EV_SYNC,
				.kind = GT_STRUCT,
				.time = t->generation->start,
				.m = GT_NO_M,
				.p = GT_NO_P,
				.g = GT_NO_G,
				.offset = t->generation->offset};
	return 1;
}

/* --- Events ------------------------------------------------------------------------------- */

GT_COLD static int bad_id(const struct gt_merge *t, const struct gt_event *ev, const char *what,
			  uint64_t id, struct gt_error *e)
{
	gt_error_set(e, GT_ERROR_INVALID, ev->offset, t->generation->number, ev->m,
		     "invalid %s id %" PRIu64 "; expected one of the %s table of this generation",
		     what, id, what);
	gt_event_text(ev, e->event, sizeof(e->event));
	return -1;
}

static int check_ids(const struct gt_merge *t, const struct gt_event *ev, struct gt_error *e)
{
	const struct refs *r = &t->refs[ev->number];

	for (unsigned i = 0; i < r->nstacks; i++) {
		struct gt_stack *s = gt_generation_stack(t->generation, ev->args[r->stacks[i]]);

		if (s == NULL) {
			return bad_id(t, ev, "stack", ev->args[r->stacks[i]], e);
		}
		if (!s->checked && (t->flags & GT_MERGE_STRICT) &&
		    gt_strict_stack(t->generation, s, e) < 0) {
			return -1;
		}
	}
	for (unsigned i = 0; i < r->nstrings; i++) {
		if (gt_generation_string(t->generation, ev->args[r->strings[i]]) == NULL) {
			return bad_id(t, ev, "string", ev->args[r->strings[i]], e);
		}
	}
	return 0;
}

/* Nothing can come next: what each of the events waits for, the earliest first. */
GT_COLD static int stuck(struct gt_merge *t, struct gt_error *e)
{
	struct gt_frontier *f = &t->frontier;
	size_t n = 0, shown;
	char text[200], name[100];

	gt_frontier_sort_parked(f);
	for (shown = 0; shown < f->nparked && shown < 8 && n < sizeof(e->message); shown++) {
		const struct gt_event *ev = next_of(&t->lanes[f->parked[shown].entry.id]);

		if (shown == 0) {
			gt_error_set(e, GT_ERROR_INVALID, ev->offset, t->generation->number, ev->m,
				     "failed to advance: no event of any M can come next");
			gt_event_text(ev, e->event, sizeof(e->event));
			n = strlen(e->message);
		}
		t->order.wait = f->parked[shown].waits;
		gt_order_why(&t->order, ev, text, sizeof(text));
		gt_event_text(ev, name, sizeof(name));
		n += (size_t)snprintf(e->message + n, sizeof(e->message) - n,
				      "; M %" PRId64 " waits with %s: %s", (int64_t)ev->m, name,
				      text);
	}
	if (shown < f->nparked && n < sizeof(e->message)) {
		snprintf(e->message + n, sizeof(e->message) - n, "; and %zu more",
			 f->nparked - shown);
	}
	return -1;
}

static int next_sample(struct gt_merge *t, struct gt_event *ev, struct gt_error *e)
{
	const struct gt_sample *s = &t->generation->samples[t->sample];
	struct gt_stack *stack;
	uint64_t time;

	if (gt_frontier_earliest(&t->frontier, &time) && (int64_t)s->time >= (int64_t)time) {
		return 0;
	}
	stack = gt_generation_stack(t->generation, s->stack);
	if (!stack->checked && (t->flags & GT_MERGE_STRICT) &&
	    gt_strict_stack(t->generation, stack, e) < 0) {
		return -1;
	}
	t->sample++;
	*ev = (struct gt_event){.number = GT_EV_CPU_SAMPLE,
				.kind = GT_STRUCT,
				.time = s->time,
				.args = {s->stack},
				.m = s->m,
				.p = s->p,
				.g = s->g,
				.offset = s->offset};
	return 1;
}

/* The event at the frontier's head has happened: on to the next of its M. */
static int step(struct gt_merge *t, struct lane *lane, struct gt_error *e)
{
	int n;

	t->out = 0;
	t->facts_of = lane->has_fact ? lane : NULL;
	t->facts_until = next_of(lane)->time;
	t->facts_begin = is_begin(next_of(lane));
	lane->which ^= 1;
	n = gt_cursor_next(&lane->cursor, next_of(lane), e);
	if (n < 0) {
		return -1;
	}
	if (n == 0) {
		gt_frontier_pop(&t->frontier);
	} else {
		gt_frontier_replace(&t->frontier, next_of(lane)->time);
	}
	if (gt_unlikely(t->frontier.nparked > 0)) {
		gt_frontier_unpark(&t->frontier, t->order.changed, t->order.nchanged);
	}
	return 0;
}

/* Tries events in the order of time until one happens: 1, 0 if there is none left, -1. */
static int advance(struct gt_merge *t, struct gt_error *e)
{
	struct gt_frontier *f = &t->frontier;
	bool again = false;

	for (;;) {
		struct lane *lane;

		if (f->nheap == 0) {
			if (f->nparked == 0) {
				return 0;
			}
			if (again) {
				return stuck(t, e);
			}
			/* Should a key ever say too little: all may try once more. */
			again = true;
			gt_frontier_unpark_all(f);
		}
		lane = &t->lanes[f->heap[0].id];
		switch (gt_order_advance(&t->order, next_of(lane), &lane->m, e)) {
		case GT_ADVANCED:
			if (check_ids(t, next_of(lane), e) < 0) {
				return -1;
			}
			return step(t, lane, e) < 0 ? -1 : 1;
		case GT_NOT_YET:
			gt_frontier_park(f, t->order.wait);
			break;
		case GT_BROKEN:
			return -1;
		}
	}
}

/* The fact that this lane is at. late: all events of its M have been. */
static int give_fact(struct gt_merge *t, struct lane *lane, bool late, struct gt_event *ev,
		     struct gt_error *e)
{
	*ev = lane->fact;
	if ((t->flags & GT_MERGE_STRICT) &&
	    gt_strict_fact(t->generation, ev, late && (t->flags & GT_MERGE_LIVE), e) < 0) {
		return -1;
	}
	return next_fact(lane, e) < 0 ? -1 : 1;
}

/* Whether the next fact of the lane stands before the event in order.out. */
static bool fact_is_due(const struct gt_merge *t, const struct lane *lane)
{
	const int64_t time = (int64_t)lane->fact.time, until = (int64_t)t->facts_until;

	return lane->has_fact && time <= until &&
	       !(t->facts_begin && time == until && lane->fact.number == GT_FACT_CALL);
}

/* Facts that nothing was later than, lane by lane. */
static int last_facts(struct gt_merge *t, struct gt_event *ev, struct gt_error *e)
{
	for (; t->facts_lane < t->nlanes; t->facts_lane++) {
		struct lane *lane = &t->lanes[t->facts_lane];

		if (lane->has_fact) {
			return give_fact(t, lane, true, ev, e);
		}
	}
	return 0;
}

/* The next event, its time not yet made to grow. */
static int next(struct gt_merge *t, struct gt_event *ev, struct gt_error *e)
{
	for (;;) {
		int n;

		if (t->facts_of != NULL) {
			if (fact_is_due(t, t->facts_of)) {
				return give_fact(t, t->facts_of, false, ev, e);
			}
			t->facts_of = NULL;
		}
		if (t->out < t->order.nout) {
			*ev = *t->order.out[t->out++];
			return 1;
		}
		if (t->generation == NULL) {
			return begin_generation(t, ev, e);
		}
		if (t->sample < t->generation->nsamples && (n = next_sample(t, ev, e)) != 0) {
			return n;
		}
		t->order.nout = 0;
		n = advance(t, e);
		if (n > 0) {
			continue;
		}
		if (n < 0 || (n = last_facts(t, ev, e)) != 0) {
			return n;
		}
		if (gt_order_generation_end(&t->order, e) < 0) {
			return -1;
		}
		t->complete++;
		t->generation = NULL;
	}
}

int gt_merge_next(struct gt_merge *t, struct gt_event *ev, struct gt_error *e)
{
	const bool cut = t->generation != NULL && t->generation->cut;
	int n;

	if (t->ended) {
		return 0;
	}
	n = next(t, ev, e);
	if (n <= 0) {
		t->ended = true;
		if (n < 0 && cut && e->kind == GT_ERROR_INVALID) {
			e->kind = GT_ERROR_TRUNCATED; /* what it lacks may be what is cut off */
		}
		return n;
	}
	if (ev->kind != GT_FACT) {
		if ((int64_t)ev->time <= (int64_t)t->last) {
			ev->time = t->last + 1;
		}
		t->last = ev->time;
	}
	return 1;
}
