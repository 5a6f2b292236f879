/*
 * Bytes of a stream -> events.
 */
#include "cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "decode.h"

#define A(type, name) +1
#define GT_EV(number, NAME, GoName, kind, rule, args, doc)                                 \
	_Static_assert(0 args <= GT_EVENT_ARGS, #GoName " has more arguments than struct " \
							"gt_event");
#include "base/events.def"
#undef A

GT_INLINE const struct gt_shape *shapes_of(const struct gt_cursor *c)
{
	return c->facts ? gt_fact_shapes : gt_event_shapes;
}

static void enter(struct gt_cursor *c, const struct gt_batch *b)
{
	const uint8_t *end = c->generation->end;

	c->batch = b;
	if (b != NULL) {
		c->next = b->data + (c->facts ? 2 : 0);
		if (c->facts) {
			c->facts->over = true;
		}
		c->end = b->data + b->size;
		c->time = gt_generation_ns(c->generation, b->time);
		c->safe =
			end - c->next > GT_EVENT_MAX ? GT_MIN(c->end, end - GT_EVENT_MAX) : c->next;
	}
}

void gt_cursor_init(struct gt_cursor *c, const struct gt_generation *g, const struct gt_stream *s,
		    struct gt_brief *facts)
{
	*c = (struct gt_cursor){.generation = g, .m = s->m, .facts = facts};
	if (facts) {
		gt_brief_reset(facts);
	}
	enter(c, s->first);
}

void gt_cursor_init_common(struct gt_cursor *c, const struct gt_generation *g,
			   struct gt_brief *facts)
{
	const uintptr_t i = gt_idmap_get(&g->facts.by_m, GT_NO_M);
	const struct gt_stream none = {.m = GT_NO_M};

	gt_cursor_init(c, g, i != 0 ? &g->facts.array[i - 1] : &none, facts);
}

GT_COLD static int broken(const struct gt_cursor *c, const uint8_t *at, struct gt_error *e)
{
	const struct gt_shape *shapes = shapes_of(c);
	const struct gt_spec *spec = c->facts ? gt_spec_fact(*at) : gt_spec_event(*at);
	uint64_t offset = c->batch->offset + (uint64_t)(at - c->batch->data);

	if (c->facts && spec == NULL && *at != 0) {
		return gt_error_set(e, GT_ERROR_INVALID, offset, c->generation->number, c->m,
				    "found fact %u, which this gtrace does not know", *at);
	}
	if (shapes[*at].fields == 0) {
		return gt_error_set(e, GT_ERROR_INVALID, offset, c->generation->number, c->m,
				    spec ? "found %u (%s), which has no time and cannot stand "
					   "among the events of a batch"
					 : "found byte %u, which is no %s",
				    *at,
				    spec       ? spec->name
				    : c->facts ? "fact"
					       : "event type");
	}
	return gt_error_set(e, GT_ERROR_INVALID, offset, c->generation->number, c->m,
			    "a %s is cut off by the end of its batch, or one of its numbers has "
			    "more than 64 bits",
			    spec->name);
}

/* A brief fact that repeats what nobody said. */
GT_COLD static int unsaid(const struct gt_cursor *c, const struct gt_event *ev, struct gt_error *e)
{
	const uint64_t slot =
		ev->args[0] % (ev->number == GT_FACT_WAIT ? GT_BRIEF_SLOTS : GT_BRIEF_CALLS);
	const uint64_t offset = ev->offset, gen = c->generation->number;

	switch (ev->number) {
	case GT_FACT_WAIT:
		return gt_error_set(e, GT_ERROR_INVALID, offset, gen, c->m,
				    "a Wait with slot %" PRIu64 ", which no Block before it in its "
				    "batch has filled",
				    slot);
	case GT_FACT_REPEATING:
	case GT_FACT_DIFFERING:
		return gt_error_set(e, GT_ERROR_INVALID, offset, gen, c->m,
				    "a %s with slot %" PRIu64 ", which has no Call before it in "
				    "its batch that could be repeated",
				    gt_spec_fact(ev->number)->name, slot);
	case GT_FACT_RETAKEN:
		return gt_error_set(e, GT_ERROR_INVALID, offset, gen, c->m,
				    "a Retaken, but no Retake before it in its batch has named "
				    "the mutex");
	default:
		return gt_error_set(e, GT_ERROR_INVALID, offset, gen, c->m,
				    "a Woken, but no Block or WaitEnd before it in its batch has "
				    "named the G");
	}
}

int gt_cursor_look(struct gt_cursor *c, struct gt_error *e)
{
	for (;;) {
		const uint8_t *p = c->next;
		struct gt_number dt;

		while (p == c->end) {
			enter(c, c->batch->next);
			if (c->batch == NULL) {
				return 0;
			}
			p = c->next;
		}
		c->at = p;
		if (gt_unlikely(shapes_of(c)[*p].fields == 0)) {
			if (!c->facts || *p == 0 || c->unread == NULL) {
				return broken(c, p, e);
			}
			++*c->unread;
			/* There may be Calls in what is left. */
			c->facts->repeats = false;
			c->next = c->end;
			continue;
		}
		dt = p < c->safe ? gt_decode_short(p + 1, c->end) : gt_decode_number(p + 1, c->end);
		if (gt_unlikely(dt.end == NULL || dt.end > c->end)) {
			return broken(c, c->at, e);
		}
		/* Each delta is truncated to whole ns on its own, as in Go's reader. */
		c->time += gt_decode_ns(c->generation, c->generation->ns_per_tick, dt.value);
		c->args = dt.end;
		return 1;
	}
}

int gt_cursor_take(struct gt_cursor *c, struct gt_event *ev, struct gt_error *e)
{
	const struct gt_shape shape = shapes_of(c)[*c->at];
	const bool safe = c->at < c->safe;
	const uint8_t *p = c->args;

	ev->number = *c->at;
	ev->kind = shape.kind;
	ev->implied = false;
	ev->was = 0;
	ev->m = c->m;
	ev->time = c->time;
	ev->offset = c->batch->offset + (uint64_t)(c->at - c->batch->data);
	for (unsigned i = 0; i < GT_EVENT_ARGS; i++) {
		ev->args[i] = 0;
	}
	for (unsigned i = 0; i + 1 < shape.fields; i++) {
		const struct gt_number v =
			safe ? gt_decode_short(p, c->end) : gt_decode_number(p, c->end);

		if (gt_unlikely(v.end == NULL)) {
			return broken(c, c->at, e);
		}
		ev->args[i] = v.value;
		p = v.end;
	}
	if (gt_unlikely(p > c->end)) {
		return broken(c, c->at, e);
	}
	c->next = p;
	return c->facts && !gt_brief_read(c->facts, c->m, &ev->number, ev->args) ? unsaid(c, ev, e)
										 : 1;
}

int gt_cursor_next(struct gt_cursor *c, struct gt_event *ev, struct gt_error *e)
{
	const int n = c->batch != NULL ? gt_cursor_look(c, e) : 0;

	return n > 0 ? gt_cursor_take(c, ev, e) : n;
}

uint64_t gt_event_arg(const struct gt_event *ev, const char *name)
{
	const struct gt_spec *spec = gt_event_spec(ev);

	for (unsigned i = 0; spec != NULL && i < spec->nargs; i++) {
		if (strcmp(spec->args[i].name, name) == 0) {
			return ev->args[i];
		}
	}
	return 0;
}

void gt_event_text(const struct gt_event *ev, char *text, size_t size)
{
	const struct gt_spec *spec = gt_event_spec(ev);
	size_t n;

	if (spec == NULL) {
		snprintf(text, size, "event %u", ev->number);
		return;
	}
	n = (size_t)snprintf(text, size, "%s", spec->name);
	for (unsigned i = 0; i < spec->nargs && i < GT_EVENT_ARGS && n < size; i++) {
		n += (size_t)snprintf(text + n, size - n,
				      spec->args[i].type == GT_ARG_addr ? " %s=0x%" PRIx64
									: " %s=%" PRIu64,
				      spec->args[i].name, ev->args[i]);
	}
}
