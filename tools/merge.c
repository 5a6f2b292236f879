/*
 * Many streams -> one: the next events of all Ms stand in the frontier, the earliest that the order
 * lets happen comes out, and with it what belongs there besides.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "merge_own.h"
#include "usual.h"

/* What a step towards the next event gives: -1, 0 for the end of the trace, or one of these. */
enum { GIVEN = 1, AGAIN, PAUSED };

/* --- Opening and closing ------------------------------------------------------------------ */

static struct gt_merge *begin(struct gt_reader *reader, unsigned flags)
{
	struct gt_merge *t;

	if (reader == NULL) {
		return NULL;
	}
	t = gt_alloc(sizeof(*t));
	t->reader = reader;
	t->beside = true;
	t->flags = flags;
	gt_order_init(&t->order, flags & GT_MERGE_STRICT, flags & GT_MERGE_LIVE);
	gt_refs_init(&t->refs, flags & GT_MERGE_STRICT);
	gt_frontier_clear(&t->frontier);
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

struct gt_merge *gt_merge_share(struct gt_merge *t, unsigned flags)
{
	return begin(gt_reader_share(t->reader), flags);
}

bool gt_merge_seek(struct gt_merge *t, uint64_t ticks)
{
	return gt_reader_seek(t->reader, ticks);
}

void gt_merge_close(struct gt_merge *t)
{
	if (t == NULL) {
		return;
	}
	gt_order_fini(&t->order);
	gt_reader_close(t->reader);
	free(t->lanes);
	free(t->briefs);
	gt_refs_fini(&t->refs);
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

struct gt_order *gt_merge_order(struct gt_merge *t)
{
	return &t->order;
}

unsigned gt_merge_version(const struct gt_merge *t)
{
	return gt_reader_version(t->reader);
}

/* --- Generations -------------------------------------------------------------------------- */

/* Room for n lanes, none of which is in use, and for so many streams of facts. */
static void reserve_lanes(struct gt_merge *t, size_t n, size_t facts)
{
	if (facts > t->briefs_cap) {
		free(t->briefs);
		t->briefs_cap = facts;
		t->briefs = gt_alloc(facts * sizeof(*t->briefs));
	}
	t->nlanes = 0;
	if (n > t->lanes_cap) {
		free(t->lanes);
		t->lanes_cap = n;
		t->lanes = gt_alloc(n * sizeof(*t->lanes));
	}
}

static struct gt_lane *add_lane(struct gt_merge *t)
{
	struct gt_lane *lane = &t->lanes[t->nlanes++];

	lane->m = NULL;
	lane->fact_time = INT64_MAX;
	lane->events.batch = lane->facts.batch = NULL;
	lane->facts.facts = NULL;
	lane->begin_time = lane->call_time = INT64_MIN;
	return lane;
}

/*
 * Lane i is that of stream i; Ms that have only facts come after. The first event of each is read
 * as a whole, so that what is wrong with it is told before the generation is.
 */
static int fill_lanes(struct gt_merge *t, struct gt_error *e)
{
	const struct gt_generation *g = t->generation;

	reserve_lanes(t, g->streams.count + g->facts.count, g->facts.count);
	gt_frontier_clear(&t->frontier);
	for (size_t i = 0; i < g->streams.count; i++) {
		struct gt_lane *lane = add_lane(t);
		int n;

		gt_cursor_init(&lane->events, g, &g->streams.array[i], NULL);
		n = gt_cursor_next(&lane->events, &t->event, e);
		if (n < 0) {
			return -1;
		}
		if (n > 0) {
			gt_frontier_push(&t->frontier, lane->events.time, i);
		}
	}
	for (size_t i = 0; i < g->facts.count; i++) {
		const struct gt_stream *s = &g->facts.array[i];
		uintptr_t at = gt_idmap_get(&g->streams.by_m, s->m);
		struct gt_lane *lane = at != 0 ? &t->lanes[at - 1] : add_lane(t);
		int n;

		gt_cursor_init(&lane->facts, g, s, &t->briefs[i]);
		lane->facts.unread = t->flags & GT_MERGE_LIVE ? NULL : &t->unread;
		n = gt_lane_fact(lane, e);
		if (n < 0 || (n > 0 && gt_cursor_take(&lane->facts, &t->fact, e) < 0)) {
			return -1;
		}
		/* It will be taken again: its batch has said nothing yet. */
		gt_brief_reset(&t->briefs[i]);
	}
	return 0;
}

static int begin_generation(struct gt_merge *t, struct gt_event **ev, struct gt_error *e)
{
	int n = gt_reader_next(t->reader, &t->generation, e);

	if (n <= 0) {
		if (n == 0 && t->complete == 0 && !(t->flags & GT_MERGE_PAUSE)) {
			n = gt_error_set(e, GT_ERROR_TRUNCATED, gt_reader_offset(t->reader),
					 GT_NOWHERE, GT_NOWHERE,
					 "the file ends after its header, without a generation");
		}
		t->generation = NULL;
		return n;
	}
	if (t->flags & GT_MERGE_ALONE) {
		struct gt_granted *granted = t->order.granted;

		gt_order_fini(&t->order);
		gt_order_init(&t->order, t->flags & GT_MERGE_STRICT, t->flags & GT_MERGE_LIVE);
		t->order.granted = granted;
		t->clock.known = false;
		t->last = t->flags & GT_MERGE_PAUSE ? 0 : t->last;
	}
	if ((t->flags & GT_MERGE_STRICT) &&
	    gt_strict_clock(&t->clock, t->generation, gt_merge_version(t), t->flags & GT_MERGE_LIVE,
			    e) < 0) {
		return -1;
	}
	gt_order_generation(&t->order, t->generation);
	gt_refs_generation(&t->refs, t->generation);
	if (fill_lanes(t, e) < 0) {
		return -1;
	}
	t->sample = t->facts_lane = 0;
	t->over = false;
	t->cut = t->generation->cut;
	t->extra = (struct gt_event){.number = GT_EV_SYNC,
				     .kind = GT_STRUCT,
				     .time = t->generation->start,
				     .m = GT_NO_M,
				     .p = GT_NO_P,
				     .g = GT_NO_G,
				     .offset = t->generation->offset};
	*ev = &t->extra;
	return 1;
}

/* --- Events ------------------------------------------------------------------------------- */

/* Nothing can come next: what each of the events waits for, the earliest first. */
GT_COLD static int stuck(struct gt_merge *t, struct gt_error *e)
{
	struct gt_frontier *f = &t->frontier;
	size_t n = 0, shown;
	char text[200], name[100];

	gt_frontier_sort_parked(f);
	for (shown = 0; shown < f->nparked && shown < 8 && n < sizeof(e->message); shown++) {
		struct gt_event ev;

		if (gt_cursor_take(&t->lanes[f->parked[shown].entry.id].events, &ev, e) < 0) {
			return -1;
		}
		if (shown == 0) {
			gt_error_set(e, GT_ERROR_INVALID, ev.offset, t->generation->number, ev.m,
				     "failed to advance: no event of any M can come next");
			gt_event_text(&ev, e->event, sizeof(e->event));
			n = strlen(e->message);
		}
		t->order.wait = f->parked[shown].waits;
		gt_order_why(&t->order, &ev, text, sizeof(text));
		gt_event_text(&ev, name, sizeof(name));
		n += (size_t)snprintf(e->message + n, sizeof(e->message) - n,
				      "; M %" PRId64 " waits with %s: %s", (int64_t)ev.m, name,
				      text);
	}
	if (shown < f->nparked && n < sizeof(e->message)) {
		snprintf(e->message + n, sizeof(e->message) - n, "; and %zu more",
			 f->nparked - shown);
	}
	return -1;
}

static int next_sample(struct gt_merge *t, struct gt_event **ev, struct gt_error *e)
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
	t->extra = (struct gt_event){.number = GT_EV_CPU_SAMPLE,
				     .kind = GT_STRUCT,
				     .time = s->time,
				     .args = {s->stack},
				     .m = s->m,
				     .p = s->p,
				     .g = s->g,
				     .offset = s->offset};
	*ev = &t->extra;
	return 1;
}

/* Nothing stands in the heap: > 0 if something parked may try once more, or all is over. */
GT_COLD static int none_is_first(struct gt_merge *t, struct gt_error *e)
{
	if (t->frontier.nparked == 0) {
		t->over = t->beside = true;
		return AGAIN;
	}
	if (t->tried_all) {
		return stuck(t, e);
	}
	/* Should a key ever say too little: all may try once more. */
	t->tried_all = true;
	gt_frontier_unpark_all(&t->frontier);
	return AGAIN;
}

/* The earliest event that can happen does, with what precedes and follows from it. */
GT_INLINE int advance_by(struct gt_merge *t, bool strict, struct gt_event **out, struct gt_error *e)
{
	struct gt_event *ev = &t->event;
	struct gt_lane *lane;
	int n;

	if (gt_unlikely(!gt_frontier_any(&t->frontier))) {
		return none_is_first(t, e);
	}
	lane = &t->lanes[t->frontier.first.id];
	if (gt_unlikely(gt_cursor_take(&lane->events, ev, e) < 0)) {
		return -1;
	}
	if (gt_likely(lane->m != NULL)) {
		ev->g = lane->m->g;
		ev->p = lane->m->p;
	}
	if (gt_likely(lane->m != NULL &&
		      happens_as_usual(&t->order, ev->number,
				       (struct args){{ev->args[0], ev->args[1], ev->args[2]}},
				       lane->m, strict))) {
		t->order.nout = t->order.nimplied = 0;
		happened(&t->order, ev);
	} else {
		n = gt_order_advance(&t->order, ev, &lane->m, e);
		if (n == GT_NOT_YET) {
			gt_frontier_park(&t->frontier, t->order.wait, t->order.wait_seq);
			return AGAIN;
		}
		if (n == GT_BROKEN) {
			return -1;
		}
	}
	t->tried_all = false;
	if (!gt_refs_known(&t->refs, ev) && gt_refs_check(&t->refs, ev, e) < 0) {
		return -1;
	}
	if (ev->number == GT_EV_GO_SYSCALL_BEGIN) {
		lane->begin_time = (int64_t)ev->time;
	}
	lane->event_batch = lane->events.batch->time;
	/* Facts that are due may say that calls repeat, or no more: then beside() knows. */
	t->facts_end = ev->number == GT_EV_GO_SYSCALL_END &&
		       (lane->fact_time <= (int64_t)ev->time || gt_lane_repeats(lane));
	if (lane->fact_time <= (int64_t)ev->time || t->order.nout > 1 || t->facts_end) {
		t->beside = true;
		t->out = 0;
		t->nout = t->order.nout;
		t->facts_of = lane;
		t->facts_until = (int64_t)ev->time;
		t->facts_begin = gt_merge_is_begin(ev->number);
	}
	if (gt_merge_follow(t, lane, e) < 0) {
		return -1;
	}
	gt_merge_wake(t);
	*out = ev;
	return t->beside ? AGAIN : GIVEN;
}

GT_INLINE int advance(struct gt_merge *t, struct gt_event **out, struct gt_error *e)
{
	return t->order.strict ? advance_by(t, true, out, e) : advance_by(t, false, out, e);
}

/* The fact that this lane is at. late: all events of its M have been. */
static int give_fact(struct gt_merge *t, struct gt_lane *lane, bool late, struct gt_event **out,
		     struct gt_error *e)
{
	struct gt_event *ev = &t->fact;

	lane->fact_batch = lane->facts.batch->time;
	if (gt_cursor_take(&lane->facts, ev, e) < 0) {
		return -1;
	}
	ev->p = GT_NO_P;
	ev->g = GT_NO_G;
	if ((t->flags & GT_MERGE_STRICT) &&
	    gt_strict_fact(t->generation, ev, late && (t->flags & GT_MERGE_LIVE), e) < 0) {
		return -1;
	}
	if (ev->number == GT_FACT_CALL) {
		lane->call_time = (int64_t)ev->time;
	}
	*out = ev;
	return gt_lane_fact(lane, e) < 0 ? -1 : GIVEN;
}

/* The Call of the end in order.out, which is not written. */
static void give_unwritten(struct gt_merge *t, const struct gt_lane *lane, struct gt_event **out)
{
	t->fact = (struct gt_event){.number = GT_FACT_CALL,
				    .kind = GT_FACT,
				    .time = (uint64_t)t->facts_until,
				    .m = t->event.m,
				    .p = GT_NO_P,
				    .g = GT_NO_G,
				    .offset = t->event.offset};
	gt_brief_go_on(lane->facts.facts);
	gt_brief_last(lane->facts.facts, t->fact.args);
	*out = &t->fact;
}

/* Whether the next fact of the lane stands before the event in order.out. */
static bool fact_is_due(const struct gt_merge *t, const struct gt_lane *lane)
{
	return lane->fact_time <= t->facts_until && lane->fact_time != INT64_MAX &&
	       !(t->facts_begin && lane->fact_time == t->facts_until &&
		 gt_merge_is_call(*lane->facts.at));
}

/* Facts that nothing was later than, lane by lane. */
static int last_facts(struct gt_merge *t, struct gt_event **ev, struct gt_error *e)
{
	for (; t->facts_lane < t->nlanes; t->facts_lane++) {
		struct gt_lane *lane = &t->lanes[t->facts_lane];

		if (lane->facts.batch != NULL) {
			return give_fact(t, lane, true, ev, e);
		}
	}
	return 0;
}

/* What is no event of an M, or was held back by such: GIVEN, AGAIN if nothing is, 0, -1. */
static int beside(struct gt_merge *t, struct gt_event **ev, struct gt_error *e)
{
	int n;

	if (t->ended) {
		return 0;
	}
	if (t->facts_of != NULL) {
		if (fact_is_due(t, t->facts_of)) {
			return give_fact(t, t->facts_of, false, ev, e);
		}
		if (t->facts_end) {
			t->facts_end = false;
			/* Its own may have been among them. */
			if (gt_lane_repeats(t->facts_of)) {
				give_unwritten(t, t->facts_of, ev);
				return GIVEN;
			}
		}
		t->facts_of = NULL;
	}
	if (t->out < t->nout) {
		*ev = t->order.out[t->out++];
		return GIVEN;
	}
	if (t->generation == NULL || t->pausing) {
		t->pausing = false;
		return begin_generation(t, ev, e);
	}
	if (t->sample < t->generation->nsamples && (n = next_sample(t, ev, e)) != 0) {
		return n;
	}
	if (t->over) {
		if ((n = last_facts(t, ev, e)) != 0) {
			return n;
		}
		if (gt_order_generation_end(&t->order, e) < 0) {
			return -1;
		}
		t->complete++;
		t->cut = t->over = false;
		t->pausing = true;
		return t->flags & GT_MERGE_PAUSE ? PAUSED : AGAIN;
	}
	t->beside = false;
	n = advance(t, ev, e);
	t->beside |= t->sample < t->generation->nsamples;
	return n;
}

GT_COLD static int end(struct gt_merge *t, int n, struct gt_error *e)
{
	if (n < 0 && t->cut && e->kind == GT_ERROR_INVALID) {
		e->kind = GT_ERROR_TRUNCATED; /* what it lacks may be what is cut off */
	}
	t->ended = t->beside = true;
	return n;
}

GT_COLD static int no_time_left(const struct gt_event *ev, struct gt_error *e)
{
	return gt_error_set(e, GT_ERROR_INVALID, ev->offset, GT_NOWHERE, ev->m,
			    "its time, 1 ns after that of the event before, has more than 63 bits");
}

int gt_merge_lend(struct gt_merge *t, const struct gt_event **out, struct gt_error *e)
{
	struct gt_event *ev;
	int n;

	do {
		n = gt_unlikely(t->beside) ? beside(t, &ev, e) : advance(t, &ev, e);
	} while (n == AGAIN);
	if (gt_unlikely(n != GIVEN)) {
		return n == PAUSED ? GT_MERGE_PAUSED : end(t, n, e);
	}
	if (gt_likely(ev->kind != GT_FACT)) {
		if ((int64_t)ev->time <= (int64_t)t->last) {
			if (t->last == INT64_MAX && (t->flags & GT_MERGE_STRICT)) {
				t->ended = t->beside = true;
				return no_time_left(ev, e);
			}
			ev->time = t->last + 1;
		}
		t->last = ev->time;
	}
	*out = ev;
	return 1;
}

int gt_merge_skim(struct gt_merge *t, const struct gt_event **ev, struct gt_count *count,
		  struct gt_error *e)
{
	return gt_merge_pass(t, count, e) < 0 ? end(t, -1, e) : gt_merge_lend(t, ev, e);
}

int gt_merge_next(struct gt_merge *t, struct gt_event *ev, struct gt_error *e)
{
	const struct gt_event *lent;
	int n = gt_merge_lend(t, &lent, e);

	if (n > 0) {
		*ev = *lent;
	}
	return n;
}
