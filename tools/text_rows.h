/*
 * What both directions of the text form know about a row. For text.c and assemble.c.
 */
#pragma once

#include "base/spec.h"

static const char *const gt_frame_fields[] = {"pc", "func", "file", "line"};

/* A time delta stands before the arguments. */
GT_INLINE bool gt_text_is_timed(const struct gt_spec *spec)
{
	return spec->kind == GT_TIMED || spec->kind == GT_ALLOC;
}

/* A length and bytes stand after them. */
GT_INLINE bool gt_text_has_data(const struct gt_spec *spec)
{
	return spec->number == GT_EV_STRING || spec->number == GT_EV_EXPERIMENTAL_BATCH;
}
