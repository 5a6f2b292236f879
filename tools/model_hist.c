/*
 * The histogram of durations.
 */
#include "model_hist.h"

#include <stdlib.h>
#include <string.h>

#include "error.h"

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

/* Makes room for a bucket: those between it and the others are empty. */
static void reach(struct gt_hist *h, size_t bucket)
{
	const size_t first = h->n == 0 ? bucket : GT_MIN(bucket, h->first);
	const size_t last = h->n == 0 ? bucket : GT_MAX(bucket, h->first + h->n - 1u);
	const size_t n = last - first + 1;

	if (n == h->n) {
		return;
	}
	h->buckets = gt_realloc(h->buckets, n * sizeof(*h->buckets));
	if (h->n == 0) {
		h->first = (uint16_t)bucket;
	}
	memmove(h->buckets + (h->first - first), h->buckets, h->n * sizeof(*h->buckets));
	memset(h->buckets, 0, (h->first - first) * sizeof(*h->buckets));
	memset(h->buckets + (h->first - first) + h->n, 0,
	       (n - h->n - (h->first - first)) * sizeof(*h->buckets));
	h->first = (uint16_t)first;
	h->n = (uint16_t)n;
}

void gt_hist_add(struct gt_hist *h, uint64_t ns)
{
	const size_t bucket = bucket_of(ns);

	h->min = h->count == 0 ? ns : GT_MIN(h->min, ns);
	h->max = GT_MAX(h->max, ns);
	h->count++;
	reach(h, bucket);
	h->buckets[bucket - h->first]++;
}

void gt_hist_merge(struct gt_hist *to, const struct gt_hist *from)
{
	if (from->count == 0) {
		return;
	}
	reach(to, from->first);
	reach(to, from->first + from->n - 1u);
	for (size_t i = 0; i < from->n; i++) {
		to->buckets[from->first + i - to->first] += from->buckets[i];
	}
	to->min = to->count == 0 ? from->min : GT_MIN(to->min, from->min);
	to->max = GT_MAX(to->max, from->max);
	to->count += from->count;
}

void gt_hist_fini(struct gt_hist *h)
{
	free(h->buckets);
}

uint64_t gt_hist_part(const struct gt_hist *h, double part)
{
	double wanted = part * (double)h->count;
	uint64_t seen = 0, ns;

	for (size_t i = 0; i < h->n; i++) {
		seen += h->buckets[i];
		if (seen != 0 && (double)seen >= wanted) {
			ns = value_of(h->first + i);
			return GT_MIN(GT_MAX(ns, h->min), h->max);
		}
	}
	return h->max;
}
