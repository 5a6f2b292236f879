/*
 * Parts of a trace.
 */
#include "window.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/env.h"

bool gt_window_take(struct gt_window *w, int option, const char *text)
{
	if (option == GT_WINDOW_THREAD) {
		w->thread = text;
		return true;
	}
	return gt_env_time(text, option == GT_WINDOW_FROM ? &w->from : &w->to);
}

bool gt_window_clip(const struct gt_window *w, uint64_t begin, uint64_t *from, uint64_t *to)
{
	const uint64_t least = begin + w->from;
	const uint64_t most = w->to < UINT64_MAX - begin ? begin + w->to : UINT64_MAX;

	if (*to < least || *from >= most || (*to == least && *from < least)) {
		return false;
	}
	*from = GT_MAX(*from, least);
	*to = GT_MIN(*to, most);
	return true;
}

bool gt_window_span(const struct gt_window *w, const struct gt_spans *s, struct gt_span *span)
{
	const uint64_t begin = gt_spans_begin(s), end = span->end;

	if (!gt_window_clip(w, begin, &span->begin, &span->end)) {
		return false;
	}
	if (span->end != end) {
		span->open = true;
		span->died = false;
		span->how = GT_SPAN_OPEN;
		span->waker = span->retake_owner = GT_SPAN_NONE;
		span->waker_stack = 0;
		span->ready = span->retake = 0;
		span->retakes = false;
	}
	if (w->to < UINT64_MAX - begin) {
		span->ready = GT_MIN(span->ready, begin + w->to - span->end);
	}
	span->retake = GT_MIN(span->retake, span->end - span->begin);
	if (span->lost != 0) {
		span->lost = GT_MIN(GT_MAX(span->lost, span->begin), span->end);
	}
	return true;
}

/* By itself first: names may have these characters in them. */
static bool is_name(const char *pattern, const char *name)
{
	return strcmp(pattern, name) == 0 || fnmatch(pattern, name, 0) == 0;
}

bool gt_window_thread(const struct gt_window *w, const struct gt_spans *s, uint32_t thread)
{
	const struct gt_span_thread *t;
	char number[24];

	if (w->thread == NULL) {
		return true;
	}
	if (thread == GT_SPAN_NONE) {
		return false;
	}
	t = gt_spans_thread(s, thread);
	snprintf(number, sizeof(number), "#%" PRIu64, t->id);
	if (strcmp(w->thread, number) == 0 ||
	    is_name(w->thread, gt_spans_string(s, t->routine, NULL))) {
		return true;
	}
	snprintf(number, sizeof(number), "%" PRIu64, t->tid);
	if (strcmp(w->thread, number) == 0) {
		return true;
	}
	for (size_t i = 0; i < t->nlabels; i++) {
		if (is_name(w->thread, gt_spans_string(s, t->labels[i], NULL))) {
			return true;
		}
	}
	return false;
}
