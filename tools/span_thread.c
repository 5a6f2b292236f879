/*
 * Spans: threads, their names and where they run; and the questions about a stream's tables.
 */
#include <stdlib.h>
#include <string.h>

#include "span_state.h"

/* --- Threads ---------------------------------------------------------------------------------- */

struct gt_span_state *gt_span_thread_of(struct gt_spans *s, uint64_t g)
{
	struct gt_span_state *t = gt_idmap_pointer(&s->by_g, g);

	if (t != NULL) {
		return t;
	}
	t = gt_alloc(sizeof(*t));
	*t = (struct gt_span_state){
		.open =
			{
				.index = (uint32_t)s->nthreads,
				.id = g,
				.tid = GT_NO_M,
				.creator = GT_SPAN_NONE,
				.routine = GT_SPAN_NONE,
			},
		.object_next = GT_SPAN_NONE,
		.owner_next = GT_SPAN_NONE,
	};
	s->threads =
		gt_grow(s->threads, s->nthreads, &s->threads_cap, sizeof(struct gt_span_state *));
	s->threads[s->nthreads++] = t;
	gt_idmap_put(&s->by_g, g, (uintptr_t)t);
	return t;
}

uint32_t gt_span_index_of(struct gt_spans *s, uint64_t g)
{
	return gt_span_thread_of(s, g)->open.index;
}

void gt_span_put_on(struct gt_spans *s, struct gt_span_state *t, uint64_t m)
{
	const uint32_t last = gt_spans_by_m(s, m);

	if (m == GT_NO_M) {
		return;
	}
	t->open.tid = m;
	if (last != t->open.index) {
		if (last != GT_SPAN_NONE) {
			gt_idmap_remove(&s->by_m, m);
		}
		gt_idmap_put(&s->by_m, m, t->open.index + (uintptr_t)1);
	}
}

/* A thread is named by the outermost function of the first stack that it is seen with. */
void gt_span_routine(struct gt_spans *s, struct gt_span_state *t, uint32_t stack)
{
	const struct gt_span_frame *frames;
	const char *text;
	size_t n;

	if (t->open.routine != GT_SPAN_NONE) {
		return;
	}
	frames = gt_spans_stack(s, stack, &n);
	if (n == 0) {
		return;
	}
	text = gt_spans_string(s, frames[n - 1].func, NULL);
	if (*text == '\0') {
		return;
	}
	t->open.routine = frames[n - 1].func;
	/* What Go's pages take for one. */
	t->open.system = strncmp(text, "runtime.", 8) == 0 && strcmp(text, "runtime.main") != 0;
	if (strcmp(text, "runtime.gtraceAdvancer") == 0) {
		s->by_gtrace = true;
	}
}

void gt_span_label(struct gt_spans *s, struct gt_span_state *t, uint64_t id)
{
	const uint32_t string = gt_spans_string_of(s, id);

	for (size_t i = 0; i < t->open.nlabels; i++) {
		if (t->labels[i] == string) {
			return;
		}
	}
	t->labels = gt_grow(t->labels, t->open.nlabels, &t->labels_cap, sizeof(*t->labels));
	t->labels[t->open.nlabels++] = string;
	t->open.labels = t->labels;
}

/* --- Questions -------------------------------------------------------------------------------- */

uint64_t gt_spans_begin(const struct gt_spans *s)
{
	return s->begin;
}

uint64_t gt_spans_end(const struct gt_spans *s)
{
	return s->end;
}

bool gt_spans_by_gtrace(const struct gt_spans *s)
{
	return s->by_gtrace;
}

const struct gt_generation *gt_spans_generation(const struct gt_spans *s)
{
	return gt_merge_generation(s->merge);
}

const struct gt_span_thread *gt_spans_thread(const struct gt_spans *s, uint32_t thread)
{
	return &s->threads[thread]->open;
}

uint32_t gt_spans_threads(const struct gt_spans *s)
{
	return (uint32_t)s->nthreads;
}

uint32_t gt_spans_by_id(const struct gt_spans *s, uint64_t g)
{
	const struct gt_span_state *t = gt_idmap_pointer(&s->by_g, g);

	return t != NULL ? t->open.index : GT_SPAN_NONE;
}

uint32_t gt_spans_by_m(const struct gt_spans *s, uint64_t m)
{
	const uintptr_t i = gt_idmap_get(&s->by_m, m);

	return i ? (uint32_t)(i - 1) : GT_SPAN_NONE;
}

bool gt_spans_is_system(const struct gt_spans *s, uint32_t thread)
{
	const struct gt_span_thread *t = gt_spans_thread(s, thread);

	return t->system || t->routine == GT_SPAN_NONE;
}

const struct gt_span *gt_spans_now(const struct gt_spans *s, uint32_t thread)
{
	const struct gt_span *now = &s->threads[thread]->now;

	return now->kind != 0 ? now : NULL;
}

const char *gt_spans_string(const struct gt_spans *s, uint32_t string, size_t *size)
{
	if (string == GT_SPAN_NONE) {
		if (size != NULL) {
			*size = 0;
		}
		return "";
	}
	return gt_set_key(&s->tables.strings, string, size);
}

uint32_t gt_spans_strings(const struct gt_spans *s)
{
	return (uint32_t)s->tables.strings.count;
}

const struct gt_span_frame *gt_spans_stack(const struct gt_spans *s, uint32_t stack,
					   size_t *nframes)
{
	return gt_span_tables_frames(&s->tables, stack, nframes);
}

uint32_t gt_spans_stacks(const struct gt_spans *s)
{
	return (uint32_t)s->tables.stacks.count;
}

uint32_t gt_spans_stack_of(struct gt_spans *s, uint64_t id)
{
	return gt_span_tables_stack(&s->tables, gt_spans_generation(s), id);
}

uint32_t gt_spans_string_of(struct gt_spans *s, uint64_t id)
{
	return gt_span_tables_string(&s->tables, gt_generation_string(gt_spans_generation(s), id));
}

const struct gt_span_object *gt_spans_object(const struct gt_spans *s, uint32_t object)
{
	return gt_set_key(&s->tables.objects, object, NULL);
}

uint32_t gt_spans_objects(const struct gt_spans *s)
{
	return (uint32_t)s->tables.objects.count;
}
