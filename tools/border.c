/*
 * What stands at the end of a generation, compared with what the next one begins with.
 *
 * Everything that a rule (rule_*.c, strict.c) looks at, and that may stem from an earlier
 * generation, is either compared here or makes the answer "no".
 */
#include "border.h"

#include <stdlib.h>
#include <string.h>

#include "rules.h"

/* A G or P at the end of the generations so far. */
struct settled {
	unsigned state;
	uint64_t on; /* the M on which it executes, GT_NO_M if none */
};

struct settled_m {
	uint64_t g, bound_g, p, bound_p;
};

struct gt_border {
	unsigned version;
	bool strict, live;
	uint64_t crossed;
	uint64_t first; /* as in struct gt_order */
	struct gt_strict_clock clock;
	struct gt_idmap gs, ps; /* id -> struct settled * */
	struct gt_idmap ms;     /* id -> struct settled_m * */
	struct gt_idmap tasks;  /* id -> 1: open */
	struct gt_key *ranges;  /* open ones of Gs and Ps */
	size_t nranges, ranges_cap;
	bool stopped; /* the world is */
	bool regions; /* some are open, or may be */
	enum gt_gc gc;
	uint64_t gc_seq;
};

struct gt_border *gt_border_new(unsigned version, bool strict, bool live)
{
	struct gt_border *b = gt_alloc(sizeof(*b));

	b->version = version;
	b->strict = strict;
	b->live = live;
	return b;
}

static void free_words(struct gt_idmap *map)
{
	const struct gt_idmap_slot *s;

	for (size_t i = 0; (s = gt_idmap_each(map, &i)) != NULL;) {
		free((void *)s->word);
	}
	gt_idmap_fini(map);
}

void gt_border_free(struct gt_border *b)
{
	free_words(&b->gs);
	free_words(&b->ps);
	free_words(&b->ms);
	gt_idmap_fini(&b->tasks);
	free(b->ranges);
	free(b);
}

/* --- Is it as it was? --------------------------------------------------------------------- */

static bool same_on(const struct gt_border *b, const struct settled *s, bool executes, uint64_t m)
{
	return !b->strict || !executes || s->on == m;
}

static bool g_fits(const struct gt_border *b, const struct gt_g *g)
{
	const struct settled *s = gt_idmap_pointer(&b->gs, g->id);
	const struct settled_m *m;

	if (g->entry.how == GT_ENTRY_CREATED) {
		return s == NULL;
	}
	if (s == NULL || s->state != g->entry.state ||
	    !same_on(b, s, s->state == GT_GO_RUNNING || s->state == GT_GO_SYSCALL, g->entry.m)) {
		return false;
	}
	m = gt_idmap_pointer(&b->ms, g->entry.m);
	return s->state != GT_GO_SYSCALL || (m != NULL && m->g == g->id);
}

/*
 * A P that the generation lists as abandoned, because a writer that does not stop the world cannot
 * say who has it, while it is known here: it still sits in the system call of an M. It is then
 * either not touched, or stolen from that M before anything else is heard of it.
 */
static bool is_found(const struct gt_border *b, const struct settled *s, const struct gt_p *p)
{
	const struct settled_m *m = gt_idmap_pointer(&b->ms, s->on);

	return b->strict && p->entry.state == GT_PROC_SYSCALL_ABANDONED &&
	       s->state == GT_PROC_SYSCALL && m != NULL && m->p == p->id &&
	       (p->stolen == GT_KEPT || (p->stolen == GT_STOLEN && p->stolen_from == s->on));
}

/* A P may appear at any time. */
static bool p_fits(const struct gt_border *b, const struct gt_p *p)
{
	const struct settled *s = gt_idmap_pointer(&b->ps, p->id);

	return s == NULL || is_found(b, s, p) ||
	       (s->state == p->entry.state &&
		same_on(b, s, s->state == GT_PROC_RUNNING || s->state == GT_PROC_SYSCALL,
			p->entry.m));
}

/* The P of an M at its first event: that of its last one, if it was not stolen meanwhile. */
static uint64_t p_of(const struct gt_border *b, const struct settled_m *s, const struct gt_order *o)
{
	const struct gt_p *p = gt_idmap_pointer(&o->ps, s->p);
	const struct settled *was = gt_idmap_pointer(&b->ps, s->p);

	return p != NULL && was != NULL && is_found(b, was, p) && p->stolen == GT_STOLEN ? GT_NO_P
											 : s->p;
}

/* An M has at its first event what it had at its last. One without any is left out. */
static bool m_fits(const struct gt_border *b, const struct gt_m *m, const struct gt_order *o)
{
	static const struct settled_m none = {GT_NO_G, GT_NO_G, GT_NO_P, GT_NO_P};
	const struct settled_m *s = gt_idmap_pointer(&b->ms, m->id);

	if (s == NULL) {
		s = &none;
	}
	if (b->strict && (s->bound_g != s->g || s->bound_p != s->p)) {
		return false;
	}
	return m->used ? m->entry_g == s->g && m->entry_p == p_of(b, s, o)
		       : (m->g == s->g || m->g == GT_NO_G) && (m->p == s->p || m->p == GT_NO_P);
}

static bool threads_fit(const struct gt_border *b, const struct gt_order *o)
{
	const struct gt_idmap_slot *s;
	size_t listed = 0;

	for (size_t i = 0; (s = gt_idmap_each(&o->gs, &i)) != NULL;) {
		const struct gt_g *g = (const struct gt_g *)s->word;

		listed += g->entry.how == GT_ENTRY_LISTED;
		if (!g_fits(b, g)) {
			return false;
		}
	}
	for (size_t i = 0; (s = gt_idmap_each(&o->ps, &i)) != NULL;) {
		if (!p_fits(b, (const struct gt_p *)s->word)) {
			return false;
		}
	}
	for (size_t i = 0; (s = gt_idmap_each(&o->ms, &i)) != NULL;) {
		if (!m_fits(b, (const struct gt_m *)s->word, o)) {
			return false;
		}
	}
	return !b->live || listed == b->gs.count;
}

/* What was open is said to be open, and nothing else is. */
static bool ranges_fit(const struct gt_border *b, const struct gt_granted *granted)
{
	if (b->stopped || granted->nranges != b->nranges) {
		return false;
	}
	for (size_t i = 0; i < granted->nranges; i++) {
		size_t k = 0;

		while (k < b->nranges && (b->ranges[k].kind != granted->ranges[i].kind ||
					  b->ranges[k].id != granted->ranges[i].id)) {
			k++;
		}
		if (k == b->nranges) {
			return false;
		}
	}
	return true;
}

static bool collection_fits(const struct gt_border *b, const struct gt_granted *granted)
{
	if (granted->gc == 0 || (b->gc == GT_GC_UNKNOWN && granted->gc == GT_EV_GC_BEGIN)) {
		return true;
	}
	return granted->gc_user && granted->gc_seq == b->gc_seq + 1 &&
	       b->gc == (granted->gc == GT_EV_GC_ACTIVE ? GT_GC_ON : GT_GC_OFF);
}

/* --- What is now --------------------------------------------------------------------------- */

static void *settle(struct gt_idmap *map, uint64_t id, size_t size)
{
	void *p = gt_idmap_pointer(map, id);

	if (p == NULL) {
		p = gt_alloc(size);
		gt_idmap_put(map, id, (uintptr_t)p);
	}
	return p;
}

static void settle_thing(struct gt_idmap *map, uint64_t id, unsigned state, const struct gt_m *on)
{
	struct settled *s = settle(map, id, sizeof(*s));

	*s = (struct settled){state, on != NULL ? on->id : GT_NO_M};
}

static void forget(struct gt_idmap *map, uint64_t id)
{
	free(gt_idmap_pointer(map, id));
	gt_idmap_remove(map, id);
}

static void note_ranges(struct gt_border *b, const struct gt_range *r, int kind, uint64_t id)
{
	for (; r != NULL; r = r->next) {
		b->stopped |= r->begin == GT_EV_STW_BEGIN;
		b->ranges = gt_grow(b->ranges, b->nranges, &b->ranges_cap, sizeof(*b->ranges));
		b->ranges[b->nranges++] = (struct gt_key){kind, id};
	}
}

static void settle_p(struct gt_border *b, const struct gt_p *p)
{
	const struct settled *s = gt_idmap_pointer(&b->ps, p->id);

	if (s != NULL && is_found(b, s, p)) {
		struct settled_m *m = gt_idmap_pointer(&b->ms, s->on);

		if (p->stolen == GT_KEPT) {
			return; /* all is as it was */
		}
		m->p = m->bound_p = GT_NO_P;
	}
	settle_thing(&b->ps, p->id, p->state, p->on);
}

static void settle_m(struct gt_border *b, const struct gt_m *m)
{
	const bool is_new = gt_idmap_get(&b->ms, m->id) == 0;
	struct settled_m *s = settle(&b->ms, m->id, sizeof(*s));

	if (m->used || is_new) {
		*s = (struct settled_m){m->g, m->bound_g, m->p, m->bound_p};
	}
}

static void settle_all(struct gt_border *b, const struct gt_order *o)
{
	const struct gt_idmap_slot *s;

	b->nranges = 0;
	b->stopped = false;
	for (size_t i = 0; (s = gt_idmap_each(&o->gs, &i)) != NULL;) {
		const struct gt_g *g = (const struct gt_g *)s->word;

		if (g->alive) {
			settle_thing(&b->gs, g->id, g->state, g->on);
			note_ranges(b, g->ranges, GT_KEY_G, g->id);
			b->regions |= g->regions != NULL;
		} else {
			forget(&b->gs, g->id);
		}
	}
	for (size_t i = 0; (s = gt_idmap_each(&o->ps, &i)) != NULL;) {
		const struct gt_p *p = (const struct gt_p *)s->word;

		settle_p(b, p);
		note_ranges(b, p->ranges, GT_KEY_P, p->id);
	}
	for (size_t i = 0; (s = gt_idmap_each(&o->ms, &i)) != NULL;) {
		settle_m(b, (const struct gt_m *)s->word);
	}
	if (o->granted->gc != 0) {
		b->gc = o->gc;
		b->gc_seq = o->gc_seq;
	}
}

/* Tasks are open across generations, and said nowhere: what happened to them happens again. */
static bool replay_tasks(struct gt_border *b, const struct gt_granted *granted)
{
	for (size_t i = 0; i < granted->ntasks; i++) {
		const struct gt_task_edge *edge = &granted->tasks[i];
		const bool open = gt_idmap_get(&b->tasks, edge->id) != 0;

		if (edge->begin && open) {
			return false;
		}
		if (edge->begin) {
			gt_idmap_put(&b->tasks, edge->id, 1);
		} else if (open) {
			gt_idmap_remove(&b->tasks, edge->id);
		}
	}
	return true;
}

bool gt_border_cross(struct gt_border *b, const struct gt_generation *g, const struct gt_order *o)
{
	const struct gt_granted *granted = o->granted;
	struct gt_error ignored;

	if (b->strict && gt_strict_clock(&b->clock, g, b->version, b->live, &ignored) < 0) {
		return false;
	}
	/* With these ids an M looks as if it had none. */
	if (gt_idmap_get(&o->gs, GT_NO_G) != 0 || gt_idmap_get(&o->ps, GT_NO_P) != 0) {
		return false;
	}
	/* What belongs to the first generation with an event, by its number, is not for here. */
	if (b->crossed++ > 0 && (b->first == 0 || g->number == b->first)) {
		return false;
	}
	b->first = b->first == 0 ? o->first : b->first;
	if (b->crossed > 1 &&
	    (granted->again || (granted->region && b->regions) || !threads_fit(b, o) ||
	     !ranges_fit(b, granted) || !collection_fits(b, granted))) {
		return false;
	}
	settle_all(b, o);
	return replay_tasks(b, granted);
}
