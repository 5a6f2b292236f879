/*
 * Reading a spool.
 *
 * Every word is read by a bounds-checked load, once; a list or a trie that does not end within as
 * many steps as there are units in the file is left there.
 */
#include "spool.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/spec.h"
#include "base/wire.h"

bool gt_spool_is_beside(const char *trace)
{
	char name[PATH_MAX];

	return snprintf(name, sizeof(name), "%s" GT_SPOOL_SUFFIX, trace) < (int)sizeof(name) &&
	       access(name, F_OK) == 0;
}

static bool inside(const struct gt_spool *s, uint64_t at, uint64_t bytes)
{
	return at <= s->size && bytes <= s->size - at;
}

static uint32_t word(const struct gt_spool *s, uint64_t at)
{
	uint32_t v = 0;

	if (inside(s, at, sizeof(v))) {
		memcpy(&v, s->data + at, sizeof(v));
	}
	return v;
}

static uint64_t word64(const struct gt_spool *s, uint64_t at)
{
	uint64_t v = 0;

	if (inside(s, at, sizeof(v))) {
		memcpy(&v, s->data + at, sizeof(v));
	}
	return v;
}

static uint64_t of_ref(uint32_t ref)
{
	return (uint64_t)ref * GT_SPOOL_UNIT;
}

/* A list of things in the spool cannot have more than this. */
static size_t most(const struct gt_spool *s)
{
	return s->size / GT_SPOOL_UNIT;
}

int gt_spool_open(struct gt_spool *s, const void *data, size_t size, struct gt_error *e)
{
	struct gt_spool_head head;

	if (size < sizeof(head) || memcmp(data, GT_SPOOL_MAGIC, sizeof(head.magic)) != 0) {
		return gt_error_set(e, GT_ERROR_READ, 0, GT_NOWHERE, GT_NOWHERE,
				    "not a spool: it does not begin with \"gtrace spool\"");
	}
	memcpy(&head, data, sizeof(head));
	if (head.version != GT_SPOOL_VERSION || head.nplaces < GT_SPOOL_PLACES) {
		return gt_error_set(e, GT_ERROR_READ, 0, GT_NOWHERE, GT_NOWHERE,
				    "a spool of version %u with %u places; this gtrace reads "
				    "version %u with %u",
				    head.version, head.nplaces, GT_SPOOL_VERSION, GT_SPOOL_PLACES);
	}
	*s = (struct gt_spool){
		.data = data,
		.size = size,
		.pid = head.pid,
		.gen = head.gen,
		.generations = head.generations,
	};
	memcpy(s->places, head.places, sizeof(s->places));
	s->broken = word(s, s->places[GT_SPOOL_BROKEN]);
	return 0;
}

/* --- Batches ------------------------------------------------------------------------------ */

bool gt_spool_next_batch(const uint8_t *data, size_t size, size_t *at, uint64_t *gen,
			 struct gt_batch *b)
{
	const uint8_t *p = data + *at, *end = data + size;
	uint64_t field[4];

	*b = (struct gt_batch){0};
	if (p == end || (*p != GT_EV_EVENT_BATCH && *p != GT_EV_EXPERIMENTAL_BATCH)) {
		return false;
	}
	if (*p++ == GT_EV_EXPERIMENTAL_BATCH) {
		if (p == end || *p != GT_FACT_EXPERIMENT) {
			return false;
		}
		b->experiment = *p++;
	}
	for (size_t i = 0; i < GT_LEN(field); i++) {
		const int n = gt_varint_get(p, end, &field[i]);

		if (n <= 0) {
			return false;
		}
		p += n;
	}
	if (field[3] > GT_WIRE_BATCH_MAX || field[3] > (uint64_t)(end - p)) {
		return false;
	}
	*gen = field[0];
	b->m = field[1];
	b->time = field[2];
	b->size = (size_t)field[3];
	b->data = p;
	*at = (size_t)(p - data) + b->size;
	return true;
}

struct batches {
	struct gt_batch *array;
	size_t n, cap;
	size_t left; /* bytes: buffers that overlap do not make more of the spool than it is */
};

static void add(struct batches *list, const struct gt_batch *b)
{
	if (b->size > 0 && b->size <= list->left) {
		list->left -= b->size;
		list->array = gt_grow(list->array, list->n, &list->cap, sizeof(*list->array));
		list->array[list->n++] = *b;
	}
}

/* A part of a buffer, as a batch. */
static void add_part(const struct gt_spool *s, struct batches *list, uint64_t buffer, uint32_t n,
		     enum gt_spool_place bytes, enum gt_spool_place max, unsigned experiment)
{
	const uint64_t at = buffer + s->places[bytes];

	if (n <= s->places[max] && n <= GT_WIRE_BATCH_MAX && inside(s, at, n)) {
		add(list, &(struct gt_batch){
				  .m = word64(s, buffer + s->places[GT_SPOOL_BUFFER_M]),
				  .time = word64(s, buffer + s->places[GT_SPOOL_BUFFER_TIME]),
				  .data = s->data + at,
				  .size = n,
				  .experiment = (uint8_t)experiment,
			  });
	}
}

/* Whole batches, with their headers. */
static void add_whole(const struct gt_spool *s, struct batches *list, uint64_t from, uint32_t bytes,
		      enum gt_spool_place max, uint64_t gen)
{
	struct gt_batch b;
	uint64_t of;
	size_t at = 0;

	if (bytes > s->places[max] || !inside(s, from, bytes)) {
		return;
	}
	while (gt_spool_next_batch(s->data + from, bytes, &at, &of, &b)) {
		if (of == gen) {
			add(list, &b);
		}
	}
}

/* What the tracer was about to add to the streams of threads that are in a call: their last. */
static void add_drafts(const struct gt_spool *s, struct batches *list, uint64_t gen)
{
	const uint32_t *place = s->places;
	struct gt_idmap seen = {0};
	uint32_t ref = word(s, place[GT_SPOOL_THREADS]);

	for (size_t i = 0; ref != 0 && i < most(s) && gt_idmap_get(&seen, ref) == 0; i++) {
		const uint64_t thread = of_ref(ref);

		gt_idmap_put(&seen, ref, 1);
		if (word64(s, thread + place[GT_SPOOL_THREAD_DRAFT_GEN]) == gen &&
		    word(s, thread + place[GT_SPOOL_THREAD_CLAIM]) >= GT_SPOOL_CLAIMED) {
			add_whole(s, list, thread + place[GT_SPOOL_THREAD_DRAFT],
				  word(s, thread + place[GT_SPOOL_THREAD_DRAFT_LEN]),
				  GT_SPOOL_DRAFT_MAX, gen);
		}
		ref = word(s, thread + place[GT_SPOOL_THREAD_NEXT]);
	}
	gt_idmap_fini(&seen);
}

/* number: from half of all numbers before the first that was found; they begin again after 2^32. */
struct buffer {
	uint32_t number;
	uint64_t at;
};

static int by_number(const void *a, const void *b)
{
	const struct buffer *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

struct gt_batch *gt_spool_batches(const struct gt_spool *s, uint64_t gen, size_t *n)
{
	const uint32_t *place = s->places;
	struct batches list = {.left = s->size};
	struct buffer *buffers = NULL;
	struct gt_idmap seen = {0}; /* a circle ends where it began */
	size_t nbuffers = 0, cap = 0;
	uint32_t ref = word(s, place[GT_SPOOL_BUFFERS]), first = 0;

	for (size_t i = 0; ref != 0 && i < most(s) && gt_idmap_get(&seen, ref) == 0; i++) {
		const uint64_t at = of_ref(ref);

		gt_idmap_put(&seen, ref, 1);
		if (word64(s, at + place[GT_SPOOL_BUFFER_GEN]) == gen) {
			const uint32_t number = word(s, at + place[GT_SPOOL_BUFFER_NUMBER]);

			first = nbuffers == 0 ? number + (1u << 31) : first;
			buffers = gt_grow(buffers, nbuffers, &cap, sizeof(*buffers));
			buffers[nbuffers++] = (struct buffer){number - first, at};
		}
		ref = word(s, at + place[GT_SPOOL_BUFFER_NEXT]);
	}
	gt_idmap_fini(&seen);
	if (nbuffers > 0) {
		qsort(buffers, nbuffers, sizeof(*buffers), by_number);
	}
	for (size_t i = 0; i < nbuffers; i++) {
		const uint64_t at = buffers[i].at;
		const uint32_t packed = word(s, at + place[GT_SPOOL_BUFFER_PACKED_LEN]);
		const uint64_t tail = word64(s, at + place[GT_SPOOL_BUFFER_TAIL]);

		if (packed != 0) {
			add_whole(s, &list, at + place[GT_SPOOL_BUFFER_EVENTS], packed,
				  GT_SPOOL_BUFFER_EVENTS_MAX, gen);
			continue;
		}
		add_part(s, &list, at, (uint32_t)tail, GT_SPOOL_BUFFER_EVENTS,
			 GT_SPOOL_BUFFER_EVENTS_MAX, 0);
		add_part(s, &list, at, (uint32_t)(tail >> 32) & INT32_MAX, GT_SPOOL_BUFFER_FACTS,
			 GT_SPOOL_BUFFER_FACTS_MAX, GT_FACT_EXPERIMENT);
	}
	free(buffers);
	add_drafts(s, &list, gen);
	*n = list.n;
	return list.array;
}

/* --- Posts -------------------------------------------------------------------------------- */

struct gt_spool_post *gt_spool_posts(const struct gt_spool *s, uint64_t gen, size_t *n)
{
	const uint32_t *place = s->places;
	struct gt_spool_post *posts = NULL;
	struct gt_idmap seen = {0};
	size_t cap = 0;
	uint32_t ref = word(s, place[GT_SPOOL_THREADS]);

	*n = 0;
	for (size_t i = 0; ref != 0 && i < most(s) && gt_idmap_get(&seen, ref) == 0; i++) {
		const uint64_t thread = of_ref(ref);
		const uint64_t box = thread + place[GT_SPOOL_THREAD_MAILBOX] +
				     (gen & 1) * place[GT_SPOOL_MAILBOX_SIZE];
		const uint64_t entries = thread + place[GT_SPOOL_THREAD_POSTS] +
					 (gen & 1) * place[GT_SPOOL_POSTS_SIZE];
		const uint32_t max = place[GT_SPOOL_MAILBOX_MAX];
		const uint32_t written = word(s, box + place[GT_SPOOL_MAILBOX_WRITTEN]);
		const uint32_t left = word(s, box + place[GT_SPOOL_MAILBOX_POSTED]) - written;
		uint64_t m = word(s, thread + place[GT_SPOOL_THREAD_TID]);

		gt_idmap_put(&seen, ref, 1);
		/* As the tracer does: its tid may be another thread's by now. */
		if (word64(s, thread + place[GT_SPOOL_THREAD_DEAD]) != 0) {
			m = GT_WIRE_DEAD_M | word64(s, thread + place[GT_SPOOL_THREAD_ID]);
		}
		for (uint32_t k = 0; k < GT_MIN(left, max) && *n < most(s); k++) {
			const uint64_t at = entries + (uint64_t)((written + k) % max) *
							      place[GT_SPOOL_POST_SIZE];

			posts = gt_grow(posts, *n, &cap, sizeof(*posts));
			posts[(*n)++] = (struct gt_spool_post){
				.m = m,
				.g = word64(s, at + place[GT_SPOOL_POST_G]),
				.seq = word64(s, at + place[GT_SPOOL_POST_SEQ]),
				.stack = word(s, at + place[GT_SPOOL_POST_STACK]),
				.ns = word64(s, at + place[GT_SPOOL_POST_NS]),
			};
		}
		ref = word(s, thread + place[GT_SPOOL_THREAD_NEXT]);
	}
	gt_idmap_fini(&seen);
	return posts;
}

/* --- Tables ------------------------------------------------------------------------------- */

/* All that a table's tries lead to: a node may be in use before it is on any list. */
static struct gt_spool_entry *table(const struct gt_spool *s, enum gt_spool_place first,
				    uint64_t gen, size_t *n)
{
	const uint32_t *place = s->places;
	const uint64_t roots = place[first] + (gen & 1) * place[GT_SPOOL_TABLE_SIZE];
	struct gt_spool_entry *entries = NULL;
	struct gt_idmap seen = {0};
	uint32_t *todo = NULL;
	size_t ntodo = 0, todo_cap = 0, cap = 0;

	*n = 0;
	for (uint32_t root = 0; root < place[GT_SPOOL_TABLE_ROOTS]; root++) {
		if (!inside(s, roots + 4u * (uint64_t)root, 4)) {
			break;
		}
		todo = gt_grow(todo, ntodo, &todo_cap, sizeof(*todo));
		todo[ntodo++] = word(s, roots + 4u * (uint64_t)root);
		while (ntodo > 0) {
			const uint32_t ref = todo[--ntodo];
			const uint64_t at = of_ref(ref);
			const uint64_t data = at + place[GT_SPOOL_NODE_DATA];
			const uint32_t bytes = word(s, at + place[GT_SPOOL_NODE_BYTES]);

			/* Once, so that a circle ends. */
			if (ref == 0 || !inside(s, data, bytes) || gt_idmap_get(&seen, ref) != 0) {
				continue;
			}
			gt_idmap_put(&seen, ref, 1);
			entries = gt_grow(entries, *n, &cap, sizeof(*entries));
			entries[(*n)++] = (struct gt_spool_entry){
				word(s, at + place[GT_SPOOL_NODE_ID]), s->data + data, bytes};
			for (unsigned i = 0; i < 4; i++) {
				todo = gt_grow(todo, ntodo, &todo_cap, sizeof(*todo));
				todo[ntodo++] =
					word(s, at + place[GT_SPOOL_NODE_CHILDREN] + 4u * i);
			}
		}
	}
	gt_idmap_fini(&seen);
	free(todo);
	return entries;
}

struct gt_spool_entry *gt_spool_stacks(const struct gt_spool *s, uint64_t gen, size_t *n)
{
	return table(s, GT_SPOOL_STACKS, gen, n);
}

struct gt_spool_entry *gt_spool_strings(const struct gt_spool *s, uint64_t gen, size_t *n)
{
	return table(s, GT_SPOOL_STRINGS, gen, n);
}

struct gt_spool_stamp gt_spool_stamp(const struct gt_spool *s, uint64_t gen)
{
	const uint64_t at =
		(uint64_t)s->places[GT_SPOOL_STAMP] + (gen & 1) * s->places[GT_SPOOL_STAMP_SIZE];

	return (struct gt_spool_stamp){word64(s, at), word64(s, at + 8), word64(s, at + 16),
				       word64(s, at + 24)};
}

struct gt_text gt_spool_maps(const struct gt_spool *s)
{
	const uint32_t n = word(s, s->places[GT_SPOOL_MAPS_LEN]);
	const bool is = n <= s->places[GT_SPOOL_MAPS_MAX] && inside(s, s->places[GT_SPOOL_MAPS], n);

	return (struct gt_text){(const char *)s->data + (is ? s->places[GT_SPOOL_MAPS] : 0),
				is ? n : 0};
}

uint64_t gt_spool_loss(const struct gt_spool *s, unsigned what)
{
	return what < s->places[GT_SPOOL_NLOSSES]
		       ? word64(s, s->places[GT_SPOOL_LOSSES] + 8u * (uint64_t)what)
		       : 0;
}
