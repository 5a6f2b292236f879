/*
 * The histogram of durations.
 */
#include "model_hist.h"

enum { LINEAR = 1 << GT_HIST_LINEAR_BITS };

static size_t bucket_of(uint64_t ns)
{
	unsigned top; /* place of the highest bit */

	if (ns < LINEAR) {
		return (size_t)ns;
	}
	top = 63 - (unsigned)__builtin_clzll(ns);
	if (top >= GT_HIST_BITS) {
		return GT_HIST_BUCKETS - 1;
	}
	return (top - GT_HIST_LINEAR_BITS + 1) * (size_t)LINEAR +
	       (ns >> (top - GT_HIST_LINEAR_BITS)) % LINEAR;
}

/* The middle of a bucket. */
static uint64_t value_of(size_t bucket)
{
	unsigned shift;

	if (bucket < 2 * LINEAR) {
		return bucket;
	}
	shift = (unsigned)(bucket / LINEAR) - 1;
	return ((LINEAR + bucket % LINEAR) << shift) + ((uint64_t)1 << shift) / 2;
}

void gt_hist_add(struct gt_hist *h, uint64_t ns)
{
	h->min = h->count == 0 ? ns : GT_MIN(h->min, ns);
	h->max = GT_MAX(h->max, ns);
	h->count++;
	h->buckets[bucket_of(ns)]++;
}

uint64_t gt_hist_part(const struct gt_hist *h, double part)
{
	double wanted = part * (double)h->count;
	uint64_t seen = 0, ns;

	for (size_t i = 0; i < GT_HIST_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen != 0 && (double)seen >= wanted) {
			ns = value_of(i);
			return GT_MIN(GT_MAX(ns, h->min), h->max);
		}
	}
	return h->max;
}
