/*
 * The set of keys: found by a 64-bit hash, told apart by their bytes.
 */
#include "model_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "error.h"

struct gt_set_item {
	size_t size;
	uintptr_t same;   /* index + 1 of another key with this hash; 0: none */
	uint64_t bytes[]; /* the value, then the key and a zero byte */
};

static size_t key_at(const struct gt_set *set)
{
	return GT_ROUND_UP(set->value_size, sizeof(uint64_t));
}

uint32_t gt_set_put(struct gt_set *set, const void *key, size_t size)
{
	uint64_t hash = gt_hash(key, size);
	uintptr_t first = gt_idmap_get(&set->by_hash, hash);
	struct gt_set_item *item;

	for (uintptr_t i = first; i != 0; i = item->same) {
		item = set->items[i - 1];
		if (item->size == size &&
		    memcmp((char *)item->bytes + key_at(set), key, size) == 0) {
			return (uint32_t)(i - 1);
		}
	}
	item = gt_alloc(sizeof(*item) + key_at(set) + size + 1);
	item->size = size;
	item->same = first;
	memcpy((char *)item->bytes + key_at(set), key, size);
	set->items = gt_grow(set->items, set->count, &set->cap, sizeof(struct gt_set_item *));
	set->items[set->count++] = item;
	if (first != 0) {
		gt_idmap_remove(&set->by_hash, hash);
	}
	gt_idmap_put(&set->by_hash, hash, set->count);
	return (uint32_t)(set->count - 1);
}

void *gt_set_get(struct gt_set *set, const void *key, size_t size)
{
	return gt_set_value(set, gt_set_put(set, key, size));
}

void *gt_set_value(const struct gt_set *set, size_t index)
{
	return set->items[index]->bytes;
}

const void *gt_set_key(const struct gt_set *set, size_t index, size_t *size)
{
	const struct gt_set_item *item = set->items[index];

	if (size != NULL) {
		*size = item->size;
	}
	return (const char *)item->bytes + key_at(set);
}

void gt_set_fini(struct gt_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->items[i]);
	}
	free(set->items);
	gt_idmap_fini(&set->by_hash);
	*set = gt_set_of(set->value_size);
}
