/*
 * The partial order: what every G, P and M is doing, and whether an event may happen now.
 *
 * Rebuilt from the rules of Go's reader (src/internal/trace/order.go), which emulates the
 * scheduler; the rules are in rule_*.c, one function for each word of the column `rule` of
 * events.def. Knows nothing of files, streams or of what wrote the trace.
 *
 * An event is advanced (it happened, the state has changed), not yet (something that it waits for
 * has to happen first, on another M; `wait` says on what), or broken (no continuation makes it
 * right; the error says why).
 */
#pragma once

#include "cursor.h"

enum gt_outcome { GT_BROKEN = -1, GT_NOT_YET = 0, GT_ADVANCED = 1 };

/* A thing that events wait for: a G, a P, or the collector. */
struct gt_key {
	enum { GT_KEY_NONE, GT_KEY_G, GT_KEY_P, GT_KEY_GC } kind;
	uint64_t id;
};

/* A counter that belongs to a generation: numbers of another generation never follow it. */
struct gt_seq {
	uint64_t generation;
	uint64_t value;
};

/* Open ranges of a G (stop-the-world, mark assist) or a P (sweep). */
struct gt_range {
	uint8_t begin;       /* the event that began it */
	uint64_t kind_id;    /* STW: string id of its kind, in the generation in which it began */
	struct gt_text kind; /* the same as text, own copy */
	struct gt_range *next;
};

struct gt_region {
	uint64_t task;
	struct gt_text name; /* own copy */
	struct gt_region *next;
};

struct gt_m {
	uint64_t id;
	uint64_t g, p;             /* GT_NO_G, GT_NO_P if none */
	uint64_t bound_g, bound_p; /* the same as the validator sees it (strict.c) */
};

struct gt_g {
	uint64_t id;
	bool alive;    /* false: ended, but still known to strict.c */
	uint8_t state; /* enum gt_go_state */
	struct gt_seq seq;
	uint64_t listed; /* index of the last generation that had a status or the creation of it */
	struct gt_g *next_ended;   /* in gt_order.ended */
	bool is_ended;             /* it is in that list */
	struct gt_region *regions; /* innermost first */
	struct gt_range *ranges;
	/* strict.c */
	bool seen;
	uint8_t was;     /* enum gt_was: its state after the last transition */
	struct gt_m *on; /* the M that it executes on */
};

struct gt_p {
	uint64_t id;
	uint8_t state; /* enum gt_proc_state */
	struct gt_seq seq;
	struct gt_range *ranges;
	bool seen;
	uint8_t was;
	struct gt_m *on;
};

struct gt_task {
	uint64_t parent;
	struct gt_text name; /* own copy */
};

enum gt_gc { GT_GC_UNKNOWN, GT_GC_OFF, GT_GC_ON };

struct gt_order {
	struct gt_idmap gs, ps, ms, tasks; /* id -> struct gt_g * and so on */
	uint64_t gc_seq;
	enum gt_gc gc;

	const struct gt_generation *generation;
	uint64_t first; /* number of the first generation with an event; 0: none yet */
	bool strict;
	bool live; /* invariant 9 */

	/* The outcome of the last gt_order_advance. */
	const struct gt_event *out[3]; /* advanced: what happened, in this order */
	unsigned nout;
	struct gt_event implied[2];
	unsigned nimplied;
	struct gt_key
		changed[3]; /* advanced: what changed, so that those who wait for it can try */
	unsigned nchanged;
	struct gt_key wait;     /* not yet */
	struct gt_error *error; /* broken */

	uint64_t nth;       /* generations begun */
	struct gt_g *ended; /* destroyed, but still of use to strict.c */
};

void gt_order_init(struct gt_order *o, bool strict, bool live);
void gt_order_fini(struct gt_order *o);
/* The events that follow are those of g. */
void gt_order_generation(struct gt_order *o, const struct gt_generation *g);
/* All events of the generation have happened: 0, or -1 with *e (invariant 9). */
int gt_order_generation_end(struct gt_order *o, struct gt_error *e);
/*
 * May ev, the next event of its M, happen now? Its context is filled in; where it happened, its
 * arguments and `was` may be as well, and o->out points to it. *m caches the M's state for the
 * caller, NULL at first; it belongs to the order.
 */
enum gt_outcome gt_order_advance(struct gt_order *o, struct gt_event *ev, struct gt_m **m,
				 struct gt_error *e);
/* For an event that is not yet: what it waits for and what is there instead, as text. */
void gt_order_why(struct gt_order *o, const struct gt_event *ev, char *text, size_t size);

GT_INLINE struct gt_g *gt_order_g(const struct gt_order *o, uint64_t id)
{
	struct gt_g *g = gt_idmap_pointer(&o->gs, id);

	return g != NULL && g->alive ? g : NULL;
}

GT_INLINE struct gt_p *gt_order_p(const struct gt_order *o, uint64_t id)
{
	return gt_idmap_pointer(&o->ps, id);
}

GT_INLINE struct gt_m *gt_order_m(const struct gt_order *o, uint64_t id)
{
	return gt_idmap_pointer(&o->ms, id);
}

const char *gt_go_state_text(unsigned state);
const char *gt_proc_state_text(unsigned state);
