/*
 * Rewriting events.
 */
#include "rewrite.h"

#include <string.h>

void gt_rewrite_fini(struct gt_rewrite *w)
{
	gt_idmap_fini(&w->ms);
	gt_idmap_fini(&w->gs);
	gt_idmap_fini(&w->ps);
	gt_idmap_fini(&w->sweeps);
	gt_idmap_fini(&w->assists);
	gt_idmap_fini(&w->strings);
	gt_idmap_fini(&w->stacks);
}

void gt_rewrite_new_generation(struct gt_rewrite *w)
{
	gt_idmap_clear(&w->gs);
	gt_idmap_clear(&w->ps);
	gt_idmap_clear(&w->sweeps);
	gt_idmap_clear(&w->assists);
	w->collects = false;
	/* Ids of the new tables. */
	gt_rewrite_old_generation(w);
}

void gt_rewrite_old_generation(struct gt_rewrite *w)
{
	gt_idmap_clear(&w->strings);
	gt_idmap_clear(&w->stacks);
}

/* --- Ids ---------------------------------------------------------------------------------- */

static uint64_t new_g(const struct gt_rewrite *w, uint64_t g)
{
	return g == 0 || g == GT_NO_G ? g : g + w->g_base;
}

static uint64_t new_p(const struct gt_rewrite *w, uint64_t p)
{
	return p == GT_NO_P ? p : p + w->p_base;
}

uint64_t gt_rewrite_m(const struct gt_rewrite *w, uint64_t m)
{
	const uintptr_t other = gt_idmap_get(&w->ms, m);

	if (m == GT_NO_M || m == 0) {
		return m;
	}
	if (w->g_base != 0 && m >= GT_WIRE_DEAD_M) {
		return m + w->g_base; /* a G's posts after its end: its id is in it */
	}
	return other != 0 ? other : m;
}

static void set(struct gt_idmap *map, uint64_t id, uintptr_t word)
{
	gt_idmap_remove(map, id);
	gt_idmap_put(map, id, word);
}

uint64_t gt_rewrite_string(struct gt_rewrite *w, const struct gt_generation *g, uint64_t id)
{
	const struct gt_text *text;
	uintptr_t known = gt_idmap_get(&w->strings, id);

	if (known == 0) {
		text = gt_generation_string(g, id);
		known = text != NULL ? gt_compose_string(w->to, text->data, text->length) + 1 : 1;
		gt_idmap_put(&w->strings, id, known);
	}
	return known - 1;
}

static uint64_t name_of(struct gt_rewrite *w, const struct gt_text *func, bool outermost)
{
	char name[GT_WIRE_STRING_MAX];
	size_t n;

	if (!outermost || w->suffix == NULL || func->length == 0) {
		return gt_compose_string(w->to, func->data, func->length);
	}
	n = GT_MIN(func->length, sizeof(name) - strlen(w->suffix));
	memcpy(name, func->data, n);
	memcpy(name + n, w->suffix, strlen(w->suffix));
	return gt_compose_string(w->to, name, n + strlen(w->suffix));
}

uint64_t gt_rewrite_stack(struct gt_rewrite *w, const struct gt_generation *g, uint64_t id)
{
	struct gt_compose_frame frames[GT_WIRE_FRAMES_MAX];
	const struct gt_stack *s;
	uintptr_t known = gt_idmap_get(&w->stacks, id);

	if (known == 0) {
		s = gt_generation_stack(g, id);
		for (unsigned i = 0; s != NULL && i < s->nframes; i++) {
			const struct gt_frame *f = gt_stack_frame(g, s, i);

			frames[i] = (struct gt_compose_frame){
				.pc = f->pc + w->address,
				.func = name_of(w, &f->func, i == s->nframes - 1),
				.file = gt_compose_string(w->to, f->file.data, f->file.length),
				.line = f->line,
			};
		}
		known = s != NULL ? gt_compose_stack(w->to, frames, s->nframes) + 1 : 1;
		gt_idmap_put(&w->stacks, id, known);
	}
	return known - 1;
}

/* --- Sequence numbers --------------------------------------------------------------------- */

static void start_counting(struct gt_idmap *map, uint64_t id)
{
	set(map, id, 1);
}

static uint64_t next_number(struct gt_idmap *map, uint64_t id)
{
	const uintptr_t word = GT_MAX(gt_idmap_get(map, id), (uintptr_t)1);

	set(map, id, word + 1);
	return word;
}

static void put(struct gt_rewrite *w, uint64_t m, uint64_t ticks, enum gt_ev number,
		const uint64_t *args)
{
	gt_compose_event(w->to, gt_rewrite_m(w, m), ticks + (uint64_t)w->ticks,
			 gt_spec_event(number), args);
}

/* A P must be listed before it can start or be stolen. */
static void list_p(struct gt_rewrite *w, uint64_t m, uint64_t ticks, uint64_t p,
		   enum gt_proc_state state)
{
	if (gt_idmap_get(&w->ps, p) == 0) {
		start_counting(&w->ps, p);
		put(w, m, ticks, GT_EV_PROC_STATUS, (const uint64_t[]){new_p(w, p), state});
	}
}

/* The number that this event has in the new generation; args are still the old ones. */
static uint64_t number_of(struct gt_rewrite *w, const struct gt_replayed *ev, uint64_t old)
{
	switch (ev->spec->number) {
	case GT_EV_PROC_START:
		list_p(w, ev->m, ev->ticks, ev->args[0], GT_PROC_IDLE);
		return next_number(&w->ps, ev->args[0]);
	case GT_EV_PROC_STEAL:
		list_p(w, ev->m, ev->ticks, ev->args[0], GT_PROC_SYSCALL_ABANDONED);
		return next_number(&w->ps, ev->args[0]);
	case GT_EV_GO_SYSCALL_BEGIN:
		return next_number(&w->ps, ev->event.p);
	case GT_EV_GO_START:
	case GT_EV_GO_UNBLOCK:
	case GT_EV_GO_SWITCH:
	case GT_EV_GO_SWITCH_DESTROY:
		return next_number(&w->gs, ev->args[0]);
	case GT_EV_GC_ACTIVE:
	case GT_EV_GC_BEGIN:
	case GT_EV_GC_END:
		return ++w->gc_seq;
	default:
		return old;
	}
}

/* It begins to last, or is said to. False: that has been said. */
static bool lasts(struct gt_idmap *open, uint64_t id)
{
	if (gt_idmap_get(open, id) != 0) {
		return false;
	}
	gt_idmap_put(open, id, 1);
	return true;
}

static void ends(struct gt_idmap *open, uint64_t id)
{
	if (gt_idmap_get(open, id) != 0) {
		gt_idmap_remove(open, id);
	}
}

/* Of the collector's: what lasts from this event on, or no more. False: that has been said. */
static bool ranges(struct gt_rewrite *w, const struct gt_replayed *ev)
{
	const bool collects = w->collects;

	switch (ev->spec->number) {
	case GT_EV_GC_ACTIVE:
	case GT_EV_GC_BEGIN:
		w->collects = true;
		return ev->spec->number == GT_EV_GC_BEGIN || !collects;
	case GT_EV_GC_END:
		w->collects = false;
		return true;
	case GT_EV_GC_SWEEP_ACTIVE:
		return lasts(&w->sweeps, ev->args[0]);
	case GT_EV_GC_SWEEP_BEGIN:
		lasts(&w->sweeps, ev->event.p);
		return true;
	case GT_EV_GC_SWEEP_END:
		ends(&w->sweeps, ev->event.p);
		return true;
	case GT_EV_GC_MARK_ASSIST_ACTIVE:
		return lasts(&w->assists, ev->args[0]);
	case GT_EV_GC_MARK_ASSIST_BEGIN:
		lasts(&w->assists, ev->event.g);
		return true;
	case GT_EV_GC_MARK_ASSIST_END:
		ends(&w->assists, ev->event.g);
		return true;
	default:
		return true;
	}
}

/* What is listed by this event. False: it was listed already, and is not to be again. */
static bool lists(struct gt_rewrite *w, const struct gt_replayed *ev)
{
	switch (ev->spec->number) {
	case GT_EV_GO_STATUS:
	case GT_EV_GO_STATUS_STACK:
		if (gt_idmap_get(&w->gs, ev->args[0]) != 0) {
			return false;
		}
		start_counting(&w->gs, ev->args[0]);
		return true;
	case GT_EV_GO_CREATE:
	case GT_EV_GO_CREATE_BLOCKED:
	case GT_EV_GO_CREATE_SYSCALL:
		start_counting(&w->gs, ev->args[0]);
		return true;
	case GT_EV_PROC_STATUS:
		if (gt_idmap_get(&w->ps, ev->args[0]) != 0) {
			return false;
		}
		start_counting(&w->ps, ev->args[0]);
		return true;
	default:
		return ranges(w, ev);
	}
}

void gt_rewrite_put(struct gt_rewrite *w, const struct gt_generation *g,
		    const struct gt_replayed *ev)
{
	uint64_t args[GT_EVENT_ARGS];

	if (ev->kind == GT_REPLAY_EVENT && !lists(w, ev)) {
		return;
	}
	for (unsigned i = 0; i < ev->spec->nargs; i++) {
		const uint64_t old = ev->args[i];
		const char *name = ev->spec->args[i].name;

		switch (ev->spec->args[i].type) {
		case GT_ARG_g:
			args[i] = new_g(w, old);
			break;
		case GT_ARG_p:
			args[i] = new_p(w, old);
			break;
		case GT_ARG_m:
			args[i] = gt_rewrite_m(w, old);
			break;
		case GT_ARG_seq:
			args[i] = number_of(w, ev, old);
			break;
		case GT_ARG_str:
			args[i] = gt_rewrite_string(w, g, old);
			break;
		case GT_ARG_stack:
			args[i] = gt_rewrite_stack(w, g, old);
			break;
		case GT_ARG_addr:
			args[i] = old + w->address;
			break;
		default:
			args[i] = old;
			if (strcmp(name, "task") == 0 || strcmp(name, "parent_task") == 0) {
				args[i] = old == 0 || old == UINT64_MAX ? old : old + w->task_base;
			}
			break;
		}
	}
	gt_compose_event(w->to, gt_rewrite_m(w, ev->m), ev->ticks + (uint64_t)w->ticks, ev->spec,
			 args);
}

void gt_rewrite_sample(struct gt_rewrite *w, const struct gt_generation *g,
		       const struct gt_sample *sample)
{
	struct gt_sample s = *sample;

	s.time += (uint64_t)w->ticks;
	s.m = gt_rewrite_m(w, s.m);
	s.p = new_p(w, s.p);
	s.g = new_g(w, s.g);
	s.stack = gt_rewrite_stack(w, g, s.stack);
	gt_compose_sample(w->to, &s);
}

/* --- States ------------------------------------------------------------------------------- */

static void put_g(struct gt_rewrite *w, struct gt_replay *r, const struct gt_g *g, uint64_t m,
		  uint64_t ticks)
{
	const bool on = g->is.state == GT_GO_RUNNING || g->is.state == GT_GO_SYSCALL;
	const uint64_t stack =
		gt_rewrite_stack(w, gt_replay_generation(r), gt_replay_stack(r, g->id));
	const uint64_t args[] = {new_g(w, g->id), gt_rewrite_m(w, m), g->is.state, stack};

	start_counting(&w->gs, g->id);
	put(w, on ? m : GT_NO_M, ticks, GT_EV_GO_STATUS_STACK, args);
}

/*
 * What lasts on it, so that its end has a beginning. Only who runs stops the world; to help the
 * collector a G may wait, and then m is GT_NO_M.
 */
static void put_ranges(struct gt_rewrite *w, const struct gt_range *ranges, uint64_t id, uint64_t m,
		       uint64_t ticks)
{
	uint64_t args[1];

	for (; ranges != NULL; ranges = ranges->next) {
		if (ranges->begin == GT_EV_STW_BEGIN && m == GT_NO_M) {
			continue;
		}
		if (ranges->begin == GT_EV_STW_BEGIN) {
			put(w, m, ticks, GT_EV_STW_BEGIN,
			    (const uint64_t[]){gt_compose_string(w->to, ranges->kind.data,
								 ranges->kind.length),
					       0});
		} else if (ranges->begin == GT_EV_GC_SWEEP_BEGIN && lasts(&w->sweeps, id)) {
			args[0] = new_p(w, id);
			put(w, m, ticks, GT_EV_GC_SWEEP_ACTIVE, args);
		} else if (ranges->begin == GT_EV_GC_MARK_ASSIST_BEGIN && lasts(&w->assists, id)) {
			args[0] = new_g(w, id);
			put(w, m, ticks, GT_EV_GC_MARK_ASSIST_ACTIVE, args);
		}
	}
}

void gt_rewrite_states(struct gt_rewrite *w, struct gt_replay *r, uint64_t ticks,
		       bool (*only)(void *data, uint64_t g), void *data)
{
	struct gt_order *o = gt_replay_order(r);
	const struct gt_idmap_slot *slot;

	for (size_t i = 0; (slot = gt_idmap_each(&o->ms, &i)) != NULL;) {
		const struct gt_m *m = gt_order_m(o, slot->id);
		const struct gt_g *g = m->g != GT_NO_G ? gt_order_g(o, m->g) : NULL;
		const struct gt_p *p = m->p != GT_NO_P ? gt_order_p(o, m->p) : NULL;

		if (only != NULL && (g == NULL || !only(data, g->id))) {
			continue;
		}
		if (p != NULL &&
		    (p->is.state == GT_PROC_RUNNING || p->is.state == GT_PROC_SYSCALL) &&
		    gt_idmap_get(&w->ps, p->id) == 0) {
			start_counting(&w->ps, p->id);
			put(w, m->id, ticks, GT_EV_PROC_STATUS,
			    (const uint64_t[]){new_p(w, p->id), p->is.state});
		}
		if (g != NULL) {
			put_g(w, r, g, m->id, ticks);
		}
		if (p != NULL) {
			put_ranges(w, p->ranges, p->id, m->id, ticks);
		}
		if (g != NULL) {
			put_ranges(w, g->ranges, g->id, m->id, ticks);
		}
	}
	for (size_t i = 0; (slot = gt_idmap_each(&o->gs, &i)) != NULL;) {
		const struct gt_g *g = gt_order_g(o, slot->id);

		if (g != NULL && gt_idmap_get(&w->gs, g->id) == 0 &&
		    (only == NULL || only(data, g->id))) {
			put_g(w, r, g, GT_NO_M, ticks);
			put_ranges(w, g->ranges, g->id, GT_NO_M, ticks);
		}
	}
	if (o->gc == GT_GC_ON && only == NULL && !w->collects) {
		w->collects = true;
		w->gc_seq++;
		put(w, GT_NO_M, ticks, GT_EV_GC_ACTIVE, &w->gc_seq);
	}
}
