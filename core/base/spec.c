/*
 * The event specification: lookup by number and by name.
 */
#include "base/spec.h"

#include <string.h>

/* Number of arguments of each row: GT_NARGS_GO_BLOCK. */
enum {
#define A(type_, name_)                                    +1
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_NARGS_##NAME = 0 args,
#include "base/events.def"
#undef A
};

const struct gt_spec gt_specs[] = {
#define A(type_, name_) {GT_ARG_##type_, #name_},
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) \
	{number, GT_##kind, #GoName, #NAME, doc, GT_NARGS_##NAME, {args{GT_ARG_none, NULL}}},
#include "base/events.def"
#undef A
};

const size_t gt_specs_count = GT_LEN(gt_specs);

/* Index + 1 into gt_specs, by number. A number that stands twice does not compile (see below). */
#define GT_KIND_STRUCT(number, NAME) [number] = ROW_##NAME + 1,
#define GT_KIND_TIMED(number, NAME)  [number] = ROW_##NAME + 1,
#define GT_KIND_ALLOC(number, NAME)  [number] = ROW_##NAME + 1,
#define GT_KIND_FACT(number, NAME)
enum {
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) ROW_##NAME,
#include "base/events.def"
};
static const uint8_t event_rows[256] = {
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_KIND_##kind(number, NAME)
#include "base/events.def"
};
#undef GT_KIND_STRUCT
#undef GT_KIND_TIMED
#undef GT_KIND_ALLOC
#undef GT_KIND_FACT

#define GT_KIND_STRUCT(number, NAME)
#define GT_KIND_TIMED(number, NAME)
#define GT_KIND_ALLOC(number, NAME)
#define GT_KIND_FACT(number, NAME) [number] = ROW_##NAME + 1,
static const uint8_t fact_rows[256] = {
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_KIND_##kind(number, NAME)
#include "base/events.def"
};
#undef GT_KIND_STRUCT
#undef GT_KIND_TIMED
#undef GT_KIND_ALLOC
#undef GT_KIND_FACT

/* Never called: a number that two Go events share is a duplicate case value here. */
GT_UNUSED static void numbers_are_unique(unsigned number)
{
	switch (number) {
#define GT_KIND_STRUCT(number, NAME)                       case number:
#define GT_KIND_TIMED(number, NAME)                        case number:
#define GT_KIND_ALLOC(number, NAME)                        case number:
#define GT_KIND_FACT(number, NAME)                         case 256 + number:
#define GT_EV(number, NAME, GoName, kind, rule, args, doc) GT_KIND_##kind(number, NAME)
#include "base/events.def"
	default:
		break;
	}
}

const struct gt_spec *gt_spec_event(unsigned number)
{
	return number < GT_LEN(event_rows) && event_rows[number] ? &gt_specs[event_rows[number] - 1]
								 : NULL;
}

const struct gt_spec *gt_spec_fact(unsigned number)
{
	return number < GT_LEN(fact_rows) && fact_rows[number] ? &gt_specs[fact_rows[number] - 1]
							       : NULL;
}

const struct gt_spec *gt_spec_by_name(const char *name, size_t length)
{
	for (size_t i = 0; i < gt_specs_count; i++) {
		if (gt_specs[i].kind != GT_FACT && strlen(gt_specs[i].name) == length &&
		    memcmp(gt_specs[i].name, name, length) == 0) {
			return &gt_specs[i];
		}
	}
	return NULL;
}

const char *gt_reason_text(uint64_t id)
{
	switch (id) {
#define GT_REASON(id, NAME, text) \
	case id:                  \
		return text;
#include "base/events.def"
	default:
		return NULL;
	}
}

const char *gt_object_text(uint64_t id)
{
	switch (id) {
#define GT_OBJECT(id, NAME, text) \
	case id:                  \
		return text;
#include "base/events.def"
	default:
		return NULL;
	}
}

const char *gt_ended_text(uint64_t id)
{
	switch (id) {
#define GT_ENDED(id, NAME, text) \
	case id:                 \
		return text;
#include "base/events.def"
	default:
		return NULL;
	}
}

const char *gt_loss_text(uint64_t id)
{
	switch (id) {
#define GT_LOSS(id, NAME, text) \
	case id:                \
		return text;
#include "base/events.def"
	default:
		return NULL;
	}
}

const char *gt_about_text(uint64_t id)
{
	switch (id) {
#define GT_ABOUT(id, NAME, text) \
	case id:                 \
		return text;
#include "base/events.def"
	default:
		return NULL;
	}
}

const char *gt_broken_text(uint64_t id)
{
	switch (id) {
#define GT_BROKEN(id, NAME, text) \
	case id:                  \
		return text;
#include "base/events.def"
	default:
		return NULL;
	}
}

const struct gt_call_spec gt_calls[GT_CALL_END] = {
#define GT_CALL(number, NAME, name, class, as) [number] = {name, GT_CLASS_##class, GT_REASON_##as},
#include "base/calls.def"
};

const char *gt_class_name(unsigned id)
{
	static const char *const names[GT_CLASS_END] = {
#define GT_CLASS(id, NAME, name, on, doc) [id] = name,
#include "base/calls.def"
	};

	return id < GT_CLASS_END ? names[id] : NULL;
}
