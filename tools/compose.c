/*
 * Composing a trace.
 *
 * Of a generation only what is not complete yet is held: a batch for each M, one of each table. A
 * batch goes to the file when it is full.
 */
#include "compose.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { FULL = GT_WIRE_BATCH_MAX - GT_WIRE_EVENT_MAX };

struct bytes {
	uint8_t *data;
	size_t n, cap;
};

/* The batch of one M that is being made. */
struct stream {
	uint64_t m;
	uint8_t experiment;
	uint64_t base, last; /* ticks */
	struct bytes payload;
};

struct streams {
	struct gt_idmap by_m; /* M -> index + 1 */
	struct stream *array;
	size_t count, cap;
};

/* What a table holds, to find it again: open addressing; id 0 is a free place. */
struct entry {
	uint64_t hash, id;
	size_t at, size; /* in the arena */
};

struct table {
	uint8_t type;  /* of its batches */
	uint64_t next; /* the next free id */
	struct bytes batch;
	struct bytes arena;
	struct entry *entries;
	size_t count, places;
};

struct gt_compose {
	FILE *file;
	int error;
	unsigned version;
	struct gt_compose_head head;
	uint64_t made; /* ns: the last snapshot that was made up */
	struct streams events, facts;
	struct table strings, stacks;
	struct bytes samples;
};

/* --- Bytes -------------------------------------------------------------------------------- */

static void write_bytes(struct gt_compose *c, const void *bytes, size_t n)
{
	if (c->error == 0 && n > 0 && fwrite(bytes, 1, n, c->file) != n) {
		c->error = errno != 0 ? errno : EIO;
	}
}

static void write_batch(struct gt_compose *c, unsigned experiment, uint64_t m, uint64_t ticks,
			const void *payload, size_t n)
{
	uint8_t room[GT_WIRE_BATCH_HEADER_MAX];
	uint8_t *end = room + sizeof(room);
	uint8_t *head = gt_wire_batch_head(end, experiment, c->head.number, m, ticks, n);

	write_bytes(c, head, (size_t)(end - head));
	write_bytes(c, payload, n);
}

static void reserve(struct bytes *b, size_t more)
{
	if (b->cap - b->n < more) {
		b->cap = GT_MAX(b->cap * 2, b->n + more + 256);
		b->data = gt_realloc(b->data, b->cap);
	}
}

static void put_byte(struct bytes *b, unsigned byte)
{
	reserve(b, 1);
	b->data[b->n++] = (uint8_t)byte;
}

static void put_number(struct bytes *b, uint64_t v)
{
	reserve(b, GT_VARINT_MAX);
	b->n = (size_t)(gt_varint_put(b->data + b->n, v) - b->data);
}

static void put_bytes(struct bytes *b, const void *from, size_t n)
{
	reserve(b, n);
	if (n > 0) {
		memcpy(b->data + b->n, from, n);
	}
	b->n += n;
}

/* Writes a batch of a table and begins the next. */
static void flush_table(struct gt_compose *c, struct bytes *batch)
{
	if (batch->n > 0) {
		write_batch(c, 0, GT_NO_M, c->head.ticks, batch->data, batch->n);
		batch->n = 0;
	}
}

/* --- Generations -------------------------------------------------------------------------- */

uint64_t gt_compose_ticks(const struct gt_generation *g, uint64_t ns)
{
	uint64_t lo = 0, hi = (uint64_t)1 << 63;

	/* By halves: a tick may be any part of a nanosecond, or any number of them. */
	while (lo < hi) {
		const uint64_t mid = lo + (hi - lo) / 2;

		if (gt_generation_ns(g, mid) < ns) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

struct gt_compose_head gt_compose_head_of(const struct gt_generation *g)
{
	struct gt_compose_head head = {
		.number = g->number,
		.frequency = g->frequency,
		.ticks = gt_compose_ticks(g, g->start),
		.has_snapshot = g->has_snapshot,
	};

	if (g->has_snapshot) {
		head.snapshot_ticks = gt_compose_ticks(g, g->snapshot_time);
		head.snapshot_mono = g->snapshot_mono;
		head.snapshot_sec = g->snapshot_sec;
		head.snapshot_nsec = g->snapshot_nsec;
	}
	return head;
}

struct gt_compose *gt_compose_new(FILE *file, unsigned version)
{
	struct gt_compose *c = gt_alloc(sizeof(*c));
	char header[GT_WIRE_HEADER_SIZE];

	*c = (struct gt_compose){.file = file, .version = version};
	c->strings.type = GT_EV_STRINGS;
	c->stacks.type = GT_EV_STACKS;
	memcpy(header, GT_WIRE_HEADER, sizeof(header));
	header[5] = (char)('0' + version / 10);
	header[6] = (char)('0' + version % 10);
	write_bytes(c, header, sizeof(header));
	return c;
}

static void streams_fini(struct streams *s)
{
	for (size_t i = 0; i < s->cap; i++) {
		free(s->array[i].payload.data);
	}
	gt_idmap_fini(&s->by_m);
	free(s->array);
}

static void table_fini(struct table *t)
{
	free(t->batch.data);
	free(t->arena.data);
	free(t->entries);
}

void gt_compose_free(struct gt_compose *c)
{
	if (c == NULL) {
		return;
	}
	streams_fini(&c->events);
	streams_fini(&c->facts);
	table_fini(&c->strings);
	table_fini(&c->stacks);
	free(c->samples.data);
	free(c);
}

void gt_compose_bytes(struct gt_compose *c, const void *bytes, size_t size)
{
	write_bytes(c, bytes, size);
}

/* As gt_generation_ns. */
static uint64_t to_ns(const struct gt_compose_head *h, uint64_t ticks)
{
	const double ns = (double)ticks * (1.0 / ((double)h->frequency / 1e9));

	return ns < 9223372036854775808.0 ? (uint64_t)ns : (uint64_t)1 << 63;
}

/* Frequency and clocks, as the version has them. */
static void write_clock(struct gt_compose *c)
{
	const struct gt_compose_head *h = &c->head;
	struct bytes b = {0};
	uint64_t ticks = h->ticks;

	if (c->version >= 25) {
		put_byte(&b, GT_EV_SYNC);
	}
	put_byte(&b, GT_EV_FREQUENCY);
	put_number(&b, h->frequency);
	if (c->version >= 25) {
		uint64_t dt = 0, mono = h->snapshot_mono, sec = h->snapshot_sec,
			 nsec = h->snapshot_nsec;

		if (h->has_snapshot) {
			ticks = GT_MIN(ticks, h->snapshot_ticks);
			dt = h->snapshot_ticks - ticks;
		} else {
			mono = to_ns(h, ticks);
			if (mono <= c->made) { /* clocks grow, also where times go back */
				dt = 1 + (uint64_t)GT_MIN((double)(c->made + 1 - mono) * 1e-9 *
								  (double)h->frequency,
							  9e18);
				mono += to_ns(h, dt);
			}
			c->made = mono;
			sec = mono / 1000000000;
			nsec = mono % 1000000000;
		}
		put_byte(&b, GT_EV_CLOCK_SNAPSHOT);
		put_number(&b, dt);
		put_number(&b, mono);
		put_number(&b, sec);
		put_number(&b, nsec);
	}
	write_batch(c, 0, GT_NO_M, ticks, b.data, b.n);
	free(b.data);
}

static void table_reset(struct table *t)
{
	if (t->places > 0) {
		memset(t->entries, 0, t->places * sizeof(*t->entries));
	}
	t->count = 0;
	t->arena.n = 0;
	t->next = 1;
}

void gt_compose_begin(struct gt_compose *c, const struct gt_compose_head *head)
{
	c->head = *head;
	table_reset(&c->strings);
	table_reset(&c->stacks);
	write_clock(c);
}

static void flush_stream(struct gt_compose *c, struct stream *s)
{
	if (s->payload.n > 0) {
		write_batch(c, s->experiment, s->m, s->base, s->payload.data, s->payload.n);
		s->payload.n = 0;
	}
}

static void flush_streams(struct gt_compose *c, struct streams *s)
{
	for (size_t i = 0; i < s->count; i++) {
		flush_stream(c, &s->array[i]);
	}
	gt_idmap_clear(&s->by_m);
	s->count = 0;
}

int gt_compose_end(struct gt_compose *c)
{
	static const uint8_t end = GT_EV_END_OF_GENERATION;

	flush_streams(c, &c->events);
	flush_streams(c, &c->facts);
	flush_table(c, &c->samples);
	flush_table(c, &c->stacks.batch);
	flush_table(c, &c->strings.batch);
	if (c->version >= 26) {
		write_bytes(c, &end, 1);
	}
	errno = c->error;
	return c->error != 0 ? -1 : 0;
}

/* --- Tables ------------------------------------------------------------------------------- */

/* The place of these bytes, or the one where they belong. */
static struct entry *find(struct table *t, const void *data, size_t size, uint64_t hash)
{
	size_t i = hash & (t->places - 1);

	for (; t->entries[i].id != 0; i = (i + 1) & (t->places - 1)) {
		const struct entry *e = &t->entries[i];

		if (e->hash == hash && e->size == size &&
		    (size == 0 || memcmp(t->arena.data + e->at, data, size) == 0)) {
			break;
		}
	}
	return &t->entries[i];
}

static void grow(struct table *t)
{
	struct entry *old = t->entries;
	size_t places = t->places;

	t->places = GT_MAX(places * 2, (size_t)256);
	t->entries = gt_alloc(t->places * sizeof(*t->entries));
	memset(t->entries, 0, t->places * sizeof(*t->entries));
	for (size_t i = 0; i < places; i++) {
		if (old[i].id != 0) {
			size_t k = old[i].hash & (t->places - 1);

			while (t->entries[k].id != 0) {
				k = (k + 1) & (t->places - 1);
			}
			t->entries[k] = old[i];
		}
	}
	free(old);
}

/* Remembers the bytes under that id, or under the next (0). True: they are new, as *id. */
static bool intern(struct table *t, const void *data, size_t size, uint64_t *id)
{
	const uint64_t hash = gt_hash(data, size);
	struct entry *e;

	if (t->count * 2 >= t->places) {
		grow(t);
	}
	e = find(t, data, size, hash);
	if (*id == 0 && e->id != 0) {
		*id = e->id;
		return false;
	}
	if (*id == 0) {
		*id = t->next;
	}
	t->next = GT_MAX(t->next, *id + 1);
	if (e->id == 0) {
		*e = (struct entry){hash, *id, t->arena.n, size};
		t->count++;
		put_bytes(&t->arena, data, size);
	}
	return true;
}

/* Room for an item of at most that size in the batch of a table. */
static struct bytes *item(struct gt_compose *c, struct bytes *batch, unsigned type, size_t size)
{
	if (batch->n + size > GT_WIRE_BATCH_MAX) {
		flush_table(c, batch);
	}
	if (batch->n == 0) {
		put_byte(batch, type);
	}
	return batch;
}

static uint64_t put_string(struct gt_compose *c, uint64_t id, const void *text, size_t length)
{
	struct bytes *b;

	length = GT_MIN(length, (size_t)GT_WIRE_STRING_MAX);
	if (!intern(&c->strings, text, length, &id)) {
		return id;
	}
	b = item(c, &c->strings.batch, c->strings.type, length + 1 + 2 * GT_VARINT_MAX);
	put_byte(b, GT_EV_STRING);
	put_number(b, id);
	put_number(b, length);
	put_bytes(b, text, length);
	return id;
}

uint64_t gt_compose_string(struct gt_compose *c, const void *text, size_t length)
{
	return length == 0 ? 0 : put_string(c, 0, text, length);
}

void gt_compose_string_as(struct gt_compose *c, uint64_t id, const void *text, size_t length)
{
	put_string(c, id, text, length);
}

static uint64_t put_stack(struct gt_compose *c, uint64_t id, const struct gt_compose_frame *frames,
			  size_t n)
{
	struct bytes *b;

	n = GT_MIN(n, (size_t)GT_WIRE_FRAMES_MAX);
	if (!intern(&c->stacks, frames, n * sizeof(*frames), &id)) {
		return id;
	}
	b = item(c, &c->stacks.batch, c->stacks.type, 1 + (2 + 4 * n) * GT_VARINT_MAX);
	put_byte(b, GT_EV_STACK);
	put_number(b, id);
	put_number(b, n);
	for (size_t i = 0; i < n; i++) {
		put_number(b, frames[i].pc);
		put_number(b, frames[i].func);
		put_number(b, frames[i].file);
		put_number(b, frames[i].line);
	}
	return id;
}

uint64_t gt_compose_stack(struct gt_compose *c, const struct gt_compose_frame *frames, size_t n)
{
	return n == 0 ? 0 : put_stack(c, 0, frames, n);
}

void gt_compose_stack_as(struct gt_compose *c, uint64_t id, const struct gt_compose_frame *frames,
			 size_t n)
{
	put_stack(c, id, frames, n);
}

void gt_compose_tables(struct gt_compose *c, const struct gt_generation *g)
{
	struct gt_compose_frame frames[GT_WIRE_FRAMES_MAX];

	for (size_t i = 0; i < g->nstrings; i++) {
		const struct gt_string *s = &g->strings[i];

		put_string(c, s->id, s->text.data, s->text.length);
	}
	for (size_t i = 0; i < g->nstacks; i++) {
		const struct gt_stack *s = &g->stacks[i];

		for (unsigned k = 0; k < s->nframes; k++) {
			const struct gt_frame *f = gt_stack_frame(g, s, k);

			frames[k] =
				(struct gt_compose_frame){f->pc, f->func_id, f->file_id, f->line};
		}
		put_stack(c, s->id, frames, s->nframes);
	}
}

/* --- Batches ------------------------------------------------------------------------------ */

static struct stream *stream_of(struct streams *s, uint64_t m)
{
	size_t i = gt_idmap_get(&s->by_m, m);

	if (i == 0) {
		size_t cap = s->cap;

		s->array = gt_grow(s->array, s->count, &s->cap, sizeof(*s->array));
		/* Payloads keep their memory from one generation to the next. */
		memset(s->array + cap, 0, (s->cap - cap) * sizeof(*s->array));
		i = ++s->count;
		s->array[i - 1].m = m;
		gt_idmap_put(&s->by_m, m, i);
	}
	return &s->array[i - 1];
}

void gt_compose_streams(struct gt_compose *c, const struct gt_generation *g)
{
	for (size_t i = 0; i < g->streams.count; i++) {
		stream_of(&c->events, g->streams.array[i].m);
	}
}

void gt_compose_batch(struct gt_compose *c, const struct gt_batch *b)
{
	struct streams *s = b->experiment != 0 ? &c->facts : &c->events;
	size_t i = gt_idmap_get(&s->by_m, b->m);

	if (i != 0) {
		flush_stream(c, &s->array[i - 1]);
	}
	write_batch(c, b->experiment, b->m, b->time, b->data, b->size);
}

static void copy_streams(struct gt_compose *c, const struct gt_streams *s)
{
	for (size_t i = 0; i < s->count; i++) {
		for (const struct gt_batch *b = s->array[i].first; b != NULL; b = b->next) {
			gt_compose_batch(c, b);
		}
	}
}

void gt_compose_batches(struct gt_compose *c, const struct gt_generation *g)
{
	copy_streams(c, &g->streams);
	gt_compose_besides(c, g);
}

void gt_compose_besides(struct gt_compose *c, const struct gt_generation *g)
{
	copy_streams(c, &g->facts);
	copy_streams(c, &g->others);
	for (size_t i = 0; i < g->nsamples; i++) {
		struct gt_sample s = g->samples[i];

		s.time = gt_compose_ticks(g, s.time);
		gt_compose_sample(c, &s);
	}
}

void gt_compose_event(struct gt_compose *c, uint64_t m, uint64_t ticks, const struct gt_spec *spec,
		      const uint64_t *args)
{
	const bool fact = spec->kind == GT_FACT;
	struct stream *s = stream_of(fact ? &c->facts : &c->events, m);

	if (s->payload.n > FULL) {
		flush_stream(c, s);
	}
	if (s->payload.n == 0) {
		s->base = s->last = ticks;
		s->experiment = fact ? GT_FACT_EXPERIMENT : 0;
		if (fact) {
			put_byte(&s->payload, GT_FACT_MAGIC);
			put_byte(&s->payload, GT_FACT_VERSION);
		}
	}
	ticks = GT_MAX(ticks, s->last);
	put_byte(&s->payload, spec->number);
	put_number(&s->payload, ticks - s->last);
	for (unsigned i = 0; i < spec->nargs; i++) {
		put_number(&s->payload, args[i]);
	}
	s->last = ticks;
}

void gt_compose_sample(struct gt_compose *c, const struct gt_sample *s)
{
	struct bytes *b = item(c, &c->samples, GT_EV_CPU_SAMPLES, 1 + 5 * GT_VARINT_MAX);

	put_byte(b, GT_EV_CPU_SAMPLE);
	put_number(b, s->time);
	put_number(b, s->m);
	put_number(b, s->p);
	put_number(b, s->g == GT_NO_G ? 0 : s->g);
	put_number(b, s->stack);
}
