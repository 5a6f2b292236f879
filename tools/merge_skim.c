/*
 * Events that nobody wants to see: checked as all others, and passed over.
 *
 * Most of a trace is a handful of events of which nothing is to be told but that they may happen.
 * They are read here where they stand, without a struct gt_event being made of each, and with their
 * rule (usual.h) compiled for each on its own: 6 to 12 ns an event, where merge.c takes 20 to 35.
 * Whatever is not quite as usual is left to merge.c, before anything has changed.
 */
#include "merge_own.h"

#include "decode.h"
#include "usual.h"

/* Types of the arguments, as constants. */
static const uint8_t types[256][GT_EVENT_ARGS + 1] = {
#define A(type, name) GT_ARG_##type,
#define GT_KIND_STRUCT(number, ...)
#define GT_KIND_TIMED(number, ...) [number] = {__VA_ARGS__ GT_ARG_none},
#define GT_KIND_ALLOC(number, ...)
#define GT_KIND_FACT(number, ...)
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_KIND_##kind(number, args)
#include "base/events.def"
#undef GT_KIND_STRUCT
#undef GT_KIND_TIMED
#undef GT_KIND_ALLOC
#undef GT_KIND_FACT
#undef A
};

/*
 * Where times are so large that they might come to the last one that there is. No generation has
 * that many events.
 */
#define FAR (INT64_MAX - ((int64_t)1 << 48))

GT_INLINE bool is_known(const struct gt_refs *r, unsigned type, uint64_t id)
{
	return type == GT_ARG_stack ? gt_refs_has(&r->stacks, id)
	       : type == GT_ARG_str ? gt_refs_has(&r->strings, id)
				    : true;
}

/* The event of that number, its arguments at p: where it ends, NULL if it is not as usual. */
GT_INLINE const uint8_t *happen(struct gt_merge *t, struct gt_lane *lane, unsigned number,
				const uint8_t *p, bool strict)
{
	const uint8_t *end = lane->events.end;
	const unsigned n = gt_event_shapes[number].fields - 1u;
	struct gt_number a[3] = {{p, 0}};

	a[0] = n > 0 ? gt_decode_short(p, end) : a[0];
	a[1] = n > 1 && a[0].end != NULL ? gt_decode_short(a[0].end, end) : a[0];
	a[2] = n > 2 && a[1].end != NULL ? gt_decode_short(a[1].end, end) : a[1];
	if (a[2].end == NULL || a[2].end > end ||
	    (n > 0 && !is_known(&t->refs, types[number][0], a[0].value)) ||
	    (n > 1 && !is_known(&t->refs, types[number][1], a[1].value)) ||
	    (n > 2 && !is_known(&t->refs, types[number][2], a[2].value)) ||
	    !happens_as_usual(&t->order, number,
			      (struct args){{a[0].value, a[1].value, a[2].value}}, lane->m,
			      strict)) {
		return NULL;
	}
	return a[2].end;
}

/* Facts of which nothing is to be checked but the first number of a Call. */
static const bool plain_facts[256] = {
	[GT_FACT_CALL] = true,   [GT_FACT_BLOCK] = true,     [GT_FACT_WAIT_END] = true,
	[GT_FACT_RETAKE] = true, [GT_FACT_DIFFERING] = true, [GT_FACT_WAIT] = true,
	[GT_FACT_WOKEN] = true,  [GT_FACT_RETAKEN] = true,   [GT_FACT_REPEATING] = true,
};

/*
 * The facts that stand before the event of that number and time: false if one is not plain, or the
 * one after it is to be looked for with all care.
 */
static bool pass_facts(struct gt_lane *lane, unsigned number, int64_t time)
{
	struct gt_cursor *c = &lane->facts;

	while (lane->fact_time <= time) {
		const unsigned fact = *c->at;
		struct gt_number v = {c->args, 0};
		uint64_t args[GT_EVENT_ARGS];
		uint8_t whole = *c->at;
		const uint8_t *next;

		if (gt_merge_is_call(fact) && lane->fact_time == time &&
		    gt_merge_is_begin(number)) {
			return true;
		}
		if (c->at >= c->safe || !plain_facts[fact]) {
			return false;
		}
		for (unsigned i = 0; i + 1 < gt_fact_shapes[fact].fields; i++) {
			v = gt_decode_short(v.end, c->end);
			if (v.end == NULL) {
				return false;
			}
			args[i] = v.value;
		}
		if (fact == GT_FACT_CALL && args[0] == 0) {
			return false;
		}
		next = v.end;
		if (next >= c->safe || gt_fact_shapes[*next].fields == 0) {
			return false;
		}
		v = gt_decode_short(next + 1, c->end);
		if (v.end == NULL || v.end > c->end ||
		    !gt_brief_read(c->facts, c->m, &whole, args)) {
			return false;
		}
		lane->fact_batch = c->batch->time;
		if (whole == GT_FACT_CALL) {
			lane->call_time = lane->fact_time;
		}
		c->at = next;
		c->args = v.end;
		c->time += gt_decode_ns(c->generation, c->generation->ns_per_tick, v.value);
		lane->fact_time = (int64_t)c->time;
	}
	return true;
}

/* The time before which the first of the frontier stays the first, and no sample comes. */
GT_INLINE int64_t turn_of(const struct gt_merge *t)
{
	const struct gt_frontier *f = &t->frontier;
	const struct gt_generation *g = t->generation;
	int64_t end = GT_MIN(FAR, (int64_t)f->second.time);

	end += f->first.id < f->second.id;
	if (gt_unlikely(t->sample < g->nsamples)) {
		end = GT_MIN(end, (int64_t)g->samples[t->sample].time);
	}
	return end;
}

/* What has been passed over. */
struct passed {
	uint64_t events;
	int64_t last; /* time of the last event of any kind */
};

enum left { UNUSUAL, TURN, HAPPENED };

/*
 * Passes over events of the lane, which is the first of the frontier, until its turn ends or one is
 * not as usual; HAPPENED: one has happened, and the next is to be looked for with all care.
 */
GT_INLINE enum left run(struct gt_merge *t, struct gt_lane *lane, bool strict,
			struct passed *passed)
{
	struct gt_cursor *c = &lane->events;
	const struct gt_generation *g = t->generation;
	const double ns_per_tick = g->ns_per_tick;
	const int64_t end = turn_of(t);
	const uint8_t *const safe = c->safe, *at = c->at, *p = c->args;
	int64_t time = (int64_t)c->time;
	enum left left = UNUSUAL;

	while (time < end && at < safe) {
		const uint8_t *next = NULL;
		struct gt_number dt;
		bool unwritten;

		if (gt_unlikely(lane->fact_time <= time) && !pass_facts(lane, *at, time)) {
			break;
		}
#define USUAL(number)                                      \
	case number:                                       \
		next = happen(t, lane, number, p, strict); \
		break;
		switch (*at) {
			USUAL(GT_EV_GO_START)
			USUAL(GT_EV_GO_STOP)
			USUAL(GT_EV_GO_BLOCK)
			USUAL(GT_EV_GO_UNBLOCK)
			USUAL(GT_EV_PROC_START)
			USUAL(GT_EV_PROC_STOP)
		case GT_EV_GO_SYSCALL_BEGIN:
			next = happen(t, lane, GT_EV_GO_SYSCALL_BEGIN, p, strict);
			lane->begin_time = next != NULL ? time : lane->begin_time;
			break;
		case GT_EV_GO_SYSCALL_END:
			lane->event_batch = c->batch->time;
			unwritten = gt_lane_repeats(lane);
			next = happen(t, lane, GT_EV_GO_SYSCALL_END, p, strict);
			if (unwritten && next != NULL) {
				gt_brief_go_on(lane->facts.facts);
			}
			break;
		default:
			break;
		}
#undef USUAL
		if (gt_unlikely(next == NULL)) {
			break;
		}
		passed->events++;
		passed->last = GT_MAX(time, passed->last + 1);
		dt = (struct gt_number){NULL, 0};
		if (gt_likely(next < safe && t->frontier.nparked == 0 &&
			      gt_event_shapes[*next].fields != 0)) {
			dt = gt_decode_short(next + 1, c->end);
		}
		if (gt_unlikely(dt.end == NULL || dt.end > c->end)) {
			c->next = next;
			left = HAPPENED;
			break;
		}
		at = next;
		p = dt.end;
		time = (int64_t)((uint64_t)time + gt_decode_ns(g, ns_per_tick, dt.value));
	}
	if (left != HAPPENED) {
		left = time >= end && at != c->at ? TURN : UNUSUAL;
		c->at = at;
		c->args = p;
	}
	c->time = (uint64_t)time;
	return left;
}

GT_INLINE int pass(struct gt_merge *t, bool strict, struct passed *passed, struct gt_error *e)
{
	struct gt_frontier *f = &t->frontier;

	while (gt_frontier_any(f)) {
		struct gt_lane *lane = &t->lanes[f->first.id];
		enum left left = lane->m != NULL ? run(t, lane, strict, passed) : UNUSUAL;

		if (gt_likely(left == TURN)) {
			gt_frontier_replace(f, lane->events.time);
		} else if (left == UNUSUAL) {
			f->first.time = lane->events.time;
			break;
		} else if (gt_merge_follow(t, lane, e) < 0) {
			return -1;
		} else {
			gt_merge_wake(t);
		}
	}
	return 1;
}

int gt_merge_pass(struct gt_merge *t, struct gt_count *count, struct gt_error *e)
{
	struct passed passed = {.last = (int64_t)t->last};
	int n;

	/* The first one of all says when it began; what is held back comes before any other. */
	if (t->ended || count->events == 0 || t->generation == NULL || t->over || t->pausing ||
	    t->facts_of != NULL || t->out < t->nout || passed.last >= FAR) {
		return 1;
	}
	n = t->order.strict ? pass(t, true, &passed, e) : pass(t, false, &passed, e);
	if (passed.events > 0) {
		t->tried_all = false;
		t->last = (uint64_t)passed.last;
		count->last = t->last;
		count->events += passed.events;
	}
	return n;
}
