/*
 * A log-linear histogram of durations: sixteen buckets to each power of two.
 *
 * A percentile is off by at most 1/32 of its value, and never outside of what was added. Only the
 * buckets between the shortest and the longest duration are there, so that many small ones are.
 */
#pragma once

#include "base/util.h"

enum {
	GT_HIST_LINEAR_BITS = 4,
	GT_HIST_BITS = 48, /* longer durations, 78 hours, all go to the last bucket */
	GT_HIST_BUCKETS = (GT_HIST_BITS - GT_HIST_LINEAR_BITS + 1) << GT_HIST_LINEAR_BITS,
};

struct gt_hist {
	uint64_t count, min, max; /* ns */
	uint16_t first, n;        /* the buckets that are there */
	uint32_t *buckets;
};

void gt_hist_add(struct gt_hist *h, uint64_t ns);
/* All that was added to from, to the other as well. */
void gt_hist_merge(struct gt_hist *to, const struct gt_hist *from);
void gt_hist_fini(struct gt_hist *h);
/* The smallest duration that is not exceeded by `part` (0 to 1) of all; 0 of an empty one. */
uint64_t gt_hist_part(const struct gt_hist *h, double part);
