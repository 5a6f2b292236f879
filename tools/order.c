/*
 * The partial order: its state, its dispatch, its words.
 */
#include "rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An event type without a rule does not compile: its function would be missing. */
typedef enum gt_outcome rule(struct gt_order *, struct gt_event *, struct gt_m *);
static rule *const rules[256] = {
#define GT_KIND_STRUCT(number, fn)
#define GT_KIND_TIMED(number, fn) [number] = fn,
#define GT_KIND_ALLOC(number, fn) [number] = fn,
#define GT_KIND_FACT(number, fn)
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_KIND_##kind(number, gt_rule_##rule)
#include "base/events.def"
#undef GT_KIND_STRUCT
#undef GT_KIND_TIMED
#undef GT_KIND_ALLOC
#undef GT_KIND_FACT
};

const char *gt_go_state_text(unsigned state)
{
	static const char *const names[] = {"Bad", "Runnable", "Running", "Syscall", "Waiting"};

	return state < GT_LEN(names) ? names[state] : "?";
}

const char *gt_proc_state_text(unsigned state)
{
	static const char *const names[] = {"Bad", "Running", "Idle", "Syscall",
					    "SyscallAbandoned"};

	return state < GT_LEN(names) ? names[state] : "?";
}

/* --- State -------------------------------------------------------------------------------- */

void gt_order_init(struct gt_order *o, bool strict, bool live)
{
	*o = (struct gt_order){.strict = strict, .live = live};
}

static void free_ranges(struct gt_range *r)
{
	while (r != NULL) {
		struct gt_range *next = r->next;

		free((void *)r->kind.data);
		free(r);
		r = next;
	}
}

static void free_regions(struct gt_g *g)
{
	while (g->regions != NULL) {
		struct gt_region *next = g->regions->next;

		free((void *)g->regions->name.data);
		free(g->regions);
		g->regions = next;
	}
}

static void free_g(struct gt_g *g)
{
	free_regions(g);
	free_ranges(g->ranges);
	free(g);
}

void gt_order_fini(struct gt_order *o)
{
	const struct gt_idmap_slot *s;

	for (size_t i = 0; (s = gt_idmap_each(&o->gs, &i)) != NULL;) {
		free_g((struct gt_g *)s->word);
	}
	for (size_t i = 0; (s = gt_idmap_each(&o->ps, &i)) != NULL;) {
		free_ranges(((struct gt_p *)s->word)->ranges);
		free((void *)s->word);
	}
	for (size_t i = 0; (s = gt_idmap_each(&o->ms, &i)) != NULL;) {
		free((void *)s->word);
	}
	for (size_t i = 0; (s = gt_idmap_each(&o->tasks, &i)) != NULL;) {
		free((void *)((struct gt_task *)s->word)->name.data);
		free((void *)s->word);
	}
	gt_idmap_fini(&o->gs);
	gt_idmap_fini(&o->ps);
	gt_idmap_fini(&o->ms);
	gt_idmap_fini(&o->tasks);
}

struct gt_text gt_rule_keep(const struct gt_text *text)
{
	char *copy = gt_alloc(text->length + 1);

	memcpy(copy, text->data, text->length);
	return (struct gt_text){copy, text->length};
}

struct gt_g *gt_rule_add_g(struct gt_order *o, uint64_t id, unsigned state)
{
	struct gt_g *g = gt_idmap_pointer(&o->gs, id);

	if (g == NULL) {
		g = gt_alloc(sizeof(*g));
		g->id = id;
		g->entry.how = GT_ENTRY_CREATED; /* where it is listed, that is said after */
		gt_idmap_put(&o->gs, id, (uintptr_t)g);
	}
	g->alive = true;
	g->state = (uint8_t)state;
	g->seq = seq_at(o, 0);
	g->listed = o->generation->index;
	return g;
}

/*
 * In the first generation the record stays, so that strict.c notices a status of a G that has
 * ended. Later ones cannot name a new G by status, so that memory is bounded by what lives.
 */
bool gt_rule_end_g(struct gt_order *o, const struct gt_event *ev, struct gt_g *g)
{
	if (o->strict && g->ranges != NULL) {
		BROKEN("goroutine %" PRIu64 " ends inside a range; expected %s to end first", g->id,
		       gt_spec_event(g->ranges->begin)->name);
		return false;
	}
	g->alive = false;
	free_regions(g);
	free_ranges(g->ranges);
	g->ranges = NULL;
	if (!g->is_ended) {
		g->is_ended = true;
		g->next_ended = o->ended;
		o->ended = g;
	}
	return true;
}

static void reap(struct gt_order *o)
{
	struct gt_g *g = o->ended;

	o->ended = NULL;
	while (g != NULL) {
		struct gt_g *next = g->next_ended;

		g->is_ended = false;
		if (!g->alive) {
			gt_idmap_remove(&o->gs, g->id);
			if (o->recent_gs[g->id % GT_LEN(o->recent_gs)] == g) {
				o->recent_gs[g->id % GT_LEN(o->recent_gs)] = NULL;
			}
			free_g(g);
		}
		g = next;
	}
}

struct gt_p *gt_rule_add_p(struct gt_order *o, uint64_t id, unsigned state)
{
	struct gt_p *p = gt_alloc(sizeof(*p));

	*p = (struct gt_p){.id = id, .state = (uint8_t)state, .alive = true, .seq = seq_at(o, 0)};
	gt_idmap_put(&o->ps, id, (uintptr_t)p);
	return p;
}

struct gt_m *gt_rule_add_m(struct gt_order *o, uint64_t id)
{
	struct gt_m *m = gt_alloc(sizeof(*m));

	*m = (struct gt_m){
		.id = id, .g = GT_NO_G, .bound_g = GT_NO_G, .p = GT_NO_P, .bound_p = GT_NO_P};
	gt_idmap_put(&o->ms, id, (uintptr_t)m);
	return m;
}

/* --- Words of the rules ------------------------------------------------------------------- */

enum gt_outcome gt_rule_broken(struct gt_order *o, const struct gt_event *ev, const char *format,
			       ...)
{
	struct gt_error *e = o->error;
	va_list args;

	gt_error_set(e, GT_ERROR_INVALID, ev->offset, o->generation->number, ev->m, "%s", "");
	gt_event_text(ev, e->event, sizeof(e->event));
	va_start(args, format);
	vsnprintf(e->message, sizeof(e->message), format, args);
	va_end(args);
	return GT_BROKEN;
}

void gt_rule_missing(struct gt_order *o, const struct gt_event *ev, const char *what)
{
	BROKEN("expected a %s but didn't have one", what);
}

void gt_rule_superfluous(struct gt_order *o, const struct gt_event *ev, const char *what,
			 uint64_t id)
{
	BROKEN("expected no %s but had one: %" PRIu64, what, id);
}

void gt_rule_ended(struct gt_order *o, const struct gt_event *ev)
{
	BROKEN("this M runs G %" PRIu64 ", which has ended elsewhere", ev->g);
}

void gt_rule_other_state(struct gt_order *o, const struct gt_event *ev, const struct gt_g *g,
			 unsigned state)
{
	BROKEN("the G of this M, %" PRIu64 ", is %s; expected %s", g->id,
	       gt_go_state_text(g->state), gt_go_state_text(state));
}

void gt_rule_unknown_p(struct gt_order *o, const struct gt_event *ev)
{
	BROKEN("this M has P %" PRIu64 ", of which nothing is known", ev->p);
}

GT_RULE(none)
{
	(void)m;
	return BROKEN("cannot stand among the events of a thread");
}

/* --- Dispatch ----------------------------------------------------------------------------- */

void gt_order_generation(struct gt_order *o, const struct gt_generation *g)
{
	o->generation = g;
	o->number = g->number;
	o->nth++;
}

static bool is_status(const struct gt_event *ev)
{
	return ev->number == GT_EV_PROC_STATUS || ev->number == GT_EV_GO_STATUS ||
	       ev->number == GT_EV_GO_STATUS_STACK;
}

enum gt_outcome gt_order_advance(struct gt_order *o, struct gt_event *ev, struct gt_m **m,
				 struct gt_error *e)
{
	enum gt_outcome outcome;

	if (o->ended != NULL && o->nth > 1) {
		reap(o);
	}
	if (gt_unlikely(o->first == 0)) {
		o->first = o->generation->number;
	}
	if (gt_unlikely(*m == NULL) && ev->m != GT_NO_M) {
		*m = gt_order_m(o, ev->m);
		if (*m == NULL) {
			*m = gt_rule_add_m(o, ev->m);
		}
	}
	if (gt_unlikely(*m != NULL && !(*m)->used) && !is_status(ev)) {
		(*m)->used = true;
		(*m)->entry_g = (*m)->g;
		(*m)->entry_p = (*m)->p;
	}
	ev->g = *m != NULL ? (*m)->g : GT_NO_G;
	ev->p = *m != NULL ? (*m)->p : GT_NO_P;
	o->nout = o->nchanged = o->nimplied = 0;
	o->wait.kind = GT_KEY_NONE;
	o->error = e;
	outcome = rules[ev->number](o, ev, *m);
	if (outcome == GT_ADVANCED && o->strict) {
		for (unsigned i = 0; i < o->nout; i++) {
			if (gt_strict_event(o, o->out[i]) < 0) {
				return GT_BROKEN;
			}
		}
	}
	if (gt_unlikely(*m != NULL && !(*m)->used)) {
		*m = NULL; /* so that its next event comes here, too */
	}
	return outcome;
}

int gt_order_generation_end(struct gt_order *o, struct gt_error *e)
{
	const struct gt_idmap_slot *s;

	for (size_t i = 0; o->live && (s = gt_idmap_each(&o->gs, &i)) != NULL;) {
		const struct gt_g *g = (const struct gt_g *)s->word;

		if (g->alive && g->listed != o->generation->index) {
			return gt_error_set(e, GT_ERROR_INVALID, o->generation->offset,
					    o->generation->number, GT_NOWHERE,
					    "G %" PRIu64 " is alive (%s) but has no status in this "
					    "generation (invariant 9)",
					    g->id, gt_go_state_text(g->state));
		}
	}
	return 0;
}

uint64_t gt_order_next_seq(struct gt_order *o, struct gt_key key)
{
	const struct gt_g *g = key.kind == GT_KEY_G ? gt_order_g(o, key.id) : NULL;
	const struct gt_p *p = key.kind == GT_KEY_P ? gt_order_p(o, key.id) : NULL;
	const struct gt_seq *seq = g != NULL ? &g->seq : p != NULL ? &p->seq : NULL;

	return seq != NULL && seq->generation == o->number ? seq->value + 1 : GT_ANY_SEQ;
}

static int put_seq(char *text, size_t size, const struct gt_order *o, struct gt_seq seq,
		   uint64_t found)
{
	if (seq.generation != o->generation->number) {
		return snprintf(text, size,
				", and it has no status in this generation from which its "
				"sequence numbers could count");
	}
	return snprintf(text, size, ", its next sequence number is %" PRIu64 " (found %" PRIu64 ")",
			seq.value + 1, found);
}

void gt_order_why(struct gt_order *o, const struct gt_event *ev, char *text, size_t size)
{
	const struct gt_key key = o->wait;
	size_t n;

	if (key.kind == GT_KEY_GC) {
		snprintf(text, size, "the collector's next sequence number is %" PRIu64,
			 o->gc_seq + 1);
	} else if (key.kind == GT_KEY_G) {
		const struct gt_g *g = gt_order_g(o, key.id);

		if (g == NULL) {
			snprintf(text, size, "there is no G %" PRIu64, key.id);
			return;
		}
		n = (size_t)snprintf(text, size, "G %" PRIu64 " is %s (expected %s)", g->id,
				     gt_go_state_text(g->state),
				     ev->number == GT_EV_GO_START ? "Runnable" : "Waiting");
		if (n < size) {
			put_seq(text + n, size - n, o, g->seq, ev->args[1]);
		}
	} else if (key.kind == GT_KEY_P) {
		const struct gt_p *p = gt_order_p(o, key.id);

		if (p == NULL) {
			snprintf(text, size, "there is no P %" PRIu64, key.id);
			return;
		}
		if (ev->number != GT_EV_GO_SYSCALL_END_BLOCKED && p->id != ev->args[0]) {
			snprintf(text, size, "this M still has P %" PRIu64, p->id);
			return;
		}
		n = (size_t)snprintf(text, size, "P %" PRIu64 " is %s (expected %s)", p->id,
				     gt_proc_state_text(p->state),
				     ev->number == GT_EV_PROC_START   ? "Idle"
				     : ev->number == GT_EV_PROC_STEAL ? "Syscall"
								      : "not Syscall");
		if (n < size && ev->number != GT_EV_GO_SYSCALL_END_BLOCKED) {
			put_seq(text + n, size - n, o, p->seq, ev->args[1]);
		}
	} else {
		snprintf(text, size, "?");
	}
}
