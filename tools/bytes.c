/*
 * Where the bytes of a trace are.
 */
#include "bytes.h"

#include "decode.h"

/* --- Kinds ------------------------------------------------------------------------------------ */

static void name_kind(struct gt_bytes_kind *kind, enum gt_bytes_class class, const char *name,
		      const char *const *fields)
{
	kind->class = class;
	kind->name = name;
	for (size_t i = 0; i < GT_BYTES_FIELDS && fields[i] != NULL; i++) {
		kind->fields[i] = fields[i];
	}
}

static void name_kinds(struct gt_bytes *b)
{
	static const char *const stack[GT_BYTES_FIELDS + 1] = {"type", "id",   "nframes", "pc",
							       "func", "file", "line"};
	static const char *const string[GT_BYTES_FIELDS + 1] = {"type", "id", "length", "text"};

	for (size_t i = 0; i < gt_specs_count; i++) {
		const struct gt_spec *spec = &gt_specs[i];
		const bool fact = spec->kind == GT_FACT;
		const char *fields[GT_BYTES_FIELDS + 1] = {"type", "time"};

		if (spec->kind == GT_STRUCT) {
			continue;
		}
		for (unsigned k = 0; k < spec->nargs; k++) {
			fields[2 + k] = spec->args[k].name;
		}
		name_kind(&b->kinds[spec->number + (fact ? GT_BYTES_FACT : 0)],
			  fact ? GT_BYTES_FACTS : GT_BYTES_EVENTS, spec->name, fields);
	}
	name_kind(&b->kinds[GT_BYTES_STACK], GT_BYTES_STACKS, "Stack", stack);
	name_kind(&b->kinds[GT_BYTES_STRING], GT_BYTES_STRINGS, "String", string);
}

uint64_t gt_bytes_of_kind(const struct gt_bytes_kind *kind)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < GT_BYTES_FIELDS; i++) {
		sum += kind->bytes[i];
	}
	return sum;
}

uint64_t gt_bytes_count(const struct gt_bytes *b, enum gt_bytes_class class)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < GT_BYTES_KINDS; i++) {
		sum += b->kinds[i].class == class ? b->kinds[i].count : 0;
	}
	return sum;
}

uint64_t gt_bytes_of_class(const struct gt_bytes *b, enum gt_bytes_class class)
{
	return b->batches[class].heads + b->batches[class].payload;
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* A number, of a field: where the next one begins, NULL if there is none. */
static const uint8_t *number(struct gt_bytes_kind *kind, unsigned field, const uint8_t *p,
			     const uint8_t *end, uint64_t *value)
{
	const struct gt_number v = p != NULL ? gt_decode_number(p, end) : (struct gt_number){0};

	if (v.end != NULL) {
		kind->bytes[field] += (uint64_t)(v.end - p);
		*value = v.value;
	}
	return v.end;
}

/* The events or facts of one M. What this gtrace does not know stays in the batch's payload. */
static int stream(struct gt_bytes *b, const struct gt_generation *g, const struct gt_stream *s,
		  bool facts, struct gt_error *e)
{
	uint64_t unread = 0, value;
	struct gt_cursor c;
	struct gt_brief brief;
	struct gt_event ev;
	int n;

	gt_cursor_init(&c, g, s, facts ? &brief : NULL);
	c.unread = &unread;
	while ((n = gt_cursor_next(&c, &ev, e)) > 0) {
		/* As it stands in the file. */
		struct gt_bytes_kind *kind = &b->kinds[*c.at + (facts ? GT_BYTES_FACT : 0)];
		const uint8_t *p = c.args;

		kind->count++;
		kind->bytes[0]++;
		kind->bytes[1] += (uint64_t)(c.args - c.at - 1);
		for (unsigned i = 2; i < GT_BYTES_FIELDS && kind->fields[i] != NULL; i++) {
			p = number(kind, i, p, c.end, &value);
		}
	}
	return n;
}

/* The table batches have been read by tables.c, without an error. */
static void stacks(struct gt_bytes *b, const struct gt_batch *batch)
{
	struct gt_bytes_kind *kind = &b->kinds[GT_BYTES_STACK];
	const uint8_t *p = batch->data + 1, *const end = batch->data + batch->size;
	uint64_t value, frames = 0;

	while (p != NULL && p < end && *p == GT_EV_STACK) {
		kind->count++;
		kind->bytes[0]++;
		p = number(kind, 1, p + 1, end, &value);
		p = number(kind, 2, p, end, &frames);
		for (uint64_t i = 0; i < 4 * frames && p != NULL; i++) {
			p = number(kind, 3 + i % 4, p, end, &value);
		}
	}
}

static void strings(struct gt_bytes *b, const struct gt_batch *batch)
{
	struct gt_bytes_kind *kind = &b->kinds[GT_BYTES_STRING];
	const uint8_t *p = batch->data + 1, *const end = batch->data + batch->size;
	uint64_t value, length = 0;

	while (p != NULL && p < end && *p == GT_EV_STRING) {
		kind->count++;
		kind->bytes[0]++;
		p = number(kind, 1, p + 1, end, &value);
		p = number(kind, 2, p, end, &length);
		if (p == NULL || length > (uint64_t)(end - p)) {
			return;
		}
		kind->bytes[3] += length;
		p += length;
	}
}

/* By the first byte of the payload, as the reader. */
static enum gt_bytes_class class_of(const struct gt_batch *batch)
{
	if (batch->experiment != 0) {
		return batch->size >= 2 && batch->data[0] == GT_FACT_MAGIC &&
				       batch->data[1] == GT_FACT_VERSION
			       ? GT_BYTES_FACTS
			       : GT_BYTES_OTHERS;
	}
	switch (batch->size > 0 ? batch->data[0] : 0) {
	case GT_EV_STACKS:
		return GT_BYTES_STACKS;
	case GT_EV_STRINGS:
		return GT_BYTES_STRINGS;
	case GT_EV_CPU_SAMPLES:
		return GT_BYTES_SAMPLES;
	case GT_EV_SYNC:
	case GT_EV_FREQUENCY:
		return GT_BYTES_CLOCK;
	default:
		return GT_BYTES_EVENTS;
	}
}

static int generation(struct gt_bytes *b, const struct gt_generation *g, struct gt_error *e)
{
	for (size_t i = 0; i < g->nbatches; i++) {
		const struct gt_batch *batch = &g->batches[i];
		const enum gt_bytes_class class = class_of(batch);

		b->batches[class].count++;
		b->batches[class].heads += batch->head;
		b->batches[class].payload += batch->size;
		if (class == GT_BYTES_STACKS) {
			stacks(b, batch);
		} else if (class == GT_BYTES_STRINGS) {
			strings(b, batch);
		}
	}
	for (size_t i = 0; i < g->streams.count; i++) {
		if (stream(b, g, &g->streams.array[i], false, e) < 0) {
			return -1;
		}
	}
	for (size_t i = 0; i < g->facts.count; i++) {
		if (stream(b, g, &g->facts.array[i], true, e) < 0) {
			return -1;
		}
	}
	return 0;
}

int gt_bytes_read(struct gt_bytes *b, struct gt_reader *r, struct gt_error *e)
{
	struct gt_generation *g;
	int n;

	*b = (struct gt_bytes){
		.version = gt_reader_version(r),
		.size = GT_WIRE_HEADER_SIZE,
		.around = GT_WIRE_HEADER_SIZE,
	};
	name_kinds(b);
	while ((n = gt_reader_next(r, &g, e)) > 0) {
		b->generations++;
		b->size += g->size;
		b->around += b->version >= 26;
		if (generation(b, g, e) < 0) {
			return -1;
		}
	}
	return n;
}
