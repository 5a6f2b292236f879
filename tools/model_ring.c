/*
 * The model: circles. Of waits at the end of the trace, which is a deadlock, and of locks in the
 * order in which they were taken, which may become one.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

enum {
	RINGS = 32,    /* at most so many are looked for */
	EDGES = 20000, /* among so many pairs of locks */
};

/* --- Waits at the end ------------------------------------------------------------------------- */

static uint32_t waits_for(const struct gt_model *model, const uint32_t *place, uint32_t i)
{
	const uint32_t owner = model->stuck[i].owner;

	return owner == GT_SPAN_NONE ? GT_SPAN_NONE : place[owner];
}

/* Each thread waits for one other at most: what a walk comes back to is a circle. */
static void find_cycles(struct gt_model *model)
{
	uint32_t *place = gt_alloc(model->nthreads * sizeof(*place)); /* by thread, in stuck */
	uint32_t *walk = gt_alloc(model->nstuck * sizeof(*walk));     /* which walk was here */

	memset(place, 0xff, model->nthreads * sizeof(*place));
	memset(walk, 0xff, model->nstuck * sizeof(*walk));
	for (uint32_t i = 0; i < model->nstuck; i++) {
		place[model->stuck[i].thread] = i;
	}
	for (uint32_t start = 0; start < model->nstuck; start++) {
		uint32_t i = start;

		while (i != GT_SPAN_NONE && walk[i] == GT_SPAN_NONE) {
			walk[i] = start;
			i = waits_for(model, place, i);
		}
		if (i == GT_SPAN_NONE || walk[i] != start) {
			continue;
		}
		model->cycles++;
		do {
			model->stuck[i].cycle = model->cycles;
			i = waits_for(model, place, i);
		} while (model->stuck[i].cycle == 0);
	}
	free(place);
	free(walk);
}

/* --- Orders of locks -------------------------------------------------------------------------- */

struct search {
	struct gt_model *model;
	uint32_t *order; /* the pairs, by held */
	uint32_t *from;  /* by lock: the lock before it on the way, GT_SPAN_NONE: not been there */
	uint32_t *queue;
};

static const struct gt_model_order_key *pair(const struct gt_model *model, uint32_t i)
{
	return gt_set_key(&model->orders, i, NULL);
}

static bool is_sure(const struct gt_model *model, uint32_t i)
{
	return ((struct gt_model_order *)gt_set_value(&model->orders, i))->sure != 0;
}

static int by_held(const void *x, const void *y, void *model)
{
	const struct gt_model_order_key *a = pair(model, *(const uint32_t *)x);
	const struct gt_model_order_key *b = pair(model, *(const uint32_t *)y);

	return a->held != b->held ? (a->held > b->held) - (a->held < b->held)
				  : (a->wanted > b->wanted) - (a->wanted < b->wanted);
}

static size_t first_of(const struct search *s, uint32_t held)
{
	size_t from = 0, to = s->model->orders.count;

	while (from < to) {
		const size_t middle = from + (to - from) / 2;

		if (pair(s->model, s->order[middle])->held < held) {
			from = middle + 1;
		} else {
			to = middle;
		}
	}
	return from;
}

/* The shortest way from one lock to another, over pairs that are sure, that passes none below it.
 */
static bool find_way(struct search *s, uint32_t start, uint32_t goal)
{
	size_t head = 0, tail = 0;

	memset(s->from, 0xff, s->model->locks.count * sizeof(*s->from));
	s->from[start] = start;
	s->queue[tail++] = start;
	while (head < tail) {
		const uint32_t at = s->queue[head++];

		for (size_t i = first_of(s, at); i < s->model->orders.count; i++) {
			const struct gt_model_order_key *key = pair(s->model, s->order[i]);

			if (key->held != at) {
				break;
			}
			if (key->wanted < goal || s->from[key->wanted] != GT_SPAN_NONE ||
			    !is_sure(s->model, s->order[i])) {
				continue;
			}
			s->from[key->wanted] = at;
			if (key->wanted == goal) {
				return true;
			}
			s->queue[tail++] = key->wanted;
		}
	}
	return false;
}

/* One thread alone takes them as it likes. */
static bool of_one_thread(struct gt_model *model, const struct gt_model_ring *ring)
{
	uint32_t thread = GT_SPAN_NONE;

	for (size_t i = 0; i < ring->n; i++) {
		const struct gt_model_order *order = gt_model_order(model, ring, i);

		if (order->others || (thread != GT_SPAN_NONE && thread != order->thread)) {
			return false;
		}
		thread = order->thread;
	}
	return true;
}

static void add_ring(struct search *s, uint32_t first, uint32_t second)
{
	struct gt_model *model = s->model;
	struct gt_model_ring ring = {.n = 1};

	for (uint32_t at = s->from[first]; at != second; at = s->from[at]) {
		ring.n++;
	}
	ring.n++;
	ring.locks = gt_alloc(ring.n * sizeof(*ring.locks));
	ring.locks[0] = first;
	ring.locks[1] = second;
	for (uint32_t at = s->from[first], i = 1; at != second; at = s->from[at], i++) {
		ring.locks[ring.n - i] = at;
	}
	if (of_one_thread(model, &ring)) {
		free(ring.locks);
		return;
	}
	model->rings =
		gt_grow(model->rings, model->nrings, &model->rings_cap, sizeof(*model->rings));
	model->rings[model->nrings++] = ring;
}

static void find_rings(struct gt_model *model)
{
	const size_t n = model->orders.count;
	struct search s = {.model = model};

	if (n == 0 || n > EDGES) {
		return;
	}
	s.order = gt_alloc(n * sizeof(*s.order));
	s.from = gt_alloc(model->locks.count * sizeof(*s.from));
	s.queue = gt_alloc(model->locks.count * sizeof(*s.queue));
	for (uint32_t i = 0; i < n; i++) {
		s.order[i] = i;
	}
	qsort_r(s.order, n, sizeof(*s.order), by_held, model);
	for (size_t i = 0; i < n && model->nrings < RINGS; i++) {
		const struct gt_model_order_key *key = pair(model, s.order[i]);

		/* Each ring once: from the lock of it that was seen first. */
		if (is_sure(model, s.order[i]) && key->held < key->wanted &&
		    find_way(&s, key->wanted, key->held)) {
			add_ring(&s, key->held, key->wanted);
		}
	}
	free(s.order);
	free(s.from);
	free(s.queue);
}

const struct gt_model_order *gt_model_order(struct gt_model *model,
					    const struct gt_model_ring *ring, size_t i)
{
	const struct gt_model_order_key key = {ring->locks[i], ring->locks[(i + 1) % ring->n]};

	return gt_set_get(&model->orders, &key, sizeof(key));
}

void gt_model_rings(struct gt_model *model)
{
	find_cycles(model);
	find_rings(model);
}
