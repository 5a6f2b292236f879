/*
 * The side tables of spans.
 */
#include "span_table.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

void gt_span_tables_init(struct gt_span_tables *tables)
{
	*tables = (struct gt_span_tables){
		.strings = gt_set_of(0),
		.frames = gt_set_of(0),
		.objects = gt_set_of(0),
		.rooms = gt_alloc(sizeof(*tables->rooms)),
	};
	gt_lists_put(&tables->stacks, NULL, 0);
}

void gt_span_tables_fini(struct gt_span_tables *tables)
{
	gt_set_fini(&tables->strings);
	gt_set_fini(&tables->frames);
	gt_lists_fini(&tables->stacks);
	gt_set_fini(&tables->objects);
	gt_idmap_fini(&tables->mutexes);
	gt_idmap_fini(&tables->retaken);
	free(tables->met_frames.index);
	free(tables->met_stacks.index);
	free(tables->rooms);
}

void gt_span_tables_generation(struct gt_span_tables *tables)
{
	tables->met_frames.count = 0;
	tables->met_stacks.count = 0;
}

/* What is known of that place in a table of so many entries. */
static uint32_t *met_at(struct gt_span_met *met, size_t count, size_t place)
{
	if (met->count == 0) {
		if (count > met->cap) {
			met->cap = count;
			met->index = gt_realloc(met->index, count * sizeof(*met->index));
		}
		memset(met->index, 0, count * sizeof(*met->index));
		met->count = count;
	}
	return &met->index[place];
}

uint32_t gt_span_tables_string(struct gt_span_tables *tables, const struct gt_text *text)
{
	if (text == NULL || text->length == 0) {
		return gt_set_put(&tables->strings, "", 0);
	}
	return gt_set_put(&tables->strings, text->data, text->length);
}

/* The frame at that place of the generation's. */
static uint32_t put_frame(struct gt_span_tables *tables, const struct gt_generation *g,
			  uint32_t place)
{
	uint32_t *met = met_at(&tables->met_frames, g->nframes, place);
	const struct gt_frame *frame = &g->frames[place];

	if (*met == 0) {
		const struct gt_span_frame key = {
			.pc = frame->pc,
			.line = frame->line,
			.func = gt_span_tables_string(tables, &frame->func),
			.file = gt_span_tables_string(tables, &frame->file),
		};

		*met = gt_set_put(&tables->frames, &key, sizeof(key)) + 1;
	}
	return *met - 1;
}

uint32_t gt_span_tables_stack(struct gt_span_tables *tables, const struct gt_generation *g,
			      uint64_t id)
{
	const struct gt_stack *stack = gt_generation_stack(g, id);
	uint32_t frames[GT_LISTS_MAX];
	uint32_t *met;

	if (stack == NULL || stack->nframes == 0) {
		return 0;
	}
	met = met_at(&tables->met_stacks, g->nstacks, (size_t)(stack - g->stacks));
	if (*met == 0) {
		for (unsigned i = 0; i < stack->nframes; i++) {
			frames[i] = put_frame(tables, g, g->stack_frames[stack->first + i]);
		}
		*met = gt_lists_put(&tables->stacks, frames, stack->nframes) + 1;
	}
	return *met - 1;
}

const struct gt_span_frame *gt_span_tables_frames(const struct gt_span_tables *tables,
						  uint32_t stack, size_t *n)
{
	struct gt_span_rooms *rooms = tables->rooms;
	struct gt_span_frame *to = rooms->frames[rooms->next++ % GT_SPAN_STACKS_HELD];
	uint32_t frames[GT_LISTS_MAX];

	*n = gt_lists_get(&tables->stacks, stack, frames);
	for (size_t i = 0; i < *n; i++) {
		memcpy(&to[i], gt_set_key(&tables->frames, frames[i], NULL), sizeof(to[i]));
	}
	return to;
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
