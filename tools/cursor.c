/*
 * Bytes of a stream -> events.
 */
#include "cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/varint.h"

/* How a number that stands in a stream is to be read. */
struct shape {
	uint8_t fields; /* varints after the type, time included; 0: cannot stand there */
	uint8_t kind;   /* enum gt_kind */
};

static const struct shape event_shapes[256] = {
#define A(type, name) +1
#define GT_KIND_STRUCT(number, args)
#define GT_KIND_TIMED(number, args) [number] = {1 args, GT_TIMED},
#define GT_KIND_ALLOC(number, args) [number] = {1 args, GT_ALLOC},
#define GT_KIND_FACT(number, args)
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_KIND_##kind(number, args)
#include "base/events.def"
#undef GT_KIND_TIMED
#undef GT_KIND_ALLOC
#undef GT_KIND_FACT
};

static const struct shape fact_shapes[256] = {
#define GT_KIND_TIMED(number, args)
#define GT_KIND_ALLOC(number, args)
#define GT_KIND_FACT(number, args)                         [number] = {1 args, GT_FACT},
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_KIND_##kind(number, args)
#include "base/events.def"
#undef GT_KIND_STRUCT
#undef GT_KIND_TIMED
#undef GT_KIND_ALLOC
#undef GT_KIND_FACT
};

#define GT_EV(number, NAME, GoName, kind, rule, args, doc)                                 \
	_Static_assert(0 args <= GT_EVENT_ARGS, #GoName " has more arguments than struct " \
							"gt_event");
#include "base/events.def"
#undef A

void gt_cursor_init(struct gt_cursor *c, const struct gt_generation *g, const struct gt_stream *s,
		    bool facts)
{
	*c = (struct gt_cursor){.generation = g,
				.batch = s->first,
				.m = s->m,
				.facts = facts,
				.last = gt_generation_ns(g, s->first->time),
				.at = s->first->data + (facts ? 2 : 0)};
}

GT_COLD static int broken(const struct gt_cursor *c, const uint8_t *at, struct gt_error *e)
{
	const struct shape *shapes = c->facts ? fact_shapes : event_shapes;
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

/* Steps over batches that are at their end: the bytes of the next event, or NULL at the end. */
static const uint8_t *find(struct gt_cursor *c, const uint8_t **end)
{
	while (c->batch != NULL && c->at == c->batch->data + c->batch->size) {
		c->batch = c->batch->next;
		if (c->batch != NULL) {
			c->at = c->batch->data + (c->facts ? 2 : 0);
			c->last = gt_generation_ns(c->generation, c->batch->time);
		}
	}
	if (c->batch == NULL) {
		return NULL;
	}
	*end = c->batch->data + c->batch->size;
	return c->at;
}

/* Like gt_varint_get: where the number ends, NULL if it does not. */
GT_NOINLINE static const uint8_t *number(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
	int n = gt_varint_get(p, end, v);

	return gt_likely(n > 0) ? p + n : NULL;
}

/* The same where three bytes may be looked at, also behind the end: few numbers have more. */
GT_INLINE const uint8_t *short_number(const uint8_t *p, const uint8_t *end, uint64_t *v)
{
	uint64_t x = p[0];

	if (gt_likely(x < 0x80)) {
		*v = x;
		return p + 1;
	}
	x += ((uint64_t)p[1] << 7) - 0x80;
	if (gt_likely(p[1] < 0x80)) {
		*v = x;
		return p + 2;
	}
	x += ((uint64_t)p[2] << 14) - (0x80 << 7);
	if (gt_likely(p[2] < 0x80)) {
		*v = x;
		return p + 3;
	}
	return number(p, end, v);
}

/* What decoding needs of a cursor, apart from where it is. */
struct decoder {
	const struct gt_generation *generation;
	const struct shape *shapes;
	const uint8_t *end; /* of the batch */
	uint64_t m;
	uint64_t base; /* file offset of address 0, so to speak */
	double ns_per_tick;
};

GT_INLINE struct decoder decoder_of(const struct gt_cursor *c)
{
	const struct gt_batch *b = c->batch;

	return (struct decoder){.generation = c->generation,
				.shapes = c->facts ? fact_shapes : event_shapes,
				.end = b->data + b->size,
				.m = c->m,
				.base = b->offset - (uintptr_t)b->data,
				.ns_per_tick = c->generation->ns_per_tick};
}

/* gt_generation_ns, where few values are large. */
GT_INLINE uint64_t to_ns(const struct decoder *d, uint64_t ticks)
{
	/* No tick has more than 10^9 ns: the product fits. */
	return gt_likely(ticks <= INT32_MAX)
		       ? (uint64_t)(int64_t)((double)(int32_t)ticks * d->ns_per_tick)
		       : gt_generation_ns(d->generation, ticks);
}

/*
 * The event at p, which has that many fields: where the next one begins, NULL if it is broken.
 * room: the generation goes on for EVENT_MAX bytes; the event may then seem to go on behind its
 * batch.
 */
GT_INLINE const uint8_t *decode(const struct decoder *d, uint64_t *last, const uint8_t *p,
				bool room, struct gt_event *ev)
{
	const struct shape shape = d->shapes[*p];
	uint64_t dt;

	ev->number = *p;
	ev->kind = shape.kind;
	ev->implied = false;
	ev->was = 0;
	ev->m = d->m;
	ev->offset = d->base + (uintptr_t)p;
	for (unsigned i = 0; i < GT_EVENT_ARGS; i++) {
		ev->args[i] = 0;
	}
	p = room ? short_number(p + 1, d->end, &dt) : number(p + 1, d->end, &dt);
	if (gt_unlikely(p == NULL)) {
		return NULL;
	}
	/* Each delta is truncated to whole ns on its own, as in Go's reader. */
	*last += to_ns(d, dt);
	ev->time = *last;
	for (unsigned i = 0; i + 1 < shape.fields; i++) {
		p = room ? short_number(p, d->end, &ev->args[i]) : number(p, d->end, &ev->args[i]);
		if (gt_unlikely(p == NULL)) {
			return NULL;
		}
	}
	return p;
}

enum { EVENT_MAX = 1 + (1 + GT_EVENT_ARGS) * GT_VARINT_MAX };

unsigned gt_cursor_run(struct gt_cursor *c, struct gt_event *ev, unsigned n)
{
	const struct gt_event *first = ev, *full = ev + n;
	const uint8_t *at = c->at, *safe;
	uint64_t last = c->last;
	struct decoder d;

	if (c->batch == NULL || c->generation->end - at <= EVENT_MAX) {
		return 0;
	}
	d = decoder_of(c);
	safe = GT_MIN(d.end, c->generation->end - EVENT_MAX);
	while (ev < full && at < safe && d.shapes[*at].fields != 0) {
		uint64_t time = last;
		const uint8_t *next = decode(&d, &time, at, true, ev);

		if (gt_unlikely(next == NULL || next > d.end)) {
			break;
		}
		at = next;
		last = time;
		ev++;
	}
	c->at = at;
	c->last = last;
	return (unsigned)(ev - first);
}

int gt_cursor_next(struct gt_cursor *c, struct gt_event *ev, struct gt_error *e)
{
	const uint8_t *at, *end, *next;

	while ((at = find(c, &end)) != NULL) {
		const struct decoder d = decoder_of(c);

		if (gt_unlikely(d.shapes[*at].fields == 0)) {
			if (!c->facts || *at == 0 || c->unread == NULL) {
				return broken(c, at, e);
			}
			++*c->unread;
			c->at = end;
			continue;
		}
		next = decode(&d, &c->last, at, end - at >= EVENT_MAX, ev);
		if (gt_unlikely(next == NULL)) {
			return broken(c, at, e);
		}
		c->at = next;
		return 1;
	}
	return 0;
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
