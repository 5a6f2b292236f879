/*
 * The side tables of spans.
 */
#include "span_table.h"

#include <stdlib.h>

#include "error.h"

void gt_span_tables_init(struct gt_span_tables *tables)
{
	*tables = (struct gt_span_tables){
		.strings = gt_set_of(0),
		.stacks = gt_set_of(0),
		.objects = gt_set_of(0),
	};
	gt_set_put(&tables->stacks, "", 0);
}

void gt_span_tables_fini(struct gt_span_tables *tables)
{
	gt_set_fini(&tables->strings);
	gt_set_fini(&tables->stacks);
	gt_set_fini(&tables->objects);
	gt_idmap_fini(&tables->mutexes);
	gt_idmap_fini(&tables->retaken);
	gt_idmap_fini(&tables->ids);
	free(tables->frames);
}

void gt_span_tables_generation(struct gt_span_tables *tables)
{
	gt_idmap_clear(&tables->ids);
}

uint32_t gt_span_tables_string(struct gt_span_tables *tables, const struct gt_text *text)
{
	if (text == NULL || text->length == 0) {
		return gt_set_put(&tables->strings, "", 0);
	}
	return gt_set_put(&tables->strings, text->data, text->length);
}

uint32_t gt_span_tables_stack(struct gt_span_tables *tables, const struct gt_generation *g,
			      uint64_t id)
{
	const uintptr_t known = gt_idmap_get(&tables->ids, id);
	const struct gt_stack *stack;
	uint32_t index;

	if (known) {
		return (uint32_t)(known - 1);
	}
	stack = gt_generation_stack(g, id);
	if (stack == NULL || stack->nframes == 0) {
		return 0;
	}
	if (stack->nframes > tables->frames_cap) {
		tables->frames_cap = stack->nframes;
		tables->frames =
			gt_realloc(tables->frames, tables->frames_cap * sizeof(*tables->frames));
	}
	for (unsigned i = 0; i < stack->nframes; i++) {
		const struct gt_frame *frame = gt_stack_frame(g, stack, i);

		tables->frames[i] = (struct gt_span_frame){
			.pc = frame->pc,
			.line = frame->line,
			.func = gt_span_tables_string(tables, &frame->func),
			.file = gt_span_tables_string(tables, &frame->file),
		};
	}
	index = gt_set_put(&tables->stacks, tables->frames,
			   stack->nframes * sizeof(*tables->frames));
	gt_idmap_put(&tables->ids, id, index + (uintptr_t)1);
	return index;
}

static void remember(struct gt_idmap *map, uint64_t address, uintptr_t value)
{
	gt_idmap_remove(map, address);
	gt_idmap_put(map, address, value);
}

/* Under which epoch it stands in the set. */
static uint64_t epoch_of(struct gt_span_tables *tables, const struct gt_span_object *object)
{
	uintptr_t first = object->kind == GT_OBJECT_MUTEX
				  ? gt_idmap_get(&tables->retaken, object->address)
				  : 0;

	if (first == 1 && object->epoch < UINT64_MAX - 1) {
		first = (uintptr_t)object->epoch + 2;
		remember(&tables->retaken, object->address, first);
	}
	return first > 1 && first == object->epoch + 2 ? 0 : object->epoch;
}

uint32_t gt_span_tables_object(struct gt_span_tables *tables, const struct gt_span_object *object)
{
	const struct gt_span_object key = {object->address, epoch_of(tables, object), object->kind};
	const uint32_t index = gt_set_put(&tables->objects, &key, sizeof(key));

	if (object->kind == GT_OBJECT_MUTEX &&
	    gt_idmap_get(&tables->mutexes, object->address) != index + (uintptr_t)1) {
		remember(&tables->mutexes, object->address, index + (uintptr_t)1);
	}
	return index;
}

uint32_t gt_span_tables_mutex(struct gt_span_tables *tables, uint64_t address)
{
	const uintptr_t known = gt_idmap_get(&tables->mutexes, address);
	const struct gt_span_object unseen = {address, 0, GT_OBJECT_MUTEX};
	uint32_t index;

	if (known) {
		return (uint32_t)(known - 1);
	}
	index = gt_span_tables_object(tables, &unseen);
	remember(&tables->retaken, address, 1);
	return index;
}
