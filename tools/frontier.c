/*
 * The frontier: a binary heap, and a list of those who wait.
 */
#include "frontier.h"

#include <stdlib.h>

static const struct gt_frontier_entry none = {.time = INT64_MAX, .id = GT_FRONTIER_NONE};

void gt_frontier_clear(struct gt_frontier *f)
{
	f->first = f->second = none;
	f->nheap = f->nparked = 0;
}

void gt_frontier_fini(struct gt_frontier *f)
{
	free(f->heap);
	free(f->parked);
	*f = (struct gt_frontier){0};
}

static void sift_up(struct gt_frontier *f, struct gt_frontier_entry e, size_t i)
{
	while (i > 0 && gt_frontier_before(&e, &f->heap[(i - 1) / 2])) {
		f->heap[i] = f->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	f->heap[i] = e;
}

/* Puts e into the place that heap[0] leaves. */
static void put_down(struct gt_frontier *f, struct gt_frontier_entry e)
{
	size_t i = 0, child;

	while ((child = 2 * i + 1) < f->nheap) {
		child += child + 1 < f->nheap &&
			 gt_frontier_before(&f->heap[child + 1], &f->heap[child]);
		if (!gt_frontier_before(&f->heap[child], &e)) {
			break;
		}
		f->heap[i] = f->heap[child];
		i = child;
	}
	f->heap[i] = e;
}

static void swap(struct gt_frontier_entry *a, struct gt_frontier_entry *b)
{
	const struct gt_frontier_entry e = *a;

	*a = *b;
	*b = e;
}

static void push(struct gt_frontier *f, struct gt_frontier_entry e)
{
	if (gt_frontier_before(&e, &f->first)) {
		swap(&e, &f->first);
	}
	if (gt_frontier_before(&e, &f->second)) {
		swap(&e, &f->second);
	}
	if (e.id != GT_FRONTIER_NONE) {
		f->heap = gt_grow(f->heap, f->nheap, &f->heap_cap, sizeof(*f->heap));
		sift_up(f, e, f->nheap++);
	}
}

void gt_frontier_push(struct gt_frontier *f, uint64_t time, size_t id)
{
	push(f, (struct gt_frontier_entry){.time = time, .id = id});
}

void gt_frontier_pop(struct gt_frontier *f)
{
	f->first = f->second;
	f->second = none;
	if (f->nheap > 0) {
		f->second = f->heap[0];
		f->nheap--;
		if (f->nheap > 0) {
			put_down(f, f->heap[f->nheap]);
		}
	}
}

void gt_frontier_sink(struct gt_frontier *f)
{
	const struct gt_frontier_entry e = f->second;

	f->second = f->heap[0];
	put_down(f, e);
}

void gt_frontier_park(struct gt_frontier *f, struct gt_key key, uint64_t seq)
{
	f->parked = gt_grow(f->parked, f->nparked, &f->parked_cap, sizeof(*f->parked));
	f->parked[f->nparked++] = (struct gt_frontier_parked){f->first, key, seq};
	gt_frontier_pop(f);
}

void gt_frontier_unpark(struct gt_frontier *f, struct gt_key changed, uint64_t seq)
{
	for (size_t i = 0; i < f->nparked;) {
		const struct gt_frontier_parked *p = &f->parked[i];

		if (p->waits.kind == changed.kind && p->waits.id == changed.id &&
		    (p->seq == seq || p->seq == GT_ANY_SEQ || seq == GT_ANY_SEQ)) {
			push(f, p->entry);
			f->parked[i] = f->parked[--f->nparked];
		} else {
			i++;
		}
	}
}

void gt_frontier_unpark_all(struct gt_frontier *f)
{
	while (f->nparked > 0) {
		push(f, f->parked[--f->nparked].entry);
	}
}

static int compare(const void *a, const void *b)
{
	const struct gt_frontier_parked *x = a, *y = b;

	return gt_frontier_before(&x->entry, &y->entry) ? -1 : 1;
}

void gt_frontier_sort_parked(struct gt_frontier *f)
{
	if (f->nparked > 1) {
		qsort(f->parked, f->nparked, sizeof(*f->parked), compare);
	}
}

bool gt_frontier_earliest(const struct gt_frontier *f, uint64_t *time)
{
	const struct gt_frontier_entry *least = gt_frontier_any(f) ? &f->first : NULL;

	for (size_t i = 0; i < f->nparked; i++) {
		if (least == NULL || gt_frontier_before(&f->parked[i].entry, least)) {
			least = &f->parked[i].entry;
		}
	}
	if (least != NULL) {
		*time = least->time;
	}
	return least != NULL;
}
