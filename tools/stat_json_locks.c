/*
 * The model as JSON: objects with their holders, circles of waits and of locks. The keys are
 * documented in docs/stat.md.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "facts.h"
#include "stat_json.h"

static void hold(struct gt_json *j, const struct gt_model *model, uint32_t index)
{
	const struct gt_model_hold_key *key = gt_set_key(&model->holds, index, NULL);
	const struct gt_model_hold *h = gt_set_value(&model->holds, index);

	gt_json_begin(j, '{');
	gt_stat_json_thread(j, model, "thread", key->thread);
	gt_stat_json_stack(j, model, key->stack);
	gt_stat_json_share(j, &h->share);
	gt_json_number(j, "held_ns", h->held);
	gt_json_number(j, "longest_ns", h->longest);
	gt_json_end(j, '}');
}

static void doing(struct gt_json *j, const struct gt_model *model, uint32_t index, uint64_t ns)
{
	static const char *const states[] = {
		[0] = NULL,
		[GT_SPAN_RUNNING] = "running",
		[GT_SPAN_RUNNABLE] = "runnable",
		[GT_SPAN_WAIT] = "waiting",
		[GT_SPAN_SYSCALL] = "call",
	};
	const struct gt_model_doing_key *key = gt_set_key(&model->doings, index, NULL);
	struct gt_call_name room;

	gt_json_begin(j, '{');
	gt_json_string(j, "state", states[key->kind]);
	if (key->kind == GT_SPAN_WAIT) {
		gt_json_string(j, "reason", gt_model_name(model, (uint32_t)key->what));
	} else if (key->kind == GT_SPAN_SYSCALL && key->what != 0) {
		gt_json_string(j, "call", gt_call_name(key->what, &room));
	}
	gt_json_number(j, "total_ns", ns);
	gt_json_end(j, '}');
}

static void site(struct gt_json *j, const struct gt_model *model, uint32_t index)
{
	const struct gt_model_site_key *key = gt_set_key(&model->sites, index, NULL);

	gt_json_string(j, "reason", gt_model_name(model, key->reason));
	gt_stat_json_stack(j, model, key->stack);
}

/* All holds by object, the longest first: an index of them would serve this one loop. */
static int by_object(const void *x, const void *y, void *data)
{
	const struct gt_model *model = data;
	const uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;
	const struct gt_model_hold_key *a = gt_set_key(&model->holds, i, NULL);
	const struct gt_model_hold_key *b = gt_set_key(&model->holds, k, NULL);
	const struct gt_model_hold *p = gt_set_value(&model->holds, i);
	const struct gt_model_hold *q = gt_set_value(&model->holds, k);

	if (a->object != b->object) {
		return a->object < b->object ? -1 : 1;
	}
	if (p->share.total != q->share.total) {
		return p->share.total < q->share.total ? 1 : -1;
	}
	return (i > k) - (i < k);
}

struct holds {
	uint32_t *order;
	size_t *first; /* by object, and one more */
};

static struct holds holds_make(struct gt_model *model)
{
	const size_t n = model->holds.count;
	struct holds h = {
		.order = gt_alloc(n * sizeof(*h.order)),
		.first = gt_alloc((model->objects.count + 1) * sizeof(*h.first)),
	};
	size_t at = 0;

	for (uint32_t i = 0; i < n; i++) {
		h.order[i] = i;
	}
	qsort_r(h.order, n, sizeof(*h.order), by_object, model);
	for (uint32_t object = 0; object <= model->objects.count; object++) {
		while (at < n && ((const struct gt_model_hold_key *)gt_set_key(&model->holds,
									       h.order[at], NULL))
						 ->object < object) {
			at++;
		}
		h.first[object] = at;
	}
	return h;
}

static void object(struct gt_json *j, const struct gt_model *model, uint32_t index,
		   const struct holds *holds)
{
	const struct gt_model_object *o = gt_set_value(&model->objects, index);
	const uint32_t *doings;
	size_t n;

	gt_json_begin(j, '{');
	gt_json_number(j, "object",
		       *(const uint32_t *)gt_set_key(&model->objects, index, NULL) + 1);
	gt_json_string(j, "name",
		       gt_model_global(
			       model, *(const uint32_t *)gt_set_key(&model->objects, index, NULL)));
	gt_stat_json_object(j, gt_model_object(model, index));
	gt_stat_json_share(j, &o->share);
	gt_json_number(j, "p50_ns", gt_hist_part(&o->hist, 0.5));
	gt_json_number(j, "p99_ns", gt_hist_part(&o->hist, 0.99));
	gt_stat_json_ended(j, o->how);
	gt_json_key(j, "retakes");
	gt_json_begin(j, '{');
	gt_stat_json_share(j, &o->retakes);
	gt_stat_json_pairs(j, model, "threads", &model->object_retaker, index,
			   gt_stat_json_pair_thread);
	gt_json_end(j, '}');
	gt_stat_json_pairs(j, model, "threads", &model->object_thread, index,
			   gt_stat_json_pair_thread);
	gt_stat_json_pairs(j, model, "sites", &model->object_site, index, site);
	gt_stat_json_pairs(j, model, "owners", &model->object_owner, index,
			   gt_stat_json_pair_thread);
	gt_stat_json_pairs(j, model, "wakers", &model->object_waker, index,
			   gt_stat_json_pair_thread);
	gt_json_key(j, "holders");
	gt_json_begin(j, '[');
	for (size_t i = holds->first[index]; i < holds->first[index + 1]; i++) {
		hold(j, model, holds->order[i]);
	}
	gt_json_end(j, ']');
	gt_json_key(j, "doing");
	gt_json_begin(j, '[');
	doings = gt_model_pairs_of(&model->object_doing, index, &n);
	for (size_t i = 0; i < n; i++) {
		doing(j, model, gt_model_pair(&model->object_doing, doings[i])->b,
		      gt_model_share(&model->object_doing, doings[i])->total);
	}
	gt_json_end(j, ']');
	gt_json_end(j, '}');
}

void gt_stat_json_objects(struct gt_json *j, struct gt_model *model)
{
	uint32_t *order = gt_model_longest(&model->objects);
	struct holds holds = holds_make(model);

	gt_json_key(j, "objects");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->objects.count; i++) {
		object(j, model, order[i], &holds);
	}
	gt_json_end(j, ']');
	free(order);
	free(holds.order);
	free(holds.first);
}

/* The number of an object of the spans. */
static void number(struct gt_json *j, const char *name, uint32_t object)
{
	if (object == GT_SPAN_NONE) {
		gt_json_word(j, name, "null");
	} else {
		gt_json_number(j, name, object + 1);
	}
}

static uint32_t lock_object(const struct gt_model *model, uint32_t lock)
{
	return *(const uint32_t *)gt_set_value(&model->locks, lock);
}

static void waiting(struct gt_json *j, const struct gt_model *model)
{
	gt_json_key(j, "waiting");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->nstuck; i++) {
		const struct gt_model_stuck *s = &model->stuck[i];

		gt_json_begin(j, '{');
		gt_stat_json_thread(j, model, "thread", s->thread);
		gt_json_string(j, "reason", gt_model_name(model, s->reason));
		gt_stat_json_stack(j, model, s->stack);
		gt_json_number(j, "since_ns", s->since - model->begin);
		number(j, "object", s->object);
		gt_stat_json_thread(j, model, "owner", s->owner);
		if (s->cycle != 0) {
			gt_json_number(j, "deadlock", s->cycle);
		} else {
			gt_json_word(j, "deadlock", "null");
		}
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
}

void gt_stat_json_circles(struct gt_json *j, struct gt_model *model)
{
	gt_json_number(j, "deadlocks", model->cycles);
	waiting(j, model);
	gt_json_key(j, "orders");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->orders.count; i++) {
		const struct gt_model_order_key *key = gt_set_key(&model->orders, i, NULL);
		const struct gt_model_order *order = gt_set_value(&model->orders, i);

		gt_json_begin(j, '{');
		number(j, "held", lock_object(model, key->held));
		number(j, "wanted", lock_object(model, key->wanted));
		gt_json_number(j, "sure", order->sure);
		gt_json_number(j, "unsure", order->unsure);
		gt_stat_json_thread(j, model, "thread", order->thread);
		gt_json_boolean(j, "others", order->others);
		gt_stat_json_stack(j, model, order->stack);
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
	gt_json_key(j, "inversions");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < model->nrings; i++) {
		gt_json_begin(j, '[');
		for (size_t k = 0; k < model->rings[i].n; k++) {
			gt_json_put_number(j, lock_object(model, model->rings[i].locks[k]) + 1);
		}
		gt_json_end(j, ']');
	}
	gt_json_end(j, ']');
}
