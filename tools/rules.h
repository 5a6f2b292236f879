/*
 * The rules of the partial order, and what they are written with. For order.c, rule_*.c, strict.c.
 *
 * To add one: name it in the column `rule` of events.def; it is declared and dispatched by that.
 *
 * A rule gets the event with its context filled in and the M of its stream (NULL: no M), and
 * either changes the state, calls happened() and returns GT_ADVANCED; or changes nothing and
 * returns wait_for(...); or returns BROKEN(...).
 */
#pragma once

#include "order.h"

#include <inttypes.h>

#define GT_RULE(name) \
	enum gt_outcome gt_rule_##name(struct gt_order *o, struct gt_event *ev, struct gt_m *m)

#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_RULE(rule);
#include "base/events.def"

GT_COLD GT_PRINTF(3, 4) enum gt_outcome
	gt_rule_broken(struct gt_order *o, const struct gt_event *ev, const char *format, ...);
#define BROKEN(...) gt_rule_broken(o, ev, __VA_ARGS__)

/* What is wrong, in words. */
GT_COLD void gt_rule_missing(struct gt_order *o, const struct gt_event *ev, const char *what);
GT_COLD void gt_rule_superfluous(struct gt_order *o, const struct gt_event *ev, const char *what,
				 uint64_t id);
GT_COLD void gt_rule_ended(struct gt_order *o, const struct gt_event *ev);
GT_COLD void gt_rule_other_state(struct gt_order *o, const struct gt_event *ev,
				 const struct gt_g *g, unsigned state);
GT_COLD void gt_rule_unknown_p(struct gt_order *o, const struct gt_event *ev);

/* What an event needs of its context. */
enum gt_need { GT_NEED_NONE, GT_NEED_ANY, GT_NEED_ONE };

GT_INLINE bool gt_rule_need(struct gt_order *o, const struct gt_event *ev, const char *what,
			    uint64_t id, enum gt_need n)
{
	const bool none = id == UINT64_MAX;

	if (gt_unlikely(n == GT_NEED_ONE && none)) {
		gt_rule_missing(o, ev, what);
		return false;
	}
	if (gt_unlikely(n == GT_NEED_NONE && !none)) {
		gt_rule_superfluous(o, ev, what, id);
		return false;
	}
	return true;
}

#define NEEDS(m_, p_, g_)                                      \
	(gt_rule_need(o, ev, "thread", ev->m, GT_NEED_##m_) && \
	 gt_rule_need(o, ev, "proc", ev->p, GT_NEED_##p_) &&   \
	 gt_rule_need(o, ev, "goroutine", ev->g, GT_NEED_##g_))
#define NEEDS_USER() NEEDS(ONE, ONE, ONE)

/* The G that runs on this M, or NULL after BROKEN where it is not known. */
GT_INLINE struct gt_g *gt_rule_current_g(struct gt_order *o, const struct gt_event *ev)
{
	struct gt_g *g = gt_order_g(o, ev->g);

	if (gt_unlikely(g == NULL)) {
		gt_rule_ended(o, ev);
	}
	return g;
}

/* The same, and it must be in this state. */
GT_INLINE struct gt_g *gt_rule_current_g_in(struct gt_order *o, const struct gt_event *ev,
					    unsigned state)
{
	struct gt_g *g = gt_rule_current_g(o, ev);

	if (gt_unlikely(g != NULL && g->state != state)) {
		gt_rule_other_state(o, ev, g, state);
		return NULL;
	}
	return g;
}

GT_INLINE struct gt_p *gt_rule_current_p(struct gt_order *o, const struct gt_event *ev)
{
	struct gt_p *p = gt_order_p(o, ev->p);

	if (gt_unlikely(p == NULL)) {
		gt_rule_unknown_p(o, ev);
	}
	return p;
}

struct gt_g *gt_rule_add_g(struct gt_order *o, uint64_t id, unsigned state);
bool gt_rule_end_g(struct gt_order *o, const struct gt_event *ev, struct gt_g *g);
struct gt_p *gt_rule_add_p(struct gt_order *o, uint64_t id, unsigned state);
struct gt_m *gt_rule_add_m(struct gt_order *o, uint64_t id);

/* For border.c: a range was said to be open since before the generation. */
void gt_rule_grant_range(struct gt_granted *granted, unsigned begin, uint64_t id);

/* Text that outlives the generation. */
struct gt_text gt_rule_keep(const struct gt_text *text);
GT_INLINE bool gt_text_equal(const struct gt_text *a, const struct gt_text *b)
{
	return a->length == b->length && __builtin_memcmp(a->data, b->data, a->length) == 0;
}

GT_INLINE bool in_first_generation(const struct gt_order *o)
{
	return o->generation->number == o->first;
}

GT_INLINE struct gt_seq seq_at(const struct gt_order *o, uint64_t value)
{
	return (struct gt_seq){o->generation->number, value};
}

GT_INLINE bool seq_follows(struct gt_seq after, struct gt_seq before)
{
	return after.generation == before.generation && after.value == before.value + 1;
}

GT_INLINE enum gt_outcome happened(struct gt_order *o, struct gt_event *ev)
{
	o->out[o->nout++] = ev;
	return GT_ADVANCED;
}

/* An event that is not in the file but follows from one that is. */
GT_INLINE void implied(struct gt_order *o, const struct gt_event *ev, unsigned number, uint64_t g,
		       uint64_t arg0, uint64_t arg1)
{
	struct gt_event *out = &o->implied[o->nimplied++];

	*out = (struct gt_event){.number = (uint8_t)number,
				 .kind = GT_TIMED,
				 .implied = true,
				 .time = ev->time,
				 .args = {arg0, arg1},
				 .m = ev->m,
				 .p = ev->p,
				 .g = g,
				 .offset = ev->offset};
	o->out[o->nout++] = out;
}

GT_INLINE void changed(struct gt_order *o, int kind, uint64_t id)
{
	o->changed[o->nchanged++] = (struct gt_key){kind, id};
}

GT_INLINE enum gt_outcome wait_for(struct gt_order *o, int kind, uint64_t id)
{
	o->wait = (struct gt_key){kind, id};
	o->wait_seq = GT_ANY_SEQ;
	return GT_NOT_YET;
}

/* Until the next sequence number of it is this one, or its state is another one then. */
GT_INLINE enum gt_outcome wait_for_seq(struct gt_order *o, int kind, uint64_t id, struct gt_seq seq)
{
	o->wait = (struct gt_key){kind, id};
	o->wait_seq = seq.value;
	return GT_NOT_YET;
}

/* strict.c: 0, or -1 with o->error. */
int gt_strict_event(struct gt_order *o, const struct gt_event *ev);
