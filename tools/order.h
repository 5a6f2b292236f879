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

#define GT_ANY_SEQ UINT64_MAX

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

/*
 * How something entered a generation that is judged alone, as GT_MERGE_ALONE does: what it was
 * taken for without knowing what was before. border.c compares that with what was before.
 */
struct gt_entry {
	enum { GT_ENTRY_NONE, GT_ENTRY_CREATED, GT_ENTRY_LISTED } how;
	unsigned state; /* listed: as the status says */
	uint64_t m;     /* listed as executing: on this M */
};

struct gt_m {
	uint64_t id;
	bool used;                 /* an event other than a status stood in it; before the first: */
	uint64_t entry_g, entry_p; /* g and p */
	/* GT_NO_G, GT_NO_P if none; bound: the same as the validator sees it (strict.c). */
	uint64_t g, bound_g;
	uint64_t p, bound_p;
};

/* What a G or P is doing. usual.h compares it as one word. */
struct gt_standing {
	uint8_t state; /* enum gt_go_state, enum gt_proc_state */
	bool alive;    /* false: a G that has ended, but is still known to strict.c */
	bool seen;     /* strict.c: it has made a transition */
	uint8_t was;   /* strict.c: enum gt_was, the state after the last transition */
};

/* Its fields by their own names as well. */
#define GT_STANDING                       \
	union {                           \
		struct gt_standing is;    \
		struct {                  \
			uint8_t state;    \
			bool alive, seen; \
			uint8_t was;      \
		};                        \
	}

struct gt_g {
	uint64_t id;
	GT_STANDING;
	struct gt_seq seq;
	struct gt_m *on; /* strict.c: the M that it executes on */
	uint64_t listed; /* index of the last generation that had a status or the creation of it */
	struct gt_entry entry;
	struct gt_g *next_ended;   /* in gt_order.ended */
	bool is_ended;             /* it is in that list */
	struct gt_region *regions; /* innermost first */
	struct gt_range *ranges;
};

struct gt_p {
	uint64_t id;
	GT_STANDING;
	struct gt_seq seq;
	struct gt_m *on; /* strict.c */
	struct gt_entry entry;
	/* Listed as abandoned: was it stolen since, before or after the first event of its M? */
	enum { GT_KEPT, GT_STOLEN, GT_STOLEN_LATE } stolen;
	uint64_t stolen_from; /* that M, as the one says who stole it */
	struct gt_range *ranges;
};

struct gt_task {
	uint64_t parent;
	struct gt_text name; /* own copy */
};

enum gt_gc { GT_GC_UNKNOWN, GT_GC_OFF, GT_GC_ON };

/* The beginning or end of a task. */
struct gt_task_edge {
	uint64_t id;
	bool begin;
};

/* What else a generation that is judged alone has taken for granted; for border.c. */
struct gt_granted {
	struct gt_key *ranges; /* G or P: it has a range that began before (GT_RANGE_KEY) */
	size_t nranges, ranges_cap;
	struct gt_task_edge *tasks; /* all of them */
	size_t ntasks, tasks_cap;
	unsigned gc; /* the first event of the collector, 0: none */
	uint64_t gc_seq;
	bool gc_user; /* it had an M, a P and a G */
	bool region;  /* a region ended that had not begun */
	bool again;   /* a G that had ended was listed as if new */
};

struct gt_order {
	struct gt_idmap gs, ps, ms, tasks; /* id -> struct gt_g * and so on */
	/* Of gs and ps: those that were looked up last, by id modulo the number of places. */
	struct gt_g *recent_gs[256];
	struct gt_p *recent_ps[64];
	uint64_t gc_seq;
	enum gt_gc gc;

	const struct gt_generation *generation;
	uint64_t first; /* number of the first generation with an event; 0: none yet */
	bool strict;
	bool live; /* invariant 9 */

	/* The outcome of the last gt_order_advance. */
	struct gt_event *out[3]; /* advanced: what happened, in this order */
	unsigned nout;
	struct gt_event implied[2];
	unsigned nimplied;
	struct gt_key
		changed[3]; /* advanced: what changed, so that those who wait for it can try */
	unsigned nchanged;
	struct gt_key wait;     /* not yet */
	uint64_t wait_seq;      /* the sequence number that makes it possible; GT_ANY_SEQ */
	struct gt_error *error; /* broken */

	uint64_t number;            /* of the generation */
	struct gt_granted *granted; /* NULL: nobody asks */
	uint64_t nth;               /* generations begun */
	struct gt_g *ended;         /* destroyed, but still of use to strict.c */
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
/*
 * The sequence number that comes next of what has changed, which is all that an event with one may
 * wait for; GT_ANY_SEQ where that cannot be said.
 */
uint64_t gt_order_next_seq(struct gt_order *o, struct gt_key changed);
/* For an event that is not yet: what it waits for and what is there instead, as text. */
void gt_order_why(struct gt_order *o, const struct gt_event *ev, char *text, size_t size);

/* Also one that has ended, as long as something is known of it. */
GT_INLINE struct gt_g *gt_order_any_g(struct gt_order *o, uint64_t id)
{
	struct gt_g **recent = &o->recent_gs[id % GT_LEN(o->recent_gs)];

	if (gt_unlikely(*recent == NULL || (*recent)->id != id)) {
		struct gt_g *g = gt_idmap_pointer(&o->gs, id);

		if (g == NULL) {
			return NULL;
		}
		*recent = g;
	}
	return *recent;
}

GT_INLINE struct gt_g *gt_order_g(struct gt_order *o, uint64_t id)
{
	struct gt_g *g = gt_order_any_g(o, id);

	return g != NULL && g->alive ? g : NULL;
}

GT_INLINE struct gt_p *gt_order_p(struct gt_order *o, uint64_t id)
{
	struct gt_p **recent = &o->recent_ps[id % GT_LEN(o->recent_ps)];

	if (gt_unlikely(*recent == NULL || (*recent)->id != id)) {
		struct gt_p *p = gt_idmap_pointer(&o->ps, id);

		if (p == NULL) {
			return NULL;
		}
		*recent = p;
	}
	return *recent;
}

GT_INLINE struct gt_m *gt_order_m(const struct gt_order *o, uint64_t id)
{
	return gt_idmap_pointer(&o->ms, id);
}

const char *gt_go_state_text(unsigned state);
const char *gt_proc_state_text(unsigned state);
