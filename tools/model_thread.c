/*
 * The model: threads, their names, and where they run.
 */
#include "model.h"

#include <string.h>

struct gt_model_thread *gt_model_thread_of(struct gt_model *model, uint64_t g)
{
	struct gt_model_thread *t = gt_idmap_pointer(&model->by_g, g);

	if (t != NULL) {
		return t;
	}
	t = gt_alloc(sizeof(*t));
	*t = (struct gt_model_thread){
		.index = (uint32_t)model->nthreads,
		.id = g,
		.tid = GT_NO_M,
		.creator = GT_MODEL_NONE,
		.routine = GT_MODEL_NONE,
		.wait = {.object_next = GT_MODEL_NONE, .owner_next = GT_MODEL_NONE},
	};
	model->threads = gt_grow(model->threads, model->nthreads, &model->threads_cap,
				 sizeof(*model->threads));
	model->threads[model->nthreads++] = t;
	gt_idmap_put(&model->by_g, g, (uintptr_t)t);
	return t;
}

/* The thread that was last on an M. */
uint32_t gt_model_last_on(const struct gt_model *model, uint64_t m)
{
	uintptr_t i = gt_idmap_get(&model->by_m, m);

	return i ? (uint32_t)(i - 1) : GT_MODEL_NONE;
}

void gt_model_put_on(struct gt_model *model, struct gt_model_thread *t, uint64_t m)
{
	uint32_t last = gt_model_last_on(model, m);

	if (m == GT_NO_M) {
		return;
	}
	t->tid = m;
	if (last != t->index) {
		if (last != GT_MODEL_NONE) {
			gt_idmap_remove(&model->by_m, m);
		}
		gt_idmap_put(&model->by_m, m, t->index + (uintptr_t)1);
	}
}

uint32_t gt_model_name_of(struct gt_model *model, const struct gt_text *text)
{
	if (text == NULL || text->length == 0) {
		return gt_set_put(&model->names, "", 0);
	}
	return gt_set_put(&model->names, text->data, text->length);
}

uint32_t gt_model_stack_of(struct gt_model *model, const struct gt_generation *g, uint64_t id)
{
	uintptr_t known = gt_idmap_get(&model->ids, id);
	const struct gt_stack *stack;
	uint32_t index;

	if (known) {
		return (uint32_t)(known - 1);
	}
	stack = gt_generation_stack(g, id);
	if (stack == NULL || stack->nframes == 0) {
		return 0;
	}
	if (stack->nframes > model->frames_cap) {
		model->frames_cap = stack->nframes;
		model->frames =
			gt_realloc(model->frames, model->frames_cap * sizeof(*model->frames));
	}
	for (unsigned i = 0; i < stack->nframes; i++) {
		model->frames[i] = gt_model_name_of(model, &gt_stack_frame(g, stack, i)->func);
	}
	index = gt_set_put(&model->stacks, model->frames, stack->nframes * sizeof(*model->frames));
	gt_idmap_put(&model->ids, id, index + (uintptr_t)1);
	return index;
}

/* A thread is named by the outermost function of the first stack that it is seen with. */
void gt_model_routine(struct gt_model *model, struct gt_model_thread *t, uint32_t stack)
{
	const uint32_t *frames;
	const char *text;
	size_t n;

	if (t->routine != GT_MODEL_NONE) {
		return;
	}
	frames = gt_model_stack(model, stack, &n);
	if (n == 0) {
		return;
	}
	text = gt_model_name(model, frames[n - 1]);
	if (*text == '\0') {
		return;
	}
	t->routine = frames[n - 1];
	/* What Go's pages take for one. */
	t->system = strncmp(text, "runtime.", 8) == 0 && strcmp(text, "runtime.main") != 0;
	if (strcmp(text, "runtime.gtraceAdvancer") == 0) {
		model->by_gtrace = true;
	}
}

void gt_model_label(struct gt_model *model, struct gt_model_thread *t, const struct gt_text *text)
{
	uint32_t index = gt_model_name_of(model, text);

	for (size_t i = 0; i < t->nlabels; i++) {
		if (t->labels[i] == index) {
			return;
		}
	}
	t->labels = gt_grow(t->labels, t->nlabels, &t->labels_cap, sizeof(*t->labels));
	t->labels[t->nlabels++] = index;
}
