/*
 * The tables of a generation.
 *
 * Rules 18 to 20 and 22 of the model: an id stands once in its table, 0 never; a frame's strings
 * exist; one frequency, and from Go 1.25 one clock snapshot, in each generation.
 */
#include "tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/spec.h"
#include "base/varint.h"

/* A walk through the payload of one batch. After a failure `failed` is set and reads give 0. */
struct walk {
	const struct gt_generation *g;
	const struct gt_batch *b;
	const uint8_t *at, *end;
	const uint8_t *item; /* start of the entry, for messages */
	struct gt_error *e;
	bool failed;
};

static struct walk walk_begin(const struct gt_generation *g, const struct gt_batch *b, size_t skip,
			      struct gt_error *e)
{
	return (struct walk){g, b, b->data + skip, b->data + b->size, b->data, e, false};
}

static uint64_t walk_offset(const struct walk *w)
{
	return w->b->offset + (uint64_t)(w->item - w->b->data);
}

#define FAIL(w, ...)                                                                \
	((w)->failed = true, gt_error_set((w)->e, GT_ERROR_INVALID, walk_offset(w), \
					  (w)->g->number, (w)->b->m, __VA_ARGS__))

/* The next entry's type; false at the end. */
static bool walk_item(struct walk *w, uint8_t *type)
{
	if (w->failed || w->at == w->end) {
		return false;
	}
	w->item = w->at;
	*type = *w->at++;
	return true;
}

static uint64_t walk_number(struct walk *w, const char *what)
{
	uint64_t v = 0;
	int n;

	if (w->failed) {
		return 0;
	}
	n = gt_varint_get(w->at, w->end, &v);
	if (n <= 0) {
		FAIL(w, "the %s %s", what,
		     n == 0 ? "is cut off by the end of the batch" : "has more than 64 bits");
		return 0;
	}
	w->at += n;
	return v;
}

static bool walk_expect(struct walk *w, uint8_t found, uint8_t expected, const char *table)
{
	if (found != expected) {
		FAIL(w, "found byte %u in a batch of %s; expected %u (%s)", found, table, expected,
		     gt_spec_event(expected)->name);
		return false;
	}
	return true;
}

static void index_put(struct gt_index *index, uint64_t id, size_t place)
{
	gt_idmap_put(&index->map, id, place);
	index->max = GT_MAX(index->max, id);
}

/* All ids are known. */
static void index_finish(struct gt_index *index)
{
	const struct gt_idmap_slot *s;

	if (index->max / 4 > index->map.count + 256) {
		return; /* sparse ids stay in the map */
	}
	if (index->dense_cap <= index->max) {
		index->dense_cap = (size_t)index->max + 1;
		index->dense = gt_realloc(index->dense, index->dense_cap * sizeof(uint32_t));
	}
	index->dense_count = (size_t)index->max + 1;
	memset(index->dense, 0, index->dense_count * sizeof(uint32_t));
	for (size_t i = 0; (s = gt_idmap_each(&index->map, &i)) != NULL;) {
		index->dense[s->id] = (uint32_t)s->word;
	}
}

static void index_clear(struct gt_index *index)
{
	gt_idmap_clear(&index->map);
	index->max = 0;
	index->dense_count = 0;
}

static void index_fini(struct gt_index *index)
{
	gt_idmap_fini(&index->map);
	free(index->dense);
}

int gt_tables_strings(struct gt_generation *g, const struct gt_batch *b, struct gt_error *e)
{
	struct walk w = walk_begin(g, b, 1, e);
	uint8_t type;

	while (walk_item(&w, &type) && walk_expect(&w, type, GT_EV_STRING, "strings")) {
		uint64_t id = walk_number(&w, "id of a string");
		uint64_t length = walk_number(&w, "length of a string");

		if (w.failed) {
			break;
		}
		if (length > GT_WIRE_STRING_MAX) {
			return FAIL(&w,
				    "string %" PRIu64 " has %" PRIu64 " bytes; expected at most %u",
				    id, length, GT_WIRE_STRING_MAX);
		}
		if (length > (size_t)(w.end - w.at)) {
			return FAIL(&w,
				    "string %" PRIu64 " has %" PRIu64
				    " bytes, but the batch ends after %zu",
				    id, length, (size_t)(w.end - w.at));
		}
		if (id == 0 || gt_index_get(&g->string_ids, id) != 0) {
			return FAIL(&w, "string id %" PRIu64 " %s", id,
				    id == 0 ? "is reserved for the empty string"
					    : "is defined twice in this generation");
		}
		g->strings = gt_grow(g->strings, g->nstrings, &g->strings_cap, sizeof(*g->strings));
		g->strings[g->nstrings++] =
			(struct gt_string){id, {(const char *)w.at, (size_t)length}};
		index_put(&g->string_ids, id, g->nstrings);
		w.at += length;
	}
	return w.failed ? -1 : 0;
}

/* The frame of a pc: the first definition counts. Returns its place in g->frames. */
static uint32_t put_frame(struct gt_generation *g, const struct gt_frame *f)
{
	uintptr_t i = gt_idmap_get(&g->pcs, f->pc);

	if (i == 0) {
		g->frames = gt_grow(g->frames, g->nframes, &g->frames_cap, sizeof(*g->frames));
		g->frames[g->nframes] = *f;
		i = ++g->nframes;
		gt_idmap_put(&g->pcs, f->pc, i);
	}
	return (uint32_t)(i - 1);
}

int gt_tables_stacks(struct gt_generation *g, const struct gt_batch *b, struct gt_error *e)
{
	struct walk w = walk_begin(g, b, 1, e);
	uint8_t type;

	while (walk_item(&w, &type) && walk_expect(&w, type, GT_EV_STACK, "stacks")) {
		uint64_t id = walk_number(&w, "id of a stack");
		uint64_t n = walk_number(&w, "number of frames of a stack");
		size_t first = g->nstack_frames;

		if (!w.failed && n > GT_WIRE_FRAMES_MAX) {
			return FAIL(&w,
				    "stack %" PRIu64 " has %" PRIu64 " frames; expected at most %u",
				    id, n, GT_WIRE_FRAMES_MAX);
		}
		for (uint64_t i = 0; i < n && !w.failed; i++) {
			struct gt_frame f = {.offset = walk_offset(&w)};

			f.pc = walk_number(&w, "pc of a frame");
			f.func_id = walk_number(&w, "function of a frame");
			f.file_id = walk_number(&w, "file of a frame");
			f.line = walk_number(&w, "line of a frame");
			g->stack_frames = gt_grow(g->stack_frames, g->nstack_frames,
						  &g->stack_frames_cap, sizeof(*g->stack_frames));
			g->stack_frames[g->nstack_frames++] = put_frame(g, &f);
		}
		if (w.failed) {
			break;
		}
		if (id == 0 || gt_index_get(&g->stack_ids, id) != 0) {
			return FAIL(&w, "stack id %" PRIu64 " %s", id,
				    id == 0 ? "is reserved for \"no stack\""
					    : "is defined twice in this generation");
		}
		g->stacks = gt_grow(g->stacks, g->nstacks, &g->stacks_cap, sizeof(*g->stacks));
		g->stacks[g->nstacks++] = (struct gt_stack){.id = id,
							    .offset = walk_offset(&w),
							    .first = first,
							    .nframes = (uint32_t)n};
		index_put(&g->stack_ids, id, g->nstacks);
	}
	return w.failed ? -1 : 0;
}

int gt_tables_samples(struct gt_generation *g, const struct gt_batch *b, struct gt_error *e)
{
	struct walk w = walk_begin(g, b, 1, e);
	uint8_t type;

	while (walk_item(&w, &type) && walk_expect(&w, type, GT_EV_CPU_SAMPLE, "CPU samples")) {
		struct gt_sample s = {.offset = walk_offset(&w)};

		s.time = walk_number(&w, "time of a CPU sample");
		s.m = walk_number(&w, "M of a CPU sample");
		s.p = walk_number(&w, "P of a CPU sample");
		s.g = walk_number(&w, "G of a CPU sample");
		s.stack = walk_number(&w, "stack of a CPU sample");
		if (s.g == 0) {
			s.g = UINT64_MAX; /* none: in samples alone, 0 stands for it */
		}
		g->samples = gt_grow(g->samples, g->nsamples, &g->samples_cap, sizeof(*g->samples));
		g->samples[g->nsamples++] = s;
	}
	return w.failed ? -1 : 0;
}

int gt_tables_sync(struct gt_generation *g, const struct gt_batch *b, unsigned version,
		   struct gt_error *e)
{
	struct walk w = walk_begin(g, b, version >= 25 ? 1 : 0, e);
	uint64_t time = b->time;
	uint8_t type;

	g->sync_offset = b->offset;
	while (walk_item(&w, &type)) {
		if (type == GT_EV_FREQUENCY) {
			if (g->frequency != 0) {
				return FAIL(&w, "a second frequency in one generation");
			}
			g->frequency = walk_number(&w, "frequency");
			if (!w.failed && g->frequency == 0) {
				return FAIL(&w, "the frequency is 0; expected ticks a second");
			}
		} else if (type == GT_EV_CLOCK_SNAPSHOT && version >= 25) {
			if (g->has_snapshot) {
				return FAIL(&w, "a second clock snapshot in one generation");
			}
			g->has_snapshot = true;
			time += walk_number(&w, "time of the clock snapshot");
			g->snapshot_time = time; /* ticks, until gt_tables_finish */
			g->snapshot_mono = walk_number(&w, "monotonic clock of the snapshot");
			g->snapshot_sec = walk_number(&w, "seconds of the snapshot");
			g->snapshot_nsec = walk_number(&w, "nanoseconds of the snapshot");
		} else {
			return FAIL(&w,
				    "found byte %u in the clock batch; expected %u (Frequency)%s",
				    type, GT_EV_FREQUENCY,
				    version >= 25 ? " or 51 (ClockSnapshot)" : "");
		}
	}
	return w.failed ? -1 : 0;
}

/* By time; samples of one time keep the order of the file. */
static int compare_samples(const void *a, const void *b)
{
	const struct gt_sample *x = a, *y = b;

	if (x->time != y->time) {
		return (int64_t)x->time < (int64_t)y->time ? -1 : 1;
	}
	return x->offset < y->offset ? -1 : 1;
}

static int resolve(struct gt_generation *g, const struct gt_frame *f, uint64_t id, const char *what,
		   struct gt_text *text, struct gt_error *e)
{
	const struct gt_text *t = gt_generation_string(g, id);

	if (t == NULL) {
		return gt_error_set(e, GT_ERROR_INVALID, f->offset, g->number, GT_NOWHERE,
				    "the %s of the frame with pc 0x%" PRIx64 " is string %" PRIu64
				    ", which is not in the string table of this generation",
				    what, f->pc, id);
	}
	*text = *t;
	return 0;
}

int gt_tables_finish(struct gt_generation *g, unsigned version, struct gt_error *e)
{
	if (g->frequency == 0 || (version >= 25 && !g->has_snapshot)) {
		return gt_error_set(e, GT_ERROR_INVALID, g->offset, g->number, GT_NOWHERE,
				    "no %s in this generation; expected one",
				    g->frequency == 0 ? "frequency" : "clock snapshot");
	}
	index_finish(&g->string_ids);
	index_finish(&g->stack_ids);
	g->ns_per_tick = 1.0 / ((double)g->frequency / 1e9);
	g->start = gt_generation_ns(g, g->start);
	g->snapshot_time = gt_generation_ns(g, g->snapshot_time);
	for (size_t i = 0; i < g->nframes; i++) {
		struct gt_frame *f = &g->frames[i];

		if (resolve(g, f, f->func_id, "function", &f->func, e) < 0 ||
		    resolve(g, f, f->file_id, "file", &f->file, e) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < g->nsamples; i++) {
		struct gt_sample *s = &g->samples[i];

		s->time = gt_generation_ns(g, s->time);
		if (gt_generation_stack(g, s->stack) == NULL) {
			return gt_error_set(e, GT_ERROR_INVALID, s->offset, g->number, s->m,
					    "a CPU sample names stack %" PRIu64
					    ", which is not in the stack table of this generation",
					    s->stack);
		}
	}
	if (g->nsamples > 1) {
		qsort(g->samples, g->nsamples, sizeof(*g->samples), compare_samples);
	}
	return 0;
}

void gt_tables_reset(struct gt_generation *g)
{
	gt_idmap_clear(&g->streams.by_m);
	gt_idmap_clear(&g->facts.by_m);
	gt_idmap_clear(&g->others.by_m);
	index_clear(&g->string_ids);
	index_clear(&g->stack_ids);
	gt_idmap_clear(&g->pcs);
	g->streams.count = g->facts.count = g->others.count = 0;
	g->experiments = 0;
	g->nsamples = g->nstrings = g->nstacks = g->nstack_frames = g->nframes = 0;
	g->frequency = 0;
	g->has_snapshot = false;
	g->snapshot_time = g->start = 0;
}

void gt_tables_fini(struct gt_generation *g)
{
	gt_idmap_fini(&g->streams.by_m);
	gt_idmap_fini(&g->facts.by_m);
	gt_idmap_fini(&g->others.by_m);
	index_fini(&g->string_ids);
	index_fini(&g->stack_ids);
	gt_idmap_fini(&g->pcs);
	free(g->streams.array);
	free(g->facts.array);
	free(g->others.array);
	free(g->samples);
	free(g->strings);
	free(g->stacks);
	free(g->stack_frames);
	free(g->frames);
}
