/*
 * A map from 64-bit ids to words that are not 0: open addressing, linear probing.
 *
 * Ids in a trace are mostly small and dense, but may be any number. 0 as a word means "absent".
 */
#pragma once

#include "base/util.h"

struct gt_idmap_slot {
	uint64_t id;
	uintptr_t word;
};

struct gt_idmap {
	struct gt_idmap_slot *slots; /* NULL until the first put */
	size_t count;
	unsigned bits; /* log2 of the number of slots */
};

GT_INLINE size_t gt_idmap_home(const struct gt_idmap *map, uint64_t id)
{
	/* Fibonacci hashing: dense ids spread evenly; the fold lets high bits count as well. */
	return (size_t)(((id ^ id >> 32) * 0x9e3779b97f4a7c15u) >> (64 - map->bits));
}

GT_INLINE uintptr_t gt_idmap_get(const struct gt_idmap *map, uint64_t id)
{
	size_t mask, i;

	if (gt_unlikely(map->slots == NULL)) {
		return 0;
	}
	mask = ((size_t)1 << map->bits) - 1;
	for (i = gt_idmap_home(map, id); map->slots[i].word != 0; i = (i + 1) & mask) {
		if (map->slots[i].id == id) {
			return map->slots[i].word;
		}
	}
	return 0;
}

GT_INLINE void *gt_idmap_pointer(const struct gt_idmap *map, uint64_t id)
{
	return (void *)gt_idmap_get(map, id); /* NOLINT: words are pointers here */
}

/* Adds id, which must be absent, with a word that is not 0. */
void gt_idmap_put(struct gt_idmap *map, uint64_t id, uintptr_t word);
/* Removes id; nothing happens if it is absent. */
void gt_idmap_remove(struct gt_idmap *map, uint64_t id);
/* Forgets all ids and keeps the memory. */
void gt_idmap_clear(struct gt_idmap *map);
void gt_idmap_fini(struct gt_idmap *map);
/* Iterates in no order: start with *i = 0; NULL at the end. The map must not change meanwhile. */
const struct gt_idmap_slot *gt_idmap_each(const struct gt_idmap *map, size_t *i);
