/*
 * Rules of ranges: stop-the-world, collection, sweep, mark assist.
 */
#include "rules.h"

#include <stdlib.h>

/* The key of an open range of a G or a P, each of which has only one kind that outlives a
 * generation. */
void gt_rule_grant_range(struct gt_granted *granted, unsigned begin, uint64_t id)
{
	granted->ranges = gt_grow(granted->ranges, granted->nranges, &granted->ranges_cap,
				  sizeof(*granted->ranges));
	granted->ranges[granted->nranges++] =
		(struct gt_key){begin == GT_EV_GC_SWEEP_BEGIN ? GT_KEY_P : GT_KEY_G, id};
}

static struct gt_range *find(struct gt_range *r, unsigned begin, uint64_t kind_id)
{
	while (r != NULL && (r->begin != begin || r->kind_id != kind_id)) {
		r = r->next;
	}
	return r;
}

static enum gt_outcome range_begin(struct gt_order *o, struct gt_event *ev,
				   struct gt_range **ranges, unsigned begin, uint64_t kind_id)
{
	struct gt_range *r;

	if (find(*ranges, begin, kind_id) != NULL) {
		return BROKEN("this range is already open; expected its end first");
	}
	r = gt_alloc(sizeof(*r));
	*r = (struct gt_range){.begin = (uint8_t)begin, .kind_id = kind_id, .next = *ranges};
	if (begin == GT_EV_STW_BEGIN) {
		const struct gt_text *text = gt_generation_string(o->generation, kind_id);

		r->kind = gt_rule_keep(text ? text : &(struct gt_text){"", 0});
	}
	*ranges = r;
	return happened(o, ev);
}

/* A range that is open at the start of the generation: in the first one that is news. */
static enum gt_outcome range_active(struct gt_order *o, struct gt_event *ev,
				    struct gt_range **ranges, unsigned begin)
{
	if (in_first_generation(o)) {
		if (o->granted != NULL) {
			gt_rule_grant_range(o->granted, begin, ev->args[0]);
		}
		return range_begin(o, ev, ranges, begin, 0);
	}
	if (find(*ranges, begin, 0) == NULL) {
		return BROKEN(
			"this range is not open; expected its begin in an earlier generation");
	}
	return happened(o, ev);
}

static enum gt_outcome range_end(struct gt_order *o, struct gt_event *ev, struct gt_range **ranges,
				 unsigned begin)
{
	struct gt_range **at, *r;

	for (at = ranges; *at != NULL && (*at)->begin != begin; at = &(*at)->next) {
	}
	if (*at == NULL) {
		return BROKEN("tried to end a range that is not open; expected %s first",
			      gt_spec_event(begin)->name);
	}
	r = *at;
	if (begin == GT_EV_STW_BEGIN) {
		const struct gt_text *text = gt_generation_string(o->generation, r->kind_id);

		/*
		 * Go's reader keeps the id and looks it up in the table of the end: it panics where
		 * the id is missing and shows another text where it means something else.
		 */
		if (o->strict && (text == NULL || !gt_text_equal(text, &r->kind))) {
			return BROKEN(
				"the world was stopped in an earlier generation, by a kind "
				"that string %" PRIu64
				" does not name here; expected begin and end in one generation",
				r->kind_id);
		}
		ev->args[0] = r->kind_id;
	}
	*at = r->next;
	free((void *)r->kind.data);
	free(r);
	return happened(o, ev);
}

/* --- Ranges of a G ------------------------------------------------------------------------ */

GT_RULE(stw_begin)
{
	struct gt_g *g;

	(void)m;
	if (!NEEDS_USER() || (g = gt_rule_current_g(o, ev)) == NULL) {
		return GT_BROKEN;
	}
	if (o->strict) {
		const struct gt_text *text = gt_generation_string(o->generation, ev->args[0]);

		for (const struct gt_range *r = g->ranges; r != NULL; r = r->next) {
			if (r->begin == GT_EV_STW_BEGIN && text != NULL &&
			    gt_text_equal(text, &r->kind)) {
				return BROKEN("this range is already open, under another string id "
					      "of the same text; expected its end first");
			}
		}
	}
	return range_begin(o, ev, &g->ranges, GT_EV_STW_BEGIN, ev->args[0]);
}

GT_RULE(stw_end)
{
	struct gt_g *g;

	(void)m;
	if (!NEEDS_USER() || (g = gt_rule_current_g(o, ev)) == NULL) {
		return GT_BROKEN;
	}
	return range_end(o, ev, &g->ranges, GT_EV_STW_BEGIN);
}

GT_RULE(gc_mark_assist_begin)
{
	struct gt_g *g;

	(void)m;
	if (!NEEDS_USER() || (g = gt_rule_current_g(o, ev)) == NULL) {
		return GT_BROKEN;
	}
	return range_begin(o, ev, &g->ranges, GT_EV_GC_MARK_ASSIST_BEGIN, 0);
}

GT_RULE(gc_mark_assist_end)
{
	struct gt_g *g;

	(void)m;
	if (!NEEDS_USER() || (g = gt_rule_current_g(o, ev)) == NULL) {
		return GT_BROKEN;
	}
	return range_end(o, ev, &g->ranges, GT_EV_GC_MARK_ASSIST_BEGIN);
}

/* Like a status: may name any G, from anywhere. */
GT_RULE(gc_mark_assist_active)
{
	struct gt_g *g = gt_order_g(o, ev->args[0]);

	(void)m;
	if (g == NULL) {
		return BROKEN("there is no G %" PRIu64 "; expected its status or creation first",
			      ev->args[0]);
	}
	return range_active(o, ev, &g->ranges, GT_EV_GC_MARK_ASSIST_BEGIN);
}

/* --- Ranges of a P ------------------------------------------------------------------------ */

GT_RULE(gc_sweep_begin)
{
	struct gt_p *p;

	(void)m;
	if (!NEEDS(ONE, ONE, ANY) || (p = gt_rule_current_p(o, ev)) == NULL) {
		return GT_BROKEN;
	}
	return range_begin(o, ev, &p->ranges, GT_EV_GC_SWEEP_BEGIN, 0);
}

GT_RULE(gc_sweep_end)
{
	struct gt_p *p;

	(void)m;
	if (!NEEDS(ONE, ONE, ANY) || (p = gt_rule_current_p(o, ev)) == NULL) {
		return GT_BROKEN;
	}
	return range_end(o, ev, &p->ranges, GT_EV_GC_SWEEP_BEGIN);
}

GT_RULE(gc_sweep_active)
{
	struct gt_p *p = gt_order_p(o, ev->args[0]);

	(void)m;
	if (p == NULL) {
		return BROKEN("there is no P %" PRIu64 "; expected its status first", ev->args[0]);
	}
	return range_active(o, ev, &p->ranges, GT_EV_GC_SWEEP_BEGIN);
}

/* --- The collection: one for all, with sequence numbers ----------------------------------- */

static enum gt_outcome collection(struct gt_order *o, struct gt_event *ev, bool needs_user,
				  enum gt_gc after)
{
	if (needs_user && !NEEDS_USER()) {
		return GT_BROKEN;
	}
	if (o->granted != NULL && o->granted->gc == 0) {
		o->granted->gc = ev->number;
		o->granted->gc_seq = ev->args[0];
		o->granted->gc_user = ev->m != GT_NO_M && ev->p != GT_NO_P && ev->g != GT_NO_G;
	}
	o->gc_seq = ev->args[0];
	o->gc = after;
	changed(o, GT_KEY_GC, 0);
	return happened(o, ev);
}

GT_RULE(gc_active)
{
	(void)m;
	if (in_first_generation(o)) {
		if (o->gc != GT_GC_UNKNOWN) {
			return BROKEN("is not the first event of the collector in the first "
				      "generation; expected it there or not at all");
		}
		return collection(o, ev, false, GT_GC_ON);
	}
	if (ev->args[0] != o->gc_seq + 1) {
		return wait_for(o, GT_KEY_GC, 0);
	}
	if (o->gc != GT_GC_ON) {
		return BROKEN("no collection is open; expected GCBegin first");
	}
	return collection(o, ev, true, GT_GC_ON);
}

GT_RULE(gc_begin)
{
	(void)m;
	if (o->gc == GT_GC_UNKNOWN) {
		return collection(o, ev, false, GT_GC_ON);
	}
	if (ev->args[0] != o->gc_seq + 1) {
		return wait_for(o, GT_KEY_GC, 0);
	}
	if (o->gc == GT_GC_ON) {
		return BROKEN("a collection is already open; expected GCEnd first");
	}
	return collection(o, ev, true, GT_GC_ON);
}

GT_RULE(gc_end)
{
	(void)m;
	if (ev->args[0] != o->gc_seq + 1) {
		return wait_for(o, GT_KEY_GC, 0);
	}
	if (o->gc != GT_GC_ON) {
		return BROKEN("%s; expected GCBegin or GCActive first",
			      o->gc == GT_GC_OFF ? "no collection is open"
						 : "whether a collection is open is not known");
	}
	return collection(o, ev, true, GT_GC_OFF);
}
