/*
 * What spans say, in words: for the exports.
 */
#pragma once

#include "facts.h"
#include "span.h"

/* "wait"; of enum gt_span_kind. */
const char *gt_span_kind_name(unsigned kind);
/* "waker", "timeout", "open": the keys of gtrace stat --json. */
const char *gt_span_how_name(unsigned how);

struct gt_span_words {
	char s[256];
};
/* What a thread is called last: its last name, or else "worker #7", by its routine. In *room. */
const char *gt_span_thread_name(const struct gt_spans *s, uint32_t thread,
				struct gt_span_words *room);
/* The function of a frame, or where there is no name its address. In *room. */
const char *gt_span_frame_name(const struct gt_spans *s, const struct gt_span_frame *frame,
			       struct gt_span_words *room);
