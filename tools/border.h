/*
 * The border between generations that were judged each alone.
 *
 * A generation can be read alone, because it says at its beginning what everything is doing.
 * Whether that is what everything was doing when the generation before ended is asked here: then,
 * and only then, both together are as valid as if they had been read one after the other. The
 * answer errs on one side alone: "no" may also mean that this cannot be told cheaply; who reads on
 * from the beginning, one generation after the other, gets the verdict and its words.
 */
#pragma once

#include "order.h"
#include "strict.h"

struct gt_border;

struct gt_border *gt_border_new(unsigned version, bool strict, bool live);
void gt_border_free(struct gt_border *b);
/*
 * The next generation g of the file, which was judged alone: o is the order at its end, with what
 * it has taken for granted. True: all generations so far are valid together.
 */
bool gt_border_cross(struct gt_border *b, const struct gt_generation *g, const struct gt_order *o);
