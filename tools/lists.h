/*
 * The set of lists of numbers, each list once, with an index, counted from 0 in the order of
 * arrival: stacks, as the numbers of their frames or of the names of their functions.
 *
 * Of millions of lists of dozens of numbers, of which there are few different ones. So a number
 * takes a byte or two, a list 8 bytes besides, and some 12 more for being found.
 */
#pragma once

#include "base/util.h"
#include "base/wire.h"

enum { GT_LISTS_MAX = GT_WIRE_FRAMES_MAX }; /* numbers of a list */

struct gt_lists {
	uint8_t **chunks; /* of lists, one after the other */
	size_t nchunks, chunks_cap;
	size_t used;  /* of the last chunk */
	uint64_t *at; /* by index: chunk and place in it */
	size_t count, cap;
	struct gt_lists_place *places; /* open addressing */
	unsigned bits;                 /* so many places, as a power of 2 */
};

void gt_lists_fini(struct gt_lists *lists);
/* The index of a list of n numbers, which is added if it is new (then it is the count before). */
uint32_t gt_lists_put(struct gt_lists *lists, const uint32_t *numbers, size_t n);
/* How many there are, and these, into an array with room for GT_LISTS_MAX. */
size_t gt_lists_get(const struct gt_lists *lists, uint32_t index, uint32_t *numbers);
