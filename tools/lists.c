/*
 * The set of lists of numbers: found by a 32-bit hash, told apart by their bytes.
 */
#include "lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/varint.h"
#include "error.h"

enum {
	NUMBER_MAX = 5,                                  /* bytes of 32 bits */
	LIST_MAX = NUMBER_MAX * (1 + (int)GT_LISTS_MAX), /* with its length before it */
	CHUNK_SHIFT = 20,
	CHUNK = 1 << CHUNK_SHIFT,
	FIRST_BITS = 6,
};

/* Index + 1; 0 is free. */
struct gt_lists_place {
	uint32_t hash, index;
};

/* At least LIST_MAX bytes can be read there. */
static const uint8_t *list_at(const struct gt_lists *lists, uint32_t index)
{
	const uint64_t at = lists->at[index];

	return lists->chunks[at >> CHUNK_SHIFT] + (at & (CHUNK - 1));
}

static size_t home(const struct gt_lists *lists, uint32_t hash)
{
	return hash >> (32 - lists->bits);
}

static void resize(struct gt_lists *lists, unsigned bits)
{
	struct gt_lists_place *old = lists->places;
	const size_t n = old != NULL ? (size_t)1 << lists->bits : 0;
	const size_t mask = ((size_t)1 << bits) - 1;

	lists->bits = bits;
	lists->places = gt_alloc(sizeof(*old) << bits);
	for (size_t i = 0; i < n; i++) {
		size_t to = home(lists, old[i].hash);

		if (old[i].index != 0) {
			while (lists->places[to].index != 0) {
				to = (to + 1) & mask;
			}
			lists->places[to] = old[i];
		}
	}
	free(old);
}

/* Where the list stands, or would stand. */
static struct gt_lists_place *find(const struct gt_lists *lists, uint32_t hash,
				   const uint8_t *bytes, size_t size)
{
	const size_t mask = ((size_t)1 << lists->bits) - 1;
	size_t i = home(lists, hash);

	for (; lists->places[i].index != 0; i = (i + 1) & mask) {
		const struct gt_lists_place *p = &lists->places[i];

		/* No list is the beginning of another: its length stands first. */
		if (p->hash == hash && memcmp(list_at(lists, p->index - 1), bytes, size) == 0) {
			break;
		}
	}
	return &lists->places[i];
}

static void add(struct gt_lists *lists, const uint8_t *bytes, size_t size)
{
	if (lists->nchunks == 0 || lists->used > CHUNK - LIST_MAX) {
		lists->chunks = gt_grow(lists->chunks, lists->nchunks, &lists->chunks_cap,
					sizeof(*lists->chunks));
		lists->chunks[lists->nchunks++] = gt_alloc(CHUNK);
		lists->used = 0;
	}
	memcpy(lists->chunks[lists->nchunks - 1] + lists->used, bytes, size);
	lists->at = gt_grow(lists->at, lists->count, &lists->cap, sizeof(*lists->at));
	lists->at[lists->count++] =
		(uint64_t)(lists->nchunks - 1) << CHUNK_SHIFT | (uint64_t)lists->used;
	lists->used += size;
}

uint32_t gt_lists_put(struct gt_lists *lists, const uint32_t *numbers, size_t n)
{
	uint8_t bytes[LIST_MAX];
	uint8_t *end = gt_varint_put(bytes, n);
	struct gt_lists_place *place;
	uint32_t hash;

	for (size_t i = 0; i < n; i++) {
		end = gt_varint_put(end, numbers[i]);
	}
	if (lists->places == NULL) {
		resize(lists, FIRST_BITS);
	} else if (lists->count >= (size_t)3 << (lists->bits - 2)) {
		resize(lists, lists->bits + 1);
	}
	hash = (uint32_t)(gt_hash(bytes, (size_t)(end - bytes)) >> 32);
	place = find(lists, hash, bytes, (size_t)(end - bytes));
	if (place->index == 0) {
		add(lists, bytes, (size_t)(end - bytes));
		*place = (struct gt_lists_place){hash, (uint32_t)lists->count};
	}
	return place->index - 1;
}

size_t gt_lists_get(const struct gt_lists *lists, uint32_t index, uint32_t *numbers)
{
	const uint8_t *at = list_at(lists, index);
	const uint8_t *const end = at + LIST_MAX;
	uint64_t n = 0, v = 0;

	at += gt_varint_get(at, end, &n);
	for (size_t i = 0; i < n; i++) {
		at += gt_varint_get(at, end, &v);
		numbers[i] = (uint32_t)v;
	}
	return (size_t)n;
}

void gt_lists_fini(struct gt_lists *lists)
{
	for (size_t i = 0; i < lists->nchunks; i++) {
		free(lists->chunks[i]);
	}
	free(lists->chunks);
	free(lists->at);
	free(lists->places);
	*lists = (struct gt_lists){0};
}
