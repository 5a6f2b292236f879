/*
 * The usual case of the usual events. For merge.c and merge_skim.c.
 *
 * A handful of events make up most of a trace, and nearly always everything is as their rule wants
 * it. Here that is found out without a branch for each thing that could be otherwise. What is not
 * as usual is left to the rule: it decides, and it knows the words.
 */
#pragma once

#include <string.h>

#include "rules.h"

/* What happens to a G or a P. Yes is all ones, no is 0. */
struct change {
	struct gt_standing before, after;
	uint64_t starts, stops; /* it gets the M, leaves the M ... */
	uint64_t stays;         /* ... or keeps it */
	uint64_t named;         /* args[0] says which it is; no: that of the M */
	uint64_t numbered;      /* args[number] is its next sequence number */
	unsigned number;
};

struct usual {
	enum { OF_NONE, OF_G, OF_P, OF_BOTH } of; /* NONE: it is not among the usual events */
	struct change g, p;
};

#define YES UINT64_MAX
#define G(state_)                                                                            \
	{                                                                                    \
		.state = GT_GO_##state_, .alive = true, .seen = true, .was = GT_WAS_##state_ \
	}
#define P(state_, was_)                                                                      \
	{                                                                                    \
		.state = GT_PROC_##state_, .alive = true, .seen = true, .was = GT_WAS_##was_ \
	}
static const struct usual usual[256] = {
	[GT_EV_GO_START] = {.of = OF_G,
			    .g = {.before = G(RUNNABLE),
				  .after = G(RUNNING),
				  .starts = YES,
				  .named = YES,
				  .numbered = YES,
				  .number = 1}},
	[GT_EV_GO_STOP] = {.of = OF_G,
			   .g = {.before = G(RUNNING), .after = G(RUNNABLE), .stops = YES}},
	[GT_EV_GO_BLOCK] = {.of = OF_G,
			    .g = {.before = G(RUNNING), .after = G(WAITING), .stops = YES}},
	[GT_EV_GO_UNBLOCK] = {.of = OF_G,
			      .g = {.before = G(WAITING),
				    .after = G(RUNNABLE),
				    .named = YES,
				    .numbered = YES,
				    .number = 1}},
	[GT_EV_PROC_START] = {.of = OF_P,
			      .p = {.before = P(IDLE, IDLE),
				    .after = P(RUNNING, RUNNING),
				    .starts = YES,
				    .named = YES,
				    .numbered = YES,
				    .number = 1}},
	[GT_EV_PROC_STOP] = {.of = OF_P,
			     .p = {.before = P(RUNNING, RUNNING),
				   .after = P(IDLE, IDLE),
				   .stops = YES}},
	[GT_EV_GO_SYSCALL_BEGIN] = {.of = OF_BOTH,
				    .g = {.before = G(RUNNING), .after = G(SYSCALL), .stays = YES},
				    .p = {.before = P(RUNNING, RUNNING),
					  .after = P(SYSCALL, RUNNING),
					  .stays = YES,
					  .numbered = YES,
					  .number = 0}},
	[GT_EV_GO_SYSCALL_END] = {.of = OF_BOTH,
				  .g = {.before = G(SYSCALL), .after = G(RUNNING), .stays = YES},
				  .p = {.before = P(SYSCALL, RUNNING),
					.after = P(RUNNING, RUNNING),
					.stays = YES}},
};
#undef YES
#undef G
#undef P

/* The arguments of one of these events: none has more. By value, to be kept in registers. */
struct args {
	uint64_t of[3];
};

/* The G or P that a change is about, and what its M says of its like. */
struct subject {
	uint64_t id;
	struct gt_standing *is;
	struct gt_seq *seq;
	struct gt_m **on;
	uint64_t *current, *bound;
};

/* What is compared: all, or only what does not belong to strict.c. */
GT_INLINE uint32_t word(const struct gt_standing *is, bool strict)
{
	uint32_t w = 0;

	memcpy(&w, is, strict ? sizeof(*is) : offsetof(struct gt_standing, seen));
	return w;
}

/* 0 if the change can happen as usual. */
GT_INLINE uint64_t unusual(const struct change *c, const struct subject *s, const struct gt_m *m,
			   struct args args, uint64_t generation, bool strict)
{
	const uint64_t none = UINT64_MAX;
	uint64_t x = word(s->is, strict) ^ word(&c->before, strict);

	x |= (args.of[c->number] ^ (s->seq->value + 1)) & c->numbered;
	x |= (s->seq->generation ^ generation) & c->numbered;
	x |= (*s->current ^ none) & c->starts;
	x |= (uint64_t)(*s->current == none) & (c->stops | c->stays);
	if (strict) {
		x |= (*s->bound ^ none) & c->starts;
		x |= (*s->bound ^ s->id) & (c->stops | c->stays);
		x |= (uintptr_t)*s->on ^ ((uintptr_t)m & (c->stops | c->stays));
	}
	return x;
}

GT_INLINE void apply(const struct change *c, const struct subject *s, struct gt_m *m, bool strict)
{
	*s->is = c->after;
	s->seq->value += c->numbered & 1;
	*s->current = (*s->current & ~c->starts) | (s->id & c->starts) | c->stops;
	if (strict) {
		*s->bound = (*s->bound & ~c->starts) | (s->id & c->starts) | c->stops;
		*s->on = (struct gt_m *)((uintptr_t)m & (c->starts | c->stays));
	}
}

GT_INLINE uint64_t which(const struct change *c, struct args args, uint64_t current)
{
	return (args.of[0] & c->named) | (current & ~c->named);
}

#define SUBJECT(thing, id_, current_, bound_)                                              \
	{                                                                                  \
		.id = (id_), .is = &(thing)->is, .seq = &(thing)->seq, .on = &(thing)->on, \
		.current = (current_), .bound = (bound_)                                   \
	}

GT_INLINE bool happens_to_g(struct gt_order *o, const struct change *c, struct args args,
			    struct gt_m *m, bool strict)
{
	const uint64_t id = which(c, args, m->g);
	struct gt_g *g = gt_order_any_g(o, id);
	const uint64_t idle = m->p == GT_NO_P;

	if (gt_likely(g != NULL)) {
		const struct subject s = SUBJECT(g, id, &m->g, &m->bound_g);

		if (gt_likely((unusual(c, &s, m, args, o->number, strict) |
			       (idle & (c->starts | c->stops))) == 0)) {
			apply(c, &s, m, strict);
			changed(o, GT_KEY_G, id);
			return true;
		}
	}
	return false;
}

GT_INLINE bool happens_to_p(struct gt_order *o, const struct change *c, struct args args,
			    struct gt_m *m, bool strict)
{
	const uint64_t id = which(c, args, m->p);
	struct gt_p *p = gt_order_p(o, id);

	if (gt_likely(p != NULL)) {
		const struct subject s = SUBJECT(p, id, &m->p, &m->bound_p);

		if (gt_likely(unusual(c, &s, m, args, o->number, strict) == 0)) {
			apply(c, &s, m, strict);
			changed(o, GT_KEY_P, id);
			return true;
		}
	}
	return false;
}

GT_INLINE bool happens_to_both(struct gt_order *o, const struct usual *u, struct args args,
			       struct gt_m *m, bool strict)
{
	struct gt_g *g = gt_order_any_g(o, m->g);
	struct gt_p *p = gt_order_p(o, m->p);

	if (gt_likely(g != NULL && p != NULL)) {
		const struct subject sg = SUBJECT(g, m->g, &m->g, &m->bound_g);
		const struct subject sp = SUBJECT(p, m->p, &m->p, &m->bound_p);

		if (gt_likely((unusual(&u->g, &sg, m, args, o->number, strict) |
			       unusual(&u->p, &sp, m, args, o->number, strict)) == 0)) {
			apply(&u->g, &sg, m, strict);
			apply(&u->p, &sp, m, strict);
			changed(o, GT_KEY_G, sg.id);
			changed(o, GT_KEY_P, sp.id);
			return true;
		}
	}
	return false;
}
#undef SUBJECT

/* True: it was as usual, and has happened; o->changed says to what. */
GT_INLINE bool happens_as_usual(struct gt_order *o, unsigned number, struct args args,
				struct gt_m *m, bool strict)
{
	const struct usual *u = &usual[number];

	o->nchanged = 0;
	return u->of == OF_G      ? happens_to_g(o, &u->g, args, m, strict)
	       : u->of == OF_P    ? happens_to_p(o, &u->p, args, m, strict)
	       : u->of == OF_BOTH ? happens_to_both(o, u, args, m, strict)
				  : false;
}
