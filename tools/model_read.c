/*
 * The model: reading a trace, or the part of it that is asked for.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model.h"

void gt_model_set_cut(struct gt_model *model, const struct gt_model_cut *cut)
{
	model->cut = *cut;
}

void gt_model_set_watch(struct gt_model *model,
			void (*watch)(void *, struct gt_model *, const struct gt_span *),
			void *data)
{
	model->watch = watch;
	model->watch_data = data;
}

bool gt_model_wants(const struct gt_model *model, uint32_t thread, uint32_t object)
{
	const char *wanted = model->cut.object;

	if (!gt_window_thread(&model->cut.window, model->spans, thread)) {
		return false;
	}
	return wanted == NULL ||
	       (object != GT_SPAN_NONE && gt_model_is_object(model, object, wanted));
}

const char *gt_model_global(const struct gt_model *model, uint32_t object)
{
	const struct gt_span_object *o = gt_spans_object(model->spans, object);

	return o->kind == GT_OBJECT_THREAD ? NULL : gt_globals_name(model->globals, o->address);
}

bool gt_model_is_object(const struct gt_model *model, uint32_t object, const char *text)
{
	char number[24];

	if (*text == '#') {
		snprintf(number, sizeof(number), "#%" PRIu32, object + 1);
	} else {
		snprintf(number, sizeof(number), "0x%" PRIx64,
			 gt_spans_object(model->spans, object)->address);
	}
	return strcmp(text, number) == 0 ||
	       (model->cut.address != NULL && strcmp(model->cut.address, number) == 0);
}

/* The part of a span that is asked for; false: nothing. */
static bool cut(const struct gt_model *model, struct gt_span *span)
{
	const uint64_t end = span->end;

	if (!gt_model_wants(model, span->thread, span->object) ||
	    !gt_window_clip(&model->cut.window, gt_spans_begin(model->spans), &span->begin,
			    &span->end)) {
		return false;
	}
	if (span->end != end) {
		/* What its end was is not part of it. */
		span->open = true;
		span->how = GT_SPAN_OPEN;
		span->ready = span->retake = 0;
		span->retakes = span->counted = false;
	}
	span->ready = GT_MIN(span->ready, model->to - span->end);
	span->retake = GT_MIN(span->retake, span->end - span->begin);
	span->lost = span->lost ? GT_MIN(GT_MAX(span->lost, span->begin), span->end) : 0;
	return true;
}

int gt_model_read(struct gt_model *model, struct gt_merge *t, struct gt_error *e)
{
	const struct gt_window *w = &model->cut.window;
	const bool whole = w->from == 0 && w->to == UINT64_MAX && w->thread == NULL &&
			   model->cut.object == NULL;
	struct gt_span span;
	int n;

	gt_spans_close(model->spans);
	model->spans = gt_spans_open(t, GT_SPANS_EVENTS);
	model->version = gt_merge_version(t);
	while ((n = gt_spans_next(model->spans, &span, e)) > 0) {
		if (span.kind == GT_SPAN_EVENT && model->from == 0) {
			const uint64_t begin = gt_spans_begin(model->spans);

			model->from = begin + w->from;
			model->to = w->to < UINT64_MAX - begin ? begin + w->to : UINT64_MAX;
		}
		if (model->watch != NULL) {
			model->watch(model->watch_data, model, &span);
		}
		gt_model_locks_span(model, &span);
		if (span.kind != GT_SPAN_EVENT) {
			gt_model_entry(model, &span);
		}
		if (whole || span.kind == GT_SPAN_EVENT || cut(model, &span)) {
			gt_model_span(model, &span);
		}
	}
	model->unread = gt_merge_unread(t);
	gt_model_end(model);
	return n;
}
