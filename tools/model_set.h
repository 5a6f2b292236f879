/*
 * A set of keys, each with an index, counted from 0 in the order of arrival, and with a value.
 *
 * Keys are bytes: a name, a stack as an array of name indices, a pair of indices. Values start as
 * zeros. Keys and values stay where they are until the set ends.
 */
#pragma once

#include "idmap.h"

struct gt_set_item;

struct gt_set {
	struct gt_idmap by_hash;    /* -> index + 1 of the last item with that hash */
	struct gt_set_item **items; /* by index */
	size_t count, cap;
	size_t value_size;
};

GT_INLINE struct gt_set gt_set_of(size_t value_size)
{
	return (struct gt_set){.value_size = value_size};
}

void gt_set_fini(struct gt_set *set);
/* The index of a key, which is added if it is new (then the index is the count before). */
uint32_t gt_set_put(struct gt_set *set, const void *key, size_t size);
/* The value of a key that is put. */
void *gt_set_get(struct gt_set *set, const void *key, size_t size);

void *gt_set_value(const struct gt_set *set, size_t index);
/* A zero byte that is not part of the key follows it: a name is a C string. size may be NULL. */
const void *gt_set_key(const struct gt_set *set, size_t index, size_t *size);
