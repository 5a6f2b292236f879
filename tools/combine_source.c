/*
 * A trace among others.
 */
#include "combine_source.h"

#include <inttypes.h>
#include <string.h>

/* --- The first reading -------------------------------------------------------------------- */

static void list(struct gt_idmap *map, uint64_t id)
{
	if (id != 0 && id != GT_NO_M && id < GT_WIRE_DEAD_M && gt_idmap_get(map, id) == 0) {
		gt_idmap_put(map, id, 1);
	}
}

/* What gtrace never writes. */
static bool is_foreign(const struct gt_event *ev)
{
	return ev->kind == GT_ALLOC ||
	       (ev->kind == GT_TIMED &&
		((ev->number >= GT_EV_GC_ACTIVE && ev->number <= GT_EV_GC_MARK_ASSIST_END) ||
		 ev->number == GT_EV_PROC_STEAL || ev->number == GT_EV_GO_SWITCH ||
		 ev->number == GT_EV_GO_SWITCH_DESTROY));
}

static void note_ids(struct gt_source *s, const struct gt_event *ev)
{
	const struct gt_spec *spec = gt_event_spec(ev);

	list(&s->ms, ev->m);
	for (unsigned i = 0; i < spec->nargs; i++) {
		const uint64_t v = ev->args[i];

		switch (spec->args[i].type) {
		case GT_ARG_g:
			s->max_g = v != GT_NO_G ? GT_MAX(s->max_g, v) : s->max_g;
			break;
		case GT_ARG_p:
			s->max_p = v != GT_NO_P ? GT_MAX(s->max_p, v) : s->max_p;
			break;
		case GT_ARG_m:
			list(&s->ms, v);
			break;
		default:
			break;
		}
	}
	if (ev->kind == GT_FACT && ev->number == GT_FACT_ABOUT && ev->args[0] == GT_ABOUT_PROCESS) {
		s->pid = ev->args[1];
	}
}

static void note_generation(struct gt_source *s, const struct gt_generation *g)
{
	for (size_t i = 0; i < g->streams.count; i++) {
		list(&s->ms, g->streams.array[i].m);
	}
	for (size_t i = 0; i < g->facts.count; i++) {
		list(&s->ms, g->facts.array[i].m);
	}
	if (s->frequency == 0) {
		s->frequency = g->frequency;
		s->offset = (int64_t)(g->snapshot_mono - g->snapshot_time);
		s->start = g->start + (uint64_t)s->offset;
		s->period = 0;
	} else if (s->period == 0) {
		s->period = g->start + (uint64_t)s->offset - s->start;
	}
}

int gt_source_survey(struct gt_source *s, struct gt_error *e)
{
	struct gt_merge *t = gt_merge_open_memory(s->input->data, s->input->size, 0, e);
	struct gt_event ev;
	int n = -1;

	while (t != NULL && (n = gt_merge_next(t, &ev, e)) > 0) {
		const struct gt_generation *g = gt_merge_generation(t);

		if (ev.kind == GT_STRUCT && ev.number == GT_EV_SYNC) {
			if (gt_merge_version(t) != 26 || g->experiments != 0) {
				n = -2;
				break;
			}
			note_generation(s, g);
		} else if (is_foreign(&ev)) {
			n = -2;
			break;
		} else if (ev.kind != GT_STRUCT && !ev.implied) {
			note_ids(s, &ev);
		}
	}
	gt_merge_close(t);
	if (n == -2) {
		return gt_error_set(
			e, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
			"only traces of version 1.26 that gtrace has written can be "
			"merged: a Go runtime has a scheduler and a collector of its own");
	}
	return n;
}

/* --- Acts of nobody ----------------------------------------------------------------------- */

/* An event of this source that is not in its trace; its ids are those of its trace. */
static void act(struct gt_source *s, uint64_t m, enum gt_ev number, uint64_t arg0, uint64_t arg1,
		uint64_t arg2)
{
	const struct gt_replayed ev = {
		.kind = GT_REPLAY_EVENT,
		.spec = gt_spec_event(number),
		.m = m,
		.ticks = s->ticks,
		.args = {arg0, arg1, arg2},
		.event = {.p = arg0},
	};

	gt_rewrite_put(&s->rewrite, gt_replay_generation(s->replay), &ev);
}

/* The processor of this source that no thread of it has. */
static uint64_t nobodys_p(const struct gt_source *s)
{
	return s->max_p + 1;
}

static uint64_t nobodys_m(uint64_t g)
{
	return GT_WIRE_DEAD_M | g;
}

/* It was there when its trace began: created, and brought into its state. */
static void introduce(struct gt_source *s, const struct gt_replayed *ev)
{
	const uint64_t g = ev->args[0], state = ev->args[2];
	const uint64_t stack = ev->spec->number == GT_EV_GO_STATUS_STACK ? ev->args[3] : 0;
	const uint64_t p = ev->event.p;

	if (state == GT_GO_SYSCALL && p == GT_NO_P) {
		act(s, ev->args[1], GT_EV_GO_CREATE_SYSCALL, g, 0, 0);
	} else if (state == GT_GO_RUNNING || state == GT_GO_SYSCALL) {
		act(s, ev->m, GT_EV_GO_CREATE, g, stack, 0);
		act(s, ev->m, GT_EV_GO_START, g, 0, 0);
		if (state == GT_GO_SYSCALL) {
			struct gt_replayed call = *ev;

			call.spec = gt_spec_event(GT_EV_GO_SYSCALL_BEGIN);
			call.args[0] = 0;
			call.args[1] = stack;
			gt_rewrite_put(&s->rewrite, gt_replay_generation(s->replay), &call);
		}
	} else {
		act(s, nobodys_m(g), GT_EV_PROC_START, nobodys_p(s), 0, 0);
		act(s, nobodys_m(g),
		    state == GT_GO_WAITING ? GT_EV_GO_CREATE_BLOCKED : GT_EV_GO_CREATE, g, stack,
		    0);
		act(s, nobodys_m(g), GT_EV_PROC_STOP, 0, 0, 0);
	}
}

/* Its first generation, where what is there is said by statuses. False: an ordinary event. */
bool gt_source_introduces(struct gt_source *s, const struct gt_replayed *ev)
{
	if (s->old != 1) {
		return false;
	}
	switch (ev->spec->number) {
	case GT_EV_PROC_STATUS:
		if (ev->args[1] == GT_PROC_IDLE || gt_idmap_get(&s->rewrite.ps, ev->args[0]) != 0) {
			return false;
		}
		act(s, ev->m, GT_EV_PROC_START, ev->args[0], 0, 0);
		return true;
	case GT_EV_GO_STATUS:
	case GT_EV_GO_STATUS_STACK:
		if (gt_idmap_get(&s->rewrite.gs, ev->args[0]) == 0) {
			introduce(s, ev);
		}
		return true;
	default:
		return false;
	}
}

/* It runs, and is over; a world that it had stopped goes on. */
static void destroy(struct gt_source *s, uint64_t m, const struct gt_g *g)
{
	for (const struct gt_range *r = g->ranges; r != NULL; r = r->next) {
		act(s, m, GT_EV_STW_END, 0, 0, 0);
	}
	act(s, m, GT_EV_GO_DESTROY, 0, 0, 0);
}

/* Its process is over, and with it what still lives. */
void gt_source_end(struct gt_source *s)
{
	struct gt_order *o = gt_replay_order(s->replay);
	const struct gt_idmap_slot *slot;

	s->ended = true;
	for (size_t i = 0; (slot = gt_idmap_each(&o->ms, &i)) != NULL;) {
		const struct gt_m *m = gt_order_m(o, slot->id);
		const struct gt_g *g = m->g != GT_NO_G ? gt_order_g(o, m->g) : NULL;
		const bool called = g != NULL && g->is.state == GT_GO_SYSCALL;
		bool has_p = m->p != GT_NO_P;

		if (called && has_p) {
			act(s, m->id, GT_EV_GO_SYSCALL_END, 0, 0, 0);
		} else if (called && g->ranges == NULL) {
			act(s, m->id, GT_EV_GO_DESTROY_SYSCALL, 0, 0, 0);
			g = NULL;
		} else if (called) {
			act(s, m->id, GT_EV_GO_SYSCALL_END_BLOCKED, 0, 0, 0);
			act(s, m->id, GT_EV_PROC_START, nobodys_p(s), 0, 0);
			act(s, m->id, GT_EV_GO_START, g->id, 0, 0);
			has_p = true;
		}
		if (g != NULL) {
			destroy(s, m->id, g);
		}
		if (has_p) {
			act(s, m->id, GT_EV_PROC_STOP, 0, 0, 0);
		}
	}
	for (size_t i = 0; (slot = gt_idmap_each(&o->gs, &i)) != NULL;) {
		const struct gt_g *g = gt_order_g(o, slot->id);

		if (g == NULL || (g->is.state != GT_GO_WAITING && g->is.state != GT_GO_RUNNABLE)) {
			continue;
		}
		act(s, nobodys_m(g->id), GT_EV_PROC_START, nobodys_p(s), 0, 0);
		if (g->is.state == GT_GO_WAITING) {
			act(s, nobodys_m(g->id), GT_EV_GO_UNBLOCK, g->id, 0, 0);
		}
		act(s, nobodys_m(g->id), GT_EV_GO_START, g->id, 0, 0);
		destroy(s, nobodys_m(g->id), g);
		act(s, nobodys_m(g->id), GT_EV_PROC_STOP, 0, 0, 0);
	}
}

/* --- Mappings ----------------------------------------------------------------------------- */

void gt_source_note_mapping(struct gt_source *s, const struct gt_event *ev)
{
	const struct gt_generation *g = gt_replay_generation(s->replay);
	const struct gt_text *file = gt_generation_string(g, ev->args[3]);
	const struct gt_text *id = gt_generation_string(g, ev->args[4]);
	size_t i = 0;

	while (i < s->nmappings && s->mappings[i].args[0] != ev->args[0]) {
		i++;
	}
	if (file == NULL || id == NULL) {
		return;
	}
	if (i == s->nmappings) {
		s->mappings =
			gt_grow(s->mappings, s->nmappings, &s->mappings_cap, sizeof(*s->mappings));
		s->nmappings++;
	}
	memcpy(s->mappings[i].args, ev->args, sizeof(ev->args));
	s->mappings[i].texts[0] = *file;
	s->mappings[i].texts[1] = *id;
}
