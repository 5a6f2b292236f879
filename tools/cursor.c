/*
 * Bytes of a stream -> events.
 */
#include "cursor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/varint.h"

/* Number of varints after the type, time included; 0: cannot stand in a stream of its kind. */
static const uint8_t event_fields[256] = {
#define A(type, name) +1
#define GT_KIND_STRUCT(number, args)
#define GT_KIND_TIMED(number, args) [number] = 1 args,
#define GT_KIND_ALLOC(number, args) [number] = 1 args,
#define GT_KIND_FACT(number, args)
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_KIND_##kind(number, args)
#include "base/events.def"
#undef GT_KIND_TIMED
#undef GT_KIND_ALLOC
#undef GT_KIND_FACT
};

static const uint8_t fact_fields[256] = {
#define GT_KIND_TIMED(number, args)
#define GT_KIND_ALLOC(number, args)
#define GT_KIND_FACT(number, args)                         [number] = 1 args,
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
	const uint8_t *fields = c->facts ? fact_fields : event_fields;
	const struct gt_spec *spec = c->facts ? gt_spec_fact(*at) : gt_spec_event(*at);
	uint64_t offset = c->batch->offset + (uint64_t)(at - c->batch->data);

	if (c->facts && spec == NULL && *at != 0) {
		return gt_error_set(e, GT_ERROR_INVALID, offset, c->generation->number, c->m,
				    "found fact %u, which this gtrace does not know", *at);
	}
	if (fields[*at] == 0) {
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

int gt_cursor_next(struct gt_cursor *c, struct gt_event *ev, struct gt_error *e)
{
	const uint8_t *p, *end;
	unsigned fields;
	uint64_t v;
	int n;

	for (;;) {
		while (c->batch != NULL && c->at == c->batch->data + c->batch->size) {
			c->batch = c->batch->next;
			if (c->batch != NULL) {
				c->at = c->batch->data + (c->facts ? 2 : 0);
				c->last = gt_generation_ns(c->generation, c->batch->time);
			}
		}
		if (c->batch == NULL) {
			return 0;
		}
		p = c->at;
		end = c->batch->data + c->batch->size;
		fields = c->facts ? fact_fields[*p] : event_fields[*p];
		if (gt_likely(fields != 0)) {
			break;
		}
		if (!c->facts || *p == 0 || c->unread == NULL) {
			return broken(c, p, e);
		}
		++*c->unread;
		c->at = end;
	}
	ev->number = *p;
	ev->kind = c->facts ? GT_FACT : *p >= GT_EV_SPAN ? GT_ALLOC : GT_TIMED;
	ev->implied = false;
	ev->was = 0;
	ev->m = c->m;
	ev->offset = c->batch->offset + (uint64_t)(p - c->batch->data);
	p++;
	for (unsigned i = 0; i < fields; i++) {
		if (gt_likely(p < end && *p < 0x80)) {
			v = *p++;
		} else {
			n = gt_varint_get(p, end, &v);
			if (gt_unlikely(n <= 0)) {
				return broken(c, c->at, e);
			}
			p += n;
		}
		if (i == 0) {
			/* Each delta is truncated to whole ns on its own, as in Go's reader. */
			c->last += gt_generation_ns(c->generation, v);
			ev->time = c->last;
		} else {
			ev->args[i - 1] = v;
		}
	}
	for (unsigned i = fields - 1; i < GT_EVENT_ARGS; i++) {
		ev->args[i] = 0;
	}
	c->at = p;
	return 1;
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
