/*
 * The numbers of an event, where speed counts. For cursor.c and merge_skim.c.
 */
#pragma once

#include "cursor.h"

#include "base/varint.h"

/* How a number that stands in a stream is to be read. */
struct gt_shape {
	uint8_t fields; /* varints after the type, time included; 0: cannot stand there */
	uint8_t kind;   /* enum gt_kind */
};

/* Constants, so that a look-up by a constant number is one, too. */
static const struct gt_shape gt_event_shapes[256] = {
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

static const struct gt_shape gt_fact_shapes[256] = {
#define GT_KIND_TIMED(number, args)
#define GT_KIND_ALLOC(number, args)
#define GT_KIND_FACT(number, args)                         [number] = {1 args, GT_FACT},
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_KIND_##kind(number, args)
#include "base/events.def"
#undef GT_KIND_STRUCT
#undef GT_KIND_TIMED
#undef GT_KIND_ALLOC
#undef GT_KIND_FACT
#undef A
};

enum { GT_EVENT_MAX = 1 + (1 + GT_EVENT_ARGS) * GT_VARINT_MAX };

/* A number that was read: where it ends, NULL if it does not or has more than 64 bits. */
struct gt_number {
	const uint8_t *end;
	uint64_t value;
};

/* The number at p; nothing is looked at that is not before end. */
GT_NOINLINE GT_UNUSED static struct gt_number gt_decode_number(const uint8_t *p, const uint8_t *end)
{
	struct gt_number v = {NULL, 0};
	const int n = gt_varint_get(p, end, &v.value);

	v.end = n > 0 ? p + n : NULL;
	return v;
}

/*
 * The same where three bytes may be looked at, also behind the end: few numbers have more. A number
 * is a value, here and above, and no address of a variable is given away: who reads several of them
 * keeps them in registers.
 */
GT_INLINE struct gt_number gt_decode_short(const uint8_t *p, const uint8_t *end)
{
	uint64_t x = p[0];

	if (gt_likely(x < 0x80)) {
		return (struct gt_number){p + 1, x};
	}
	x += ((uint64_t)p[1] << 7) - 0x80;
	if (gt_likely(p[1] < 0x80)) {
		return (struct gt_number){p + 2, x};
	}
	x += ((uint64_t)p[2] << 14) - (0x80 << 7);
	if (gt_likely(p[2] < 0x80)) {
		return (struct gt_number){p + 3, x};
	}
	return gt_decode_number(p, end);
}

/* gt_generation_ns, where few values are large. */
GT_INLINE uint64_t gt_decode_ns(const struct gt_generation *g, double ns_per_tick, uint64_t ticks)
{
	/* No tick has more than 10^9 ns: the product fits. */
	return gt_likely(ticks <= INT32_MAX)
		       ? (uint64_t)(int64_t)((double)(int32_t)ticks * ns_per_tick)
		       : gt_generation_ns(g, ticks);
}
