/*
 * Events of a replayed trace into a composed one, where they can stand for themselves: sequence
 * numbers counted anew, strings and stacks with the ids that the new generation gives them, and,
 * for traces that are put together, other ids of threads and processors, other addresses, another
 * clock.
 *
 * A generation of the new trace may begin anywhere between two events of the old one: then
 * gt_rewrite_states lists what lives at that moment, and everything after it counts from there.
 */
#pragma once

#include "compose.h"
#include "replay.h"

struct gt_rewrite {
	struct gt_compose *to;

	/* Changes, set by the caller once; all zero: none. */
	uint64_t g_base, p_base, task_base; /* added to ids */
	uint64_t address;                   /* added to program counters and addresses */
	int64_t ticks;                      /* added to times */
	struct gt_idmap ms;                 /* M -> what it is called instead */
	const char *suffix;                 /* of the outermost functions' names; NULL: none */

	/* Of this generation of the new trace: what is listed, with its sequence number + 1. */
	struct gt_idmap gs, ps;
	/* What lasts, by P and by G; the collection: so that it is said once. */
	struct gt_idmap sweeps, assists;
	bool collects;
	uint64_t gc_seq; /* of the collector's events, which count over generations */
	/* Of this generation of the old one: ids + 1 in the new one. */
	struct gt_idmap strings, stacks;
};

void gt_rewrite_fini(struct gt_rewrite *w);
/* Either side begins a generation. */
void gt_rewrite_new_generation(struct gt_rewrite *w);
void gt_rewrite_old_generation(struct gt_rewrite *w);

/*
 * Lists all that lives now, as gt_order has it. only: those for which it says so; NULL: all. P and
 * M of what is left out are not mentioned either.
 */
void gt_rewrite_states(struct gt_rewrite *w, struct gt_replay *r, uint64_t ticks,
		       bool (*only)(void *data, uint64_t g), void *data);
/* Writes an event or a fact. */
void gt_rewrite_put(struct gt_rewrite *w, const struct gt_generation *g,
		    const struct gt_replayed *event);
void gt_rewrite_sample(struct gt_rewrite *w, const struct gt_generation *g,
		       const struct gt_sample *sample);

/* Ids in the new trace. */
uint64_t gt_rewrite_m(const struct gt_rewrite *w, uint64_t m);
uint64_t gt_rewrite_string(struct gt_rewrite *w, const struct gt_generation *g, uint64_t id);
uint64_t gt_rewrite_stack(struct gt_rewrite *w, const struct gt_generation *g, uint64_t id);
