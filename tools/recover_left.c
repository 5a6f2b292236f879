/*
 * Recovering: what is left of a generation that is not in the file, or not wholly: the batches,
 * from the file and from the spool, and the tables.
 */
#include "recover_own.h"

#include <stdlib.h>
#include <string.h>

struct pieces {
	struct gt_batch *batches;
	size_t n, cap;
};

static bool same(const struct gt_batch *a, const struct gt_batch *b)
{
	return a->m == b->m && a->time == b->time && a->experiment == b->experiment &&
	       a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

static bool is_table(const struct gt_batch *b)
{
	const uint8_t type = b->size > 0 && b->experiment == 0 ? b->data[0] : 0;

	return type == GT_EV_STRINGS || type == GT_EV_STACKS || type == GT_EV_SYNC ||
	       type == GT_EV_CPU_SAMPLES;
}

static void add_piece(struct pieces *p, const struct gt_batch *b)
{
	p->batches = gt_grow(p->batches, p->n, &p->cap, sizeof(*p->batches));
	p->batches[p->n++] = *b;
}

/* The batches of a generation: those in the file, then those that are not there yet. */
static struct pieces gather(const struct gt_recovery *r, uint64_t gen)
{
	const uint8_t *tail = r->file + r->did->whole_size;
	const size_t size = r->size - (size_t)GT_MIN(r->did->whole_size, (uint64_t)r->size);
	struct gt_idmap by_m = {0}; /* last batch in the file of an M, index + 1 */
	struct pieces p = {0};
	struct gt_batch *more, b;
	size_t at = 0, n, in_file;
	uint64_t of;

	while (size > 0 && gt_spool_next_batch(tail, size, &at, &of, &b) && of == gen) {
		if (!is_table(&b) && b.size > 0) {
			add_piece(&p, &b);
		}
	}
	in_file = p.n;
	for (size_t i = 0; i < in_file; i++) {
		p.batches[i].at = (size_t)gt_idmap_get(&by_m, p.batches[i].m);
		gt_idmap_remove(&by_m, p.batches[i].m);
		gt_idmap_put(&by_m, p.batches[i].m, i + 1);
	}
	more = gt_spool_batches(&r->spool, gen, &n);
	for (size_t i = 0; i < n; i++) {
		/* Copied or written, and its buffer not yet given back? */
		size_t k = (size_t)gt_idmap_get(&by_m, more[i].m);

		while (k != 0 && !same(&p.batches[k - 1], &more[i])) {
			k = p.batches[k - 1].at;
		}
		if (k == 0) {
			more[i].at = (size_t)gt_idmap_get(&by_m, more[i].m);
			add_piece(&p, &more[i]);
			gt_idmap_remove(&by_m, more[i].m);
			gt_idmap_put(&by_m, more[i].m, p.n);
		}
	}
	free(more);
	gt_idmap_fini(&by_m);
	return p;
}

static void put_strings(const struct gt_recovery *r, struct gt_compose *c, uint64_t gen)
{
	struct gt_idmap ids = {0};
	size_t n;
	struct gt_spool_entry *strings = gt_spool_strings(&r->spool, gen, &n);

	for (unsigned id = 1; id < GT_REASON_END; id++) {
		const char *text = gt_reason_text(id);

		gt_compose_string_as(c, id, text, strlen(text));
	}
	for (size_t i = 0; i < n; i++) {
		const struct gt_spool_entry *s = &strings[i];

		if (s->id >= GT_REASON_END && gt_idmap_get(&ids, s->id) == 0) {
			gt_idmap_put(&ids, s->id, 1);
			gt_compose_string_as(c, s->id, s->data, s->size);
		}
	}
	gt_idmap_fini(&ids);
	free(strings);
}

/* The tracer's own code. */
static bool is_ours(const struct gt_text *file)
{
	static const char name[] = "/libgtrace.so";
	const size_t n = sizeof(name) - 1;

	return file->length >= n && memcmp(file->data + file->length - n, name, n) == 0;
}

/* What the tracer would have called it, as far as an earlier generation has. */
static struct gt_compose_frame frame_of(struct gt_recovery *r, struct gt_compose *c, uint64_t pc)
{
	static const struct gt_text unknown = {"?", 1};
	/* As core/advancer.c calls it; all other stacks end in the program. */
	static const struct gt_text advancer = {"runtime.gtraceAdvancer", 22};
	const size_t i = (size_t)gt_idmap_get(&r->by_pc, pc);
	struct gt_recover_name name = {unknown, unknown, 1};

	for (size_t k = 0; k < r->nmappings; k++) {
		if (pc - r->mappings[k].start < r->mappings[k].bytes) {
			r->mappings[k].used = true;
			gt_recover_identify(&r->mappings[k]);
			name.file = r->mappings[k].file;
			name.func = is_ours(&name.file) ? advancer : unknown;
		}
	}
	if (i != 0) {
		name = r->names[i - 1];
	}
	return (struct gt_compose_frame){
		.pc = pc,
		.func = gt_compose_string(c, name.func.data, name.func.length),
		.file = gt_compose_string(c, name.file.data, name.file.length),
		.line = name.line,
	};
}

static void put_stacks(struct gt_recovery *r, struct gt_compose *c, uint64_t gen)
{
	struct gt_compose_frame frames[GT_WIRE_FRAMES_MAX];
	struct gt_idmap ids = {0};
	size_t n;
	struct gt_spool_entry *stacks = gt_spool_stacks(&r->spool, gen, &n);

	for (size_t i = 0; i < n; i++) {
		const struct gt_spool_entry *s = &stacks[i];
		const size_t depth = s->size / sizeof(uint64_t);

		if (s->id == 0 || depth > GT_LEN(frames) || gt_idmap_get(&ids, s->id) != 0) {
			continue;
		}
		gt_idmap_put(&ids, s->id, 1);
		for (size_t k = 0; k < depth; k++) {
			uint64_t pc;

			memcpy(&pc, s->data + k * sizeof(pc), sizeof(pc));
			frames[k] = frame_of(r, c, pc);
		}
		gt_compose_stack_as(c, s->id, frames, depth);
	}
	gt_idmap_fini(&ids);
	free(stacks);
}

/* The generation as it was left: an image, or none (data NULL) where nothing was. */
struct gt_image gt_recover_left(struct gt_recovery *r, uint64_t gen)
{
	const struct gt_spool_stamp stamp = gt_spool_stamp(&r->spool, gen);
	const struct gt_compose_head head = {
		.number = gen,
		.frequency = GT_TICK_HZ,
		.ticks = stamp.ticks,
		.has_snapshot = true,
		.snapshot_ticks = stamp.ticks,
		.snapshot_mono = stamp.mono,
		.snapshot_sec = stamp.sec,
		.snapshot_nsec = stamp.nsec,
	};
	struct pieces p = gather(r, gen);
	struct gt_image image = {0};
	struct gt_compose *c;
	FILE *out;

	if (p.n > 0 && (out = open_memstream(&image.data, &image.size)) != NULL) {
		c = gt_compose_new(out, 26);
		gt_compose_begin(c, &head);
		put_strings(r, c, gen);
		put_stacks(r, c, gen);
		for (size_t i = 0; i < p.n; i++) {
			gt_compose_batch(c, &p.batches[i]);
		}
		gt_compose_end(c);
		gt_compose_free(c);
		fclose(out);
	}
	free(p.batches);
	return image;
}
