/*
 * The slow half of the id map: growing, removing, iterating.
 */
#include "idmap.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

enum { FIRST_BITS = 6 };

static void insert(struct gt_idmap *map, uint64_t id, uintptr_t word)
{
	size_t mask = ((size_t)1 << map->bits) - 1;
	size_t i = gt_idmap_home(map, id);

	while (map->slots[i].word != 0) {
		i = (i + 1) & mask;
	}
	map->slots[i] = (struct gt_idmap_slot){id, word};
}

static void resize(struct gt_idmap *map, unsigned bits)
{
	struct gt_idmap_slot *old = map->slots;
	size_t n = old ? (size_t)1 << map->bits : 0;

	map->slots = gt_alloc(sizeof(*map->slots) << bits);
	map->bits = bits;
	for (size_t i = 0; i < n; i++) {
		if (old[i].word != 0) {
			insert(map, old[i].id, old[i].word);
		}
	}
	free(old);
}

void gt_idmap_put(struct gt_idmap *map, uint64_t id, uintptr_t word)
{
	if (map->slots == NULL) {
		resize(map, FIRST_BITS);
	} else if (map->count * 2 >= (size_t)1 << map->bits) {
		resize(map, map->bits + 1);
	}
	insert(map, id, word);
	map->count++;
}

void gt_idmap_remove(struct gt_idmap *map, uint64_t id)
{
	size_t mask, i, j;

	if (gt_idmap_get(map, id) == 0) {
		return;
	}
	mask = ((size_t)1 << map->bits) - 1;
	for (i = gt_idmap_home(map, id); map->slots[i].id != id || map->slots[i].word == 0;) {
		i = (i + 1) & mask;
	}
	/* Close the gap: move back whatever probes across it (Knuth 6.4, algorithm R). */
	for (j = (i + 1) & mask; map->slots[j].word != 0; j = (j + 1) & mask) {
		size_t home = gt_idmap_home(map, map->slots[j].id);

		if (((j - home) & mask) >= ((j - i) & mask)) {
			map->slots[i] = map->slots[j];
			i = j;
		}
	}
	map->slots[i].word = 0;
	map->count--;
}

void gt_idmap_clear(struct gt_idmap *map)
{
	if (map->count != 0) {
		memset(map->slots, 0, sizeof(*map->slots) << map->bits);
		map->count = 0;
	}
}

void gt_idmap_fini(struct gt_idmap *map)
{
	free(map->slots);
	*map = (struct gt_idmap){0};
}

const struct gt_idmap_slot *gt_idmap_each(const struct gt_idmap *map, size_t *i)
{
	size_t n = map->slots ? (size_t)1 << map->bits : 0;

	while (*i < n) {
		const struct gt_idmap_slot *slot = &map->slots[(*i)++];

		if (slot->word != 0) {
			return slot;
		}
	}
	return NULL;
}
