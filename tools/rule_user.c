/*
 * Rules of what programs tell about themselves, and of plain figures: they need a context, rarely
 * more.
 */
#include "rules.h"

#include <stdlib.h>

static enum gt_outcome annotation(struct gt_order *o, struct gt_event *ev)
{
	return NEEDS_USER() ? happened(o, ev) : GT_BROKEN;
}

GT_RULE(procs_change)
{
	(void)m;
	return annotation(o, ev);
}

GT_RULE(go_label)
{
	(void)m;
	return annotation(o, ev);
}

GT_RULE(user_log)
{
	(void)m;
	return annotation(o, ev);
}

GT_RULE(heap_metric)
{
	(void)m;
	return NEEDS(ONE, ONE, ANY) ? happened(o, ev) : GT_BROKEN;
}

GT_RULE(alloc_event)
{
	(void)m;
	return NEEDS(ONE, ANY, ANY) ? happened(o, ev) : GT_BROKEN;
}

/* The text of a string argument, or NULL after BROKEN. */
static const struct gt_text *text_of(struct gt_order *o, const struct gt_event *ev, uint64_t id)
{
	const struct gt_text *text = gt_generation_string(o->generation, id);

	if (text == NULL) {
		BROKEN("invalid string id %" PRIu64
		       "; expected one of the string table of this generation",
		       id);
	}
	return text;
}

static void note_task(struct gt_order *o, uint64_t id, bool begin)
{
	struct gt_granted *granted = o->granted;

	if (granted != NULL) {
		granted->tasks = gt_grow(granted->tasks, granted->ntasks, &granted->tasks_cap,
					 sizeof(*granted->tasks));
		granted->tasks[granted->ntasks++] = (struct gt_task_edge){id, begin};
	}
}

/*
 * Nothing but a second begin of an open task is wrong: ids may be used again, parents may be
 * unknown, and an end may come without a begin.
 */
GT_RULE(user_task_begin)
{
	const struct gt_text *name;
	struct gt_task *task;

	(void)m;
	if (gt_idmap_get(&o->tasks, ev->args[0]) != 0) {
		return BROKEN("task ID conflict: task %" PRIu64 " is open; expected its end first",
			      ev->args[0]);
	}
	if (!NEEDS_USER() || (name = text_of(o, ev, ev->args[2])) == NULL) {
		return GT_BROKEN;
	}
	note_task(o, ev->args[0], true);
	task = gt_alloc(sizeof(*task));
	*task = (struct gt_task){ev->args[1], gt_rule_keep(name)};
	gt_idmap_put(&o->tasks, ev->args[0], (uintptr_t)task);
	return happened(o, ev);
}

GT_RULE(user_task_end)
{
	struct gt_task *task;

	(void)m;
	if (!NEEDS_USER()) {
		return GT_BROKEN;
	}
	note_task(o, ev->args[0], false);
	task = gt_idmap_pointer(&o->tasks, ev->args[0]);
	if (task != NULL) {
		gt_idmap_remove(&o->tasks, ev->args[0]);
		free((void *)task->name.data);
		free(task);
	}
	return happened(o, ev);
}

GT_RULE(user_region_begin)
{
	const struct gt_text *name;
	struct gt_region *region;
	struct gt_g *g;

	(void)m;
	if (!NEEDS_USER() || (name = text_of(o, ev, ev->args[1])) == NULL ||
	    (g = gt_rule_current_g(o, ev)) == NULL) {
		return GT_BROKEN;
	}
	region = gt_alloc(sizeof(*region));
	*region = (struct gt_region){ev->args[0], gt_rule_keep(name), g->regions};
	g->regions = region;
	return happened(o, ev);
}

GT_RULE(user_region_end)
{
	const struct gt_text *name;
	struct gt_region *r;
	struct gt_g *g;

	(void)m;
	if (!NEEDS_USER() || (name = text_of(o, ev, ev->args[1])) == NULL ||
	    (g = gt_rule_current_g(o, ev)) == NULL) {
		return GT_BROKEN;
	}
	r = g->regions;
	if (r == NULL) {
		if (o->granted != NULL) {
			o->granted->region = true;
		}
		return happened(o, ev); /* it began before the trace */
	}
	if (r->task != ev->args[0] || !gt_text_equal(&r->name, name)) {
		return BROKEN("misuse of region in goroutine %" PRIu64
			      ": found the end of \"%.*s\" "
			      "(task %" PRIu64 "); expected that of the innermost one, \"%.*s\" "
			      "(task %" PRIu64 ")",
			      g->id, (int)name->length, name->data, ev->args[0],
			      (int)r->name.length, r->name.data, r->task);
	}
	g->regions = r->next;
	free((void *)r->name.data);
	free(r);
	return happened(o, ev);
}
