/*
 * The model of a trace: its beginning and end, the sums, and the lists that views ask for.
 */
#include "model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every set of pairs in a model, for what is done to all of them. */
static const size_t all_pairs[] = {
	offsetof(struct gt_model, site_thread),        offsetof(struct gt_model, site_object),
	offsetof(struct gt_model, site_owner),         offsetof(struct gt_model, site_waker),
	offsetof(struct gt_model, site_retake),        offsetof(struct gt_model, object_owner),
	offsetof(struct gt_model, object_waker),       offsetof(struct gt_model, object_site),
	offsetof(struct gt_model, object_thread),      offsetof(struct gt_model, hold_thread),
	offsetof(struct gt_model, hold_stack),         offsetof(struct gt_model, object_doing),
	offsetof(struct gt_model, call_thread),        offsetof(struct gt_model, call_stack),
	offsetof(struct gt_model, call_error),         offsetof(struct gt_model, spin_thread),
	offsetof(struct gt_model, spin_stack),         offsetof(struct gt_model, thread_reason),
	offsetof(struct gt_model, group_reason),       offsetof(struct gt_model, object_retaker),
	offsetof(struct gt_model, object_retake_site),
};

static struct gt_model_pairs *pairs_at(struct gt_model *model, size_t i)
{
	return (struct gt_model_pairs *)(void *)((char *)model + all_pairs[i]);
}

struct gt_model *gt_model_create(void)
{
	struct gt_model *model = gt_alloc(sizeof(*model));
	const size_t share = sizeof(struct gt_model_share);

	model->spans = gt_spans_open(NULL, 0);
	model->sites = gt_set_of(sizeof(struct gt_model_site));
	model->groups = gt_set_of(sizeof(struct gt_model_group));
	model->objects = gt_set_of(sizeof(struct gt_model_object));
	model->locks = gt_set_of(sizeof(uint32_t));
	model->holds = gt_set_of(sizeof(struct gt_model_hold));
	model->plain = gt_set_of(sizeof(char *));
	model->globals = gt_globals_create();
	model->doings = gt_set_of(share);
	model->orders = gt_set_of(sizeof(struct gt_model_order));
	model->lock_state = gt_model_locks_create();
	model->cut.window = GT_WINDOW_ALL;
	model->to = UINT64_MAX;
	model->wakes = gt_set_of(share);
	model->group_wakes = gt_set_of(share);
	model->calls = gt_set_of(sizeof(struct gt_model_call));
	model->spins = gt_set_of(share);
	model->about = gt_set_of(sizeof(uint64_t));
	model->owners = gt_set_of(share);
	for (size_t i = 0; i < GT_LEN(all_pairs); i++) {
		pairs_at(model, i)->set = gt_set_of(share);
	}
	gt_lists_put(&model->stacks, NULL, 0);
	return model;
}

void gt_model_destroy(struct gt_model *model)
{
	if (model == NULL) {
		return;
	}
	free(model->threads);
	free(model->stack_of);
	free(model->stuck);
	for (size_t i = 0; i < model->nrings; i++) {
		free(model->rings[i].locks);
	}
	free(model->rings);
	for (size_t i = 0; i < model->sites.count; i++) {
		gt_hist_fini(&((struct gt_model_site *)gt_set_value(&model->sites, i))->hist);
	}
	for (size_t i = 0; i < model->objects.count; i++) {
		gt_hist_fini(&((struct gt_model_object *)gt_set_value(&model->objects, i))->hist);
	}
	for (size_t i = 0; i < model->calls.count; i++) {
		gt_hist_fini(&((struct gt_model_call *)gt_set_value(&model->calls, i))->hist);
	}
	gt_lists_fini(&model->stacks);
	gt_set_fini(&model->sites);
	gt_set_fini(&model->groups);
	gt_set_fini(&model->objects);
	gt_set_fini(&model->wakes);
	gt_set_fini(&model->group_wakes);
	gt_set_fini(&model->owners);
	for (size_t i = 0; i < model->plain.count; i++) {
		free(*(char **)gt_set_value(&model->plain, i));
	}
	gt_set_fini(&model->plain);
	gt_globals_destroy(model->globals);
	gt_set_fini(&model->locks);
	gt_set_fini(&model->holds);
	gt_set_fini(&model->doings);
	gt_set_fini(&model->orders);
	gt_model_locks_destroy(model->lock_state);
	gt_set_fini(&model->calls);
	gt_set_fini(&model->spins);
	gt_set_fini(&model->about);
	free(model->broken.array);
	for (size_t i = 0; i < GT_LEN(all_pairs); i++) {
		gt_set_fini(&pairs_at(model, i)->set);
		free(pairs_at(model, i)->order);
	}
	gt_spans_close(model->spans);
	free(model);
}

struct gt_model_thread *gt_model_thread(struct gt_model *model, uint32_t thread)
{
	while (thread >= model->nthreads) {
		model->threads = gt_grow(model->threads, model->nthreads, &model->threads_cap,
					 sizeof(*model->threads));
		model->threads[model->nthreads] = (struct gt_model_thread){
			.is = gt_spans_thread(model->spans, (uint32_t)model->nthreads),
			.entry = GT_MODEL_NONE,
		};
		model->nthreads++;
	}
	return &model->threads[thread];
}

const char *gt_model_name(const struct gt_model *model, uint32_t name)
{
	return gt_spans_string(model->spans, name, NULL);
}

uint32_t gt_model_stack_of(struct gt_model *model, uint32_t stack)
{
	const struct gt_span_frame *frames;
	uint32_t names[GT_LISTS_MAX];
	size_t n;

	if (stack >= model->nstack_of) {
		const size_t more = GT_MAX(2 * (size_t)stack, 64);

		model->stack_of = gt_realloc(model->stack_of, more * sizeof(*model->stack_of));
		memset(model->stack_of + model->nstack_of, 0,
		       (more - model->nstack_of) * sizeof(*model->stack_of));
		model->nstack_of = more;
	}
	if (model->stack_of[stack] == 0) {
		frames = gt_spans_stack(model->spans, stack, &n);
		for (size_t i = 0; i < n; i++) {
			names[i] = frames[i].func;
		}
		model->stack_of[stack] = gt_lists_put(&model->stacks, names, n) + 1;
	}
	return model->stack_of[stack] - 1;
}

size_t gt_model_stack(const struct gt_model *model, uint32_t stack, uint32_t names[GT_LISTS_MAX])
{
	return gt_lists_get(&model->stacks, stack, names);
}

const char *gt_model_plain(const struct gt_model *model, uint32_t name)
{
	struct gt_set *set = (struct gt_set *)&model->plain; /* NOLINT: a cache */
	const char *text;
	size_t before = set->count, size;
	uint32_t index;
	char **plain;

	if (name == GT_MODEL_NONE) {
		return "";
	}
	text = gt_spans_string(model->spans, name, &size);
	index = gt_set_put(set, &name, sizeof(name));
	plain = gt_set_value(set, index);
	if (index == before) {
		*plain = gt_name_plain(text, size);
	}
	return *plain != NULL ? *plain : text;
}

uint32_t gt_model_label(const struct gt_model *model, uint32_t thread)
{
	const struct gt_span_thread *t = model->threads[thread].is;

	return t->nlabels ? t->labels[t->nlabels - 1] : GT_MODEL_NONE;
}

const struct gt_span_object *gt_model_object(const struct gt_model *model, uint32_t object)
{
	const uint32_t *index = gt_set_key(&model->objects, object, NULL);

	return gt_spans_object(model->spans, *index);
}

/* --- Orders ----------------------------------------------------------------------------------- */

/* For qsort_r: positive if the first comes later. */
static int by_total(const void *x, const void *y, void *set)
{
	const uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
	const struct gt_model_share *a = gt_set_value(set, i);
	const struct gt_model_share *b = gt_set_value(set, j);

	if (a->total != b->total) {
		return a->total < b->total ? 1 : -1;
	}
	if (a->waits != b->waits) {
		return a->waits < b->waits ? 1 : -1;
	}
	return (i > j) - (i < j);
}

static int by_a(const void *x, const void *y, void *set)
{
	const struct gt_model_pair *a = gt_set_key(set, *(const uint32_t *)x, NULL);
	const struct gt_model_pair *b = gt_set_key(set, *(const uint32_t *)y, NULL);

	return a->a != b->a ? (a->a > b->a) - (a->a < b->a) : by_total(x, y, set);
}

static uint32_t *sorted(const struct gt_set *set,
			int (*compare)(const void *, const void *, void *))
{
	uint32_t *order = gt_alloc(set->count * sizeof(*order));

	for (size_t i = 0; i < set->count; i++) {
		order[i] = (uint32_t)i;
	}
	qsort_r(order, set->count, sizeof(*order), compare, (void *)set); /* NOLINT: not written */
	return order;
}

uint32_t *gt_model_longest(const struct gt_set *set)
{
	return sorted(set, by_total);
}

const struct gt_model_pair *gt_model_pair(const struct gt_model_pairs *pairs, uint32_t index)
{
	return gt_set_key(&pairs->set, index, NULL);
}

const struct gt_model_share *gt_model_share(const struct gt_model_pairs *pairs, uint32_t index)
{
	return gt_set_value(&pairs->set, index);
}

/* How many pairs have an a that is less. */
static size_t less_than(const struct gt_model_pairs *pairs, uint64_t a)
{
	size_t from = 0, to = pairs->set.count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (gt_model_pair(pairs, pairs->order[middle])->a < a) {
			from = middle + 1;
		} else {
			to = middle;
		}
	}
	return from;
}

const uint32_t *gt_model_pairs_of(const struct gt_model_pairs *pairs, uint32_t a, size_t *n)
{
	size_t from = less_than(pairs, a);

	*n = less_than(pairs, (uint64_t)a + 1) - from;
	return pairs->order + from;
}

/* --- Sums ------------------------------------------------------------------------------------- */

uint32_t gt_model_group(struct gt_model *model, uint32_t thread)
{
	const uint32_t entry = model->threads[thread].entry;

	return gt_set_put(&model->groups, &entry, sizeof(entry));
}

void gt_model_share_add(struct gt_model_share *share, uint64_t ns)
{
	share->waits++;
	share->total += ns;
	share->max = GT_MAX(share->max, ns);
}

void gt_model_pair_add(struct gt_model_pairs *pairs, uint32_t a, uint32_t b, uint64_t ns)
{
	const struct gt_model_pair key = {a, b};

	gt_model_share_add(gt_set_get(&pairs->set, &key, sizeof(key)), ns);
}

void gt_model_share_join(struct gt_model_share *to, const struct gt_model_share *share)
{
	to->waits += share->waits;
	to->total += share->total;
	to->max = GT_MAX(to->max, share->max);
}

void gt_model_pair_join(struct gt_model_pairs *pairs, uint32_t a, uint32_t b,
			const struct gt_model_share *share)
{
	const struct gt_model_pair key = {a, b};

	gt_model_share_join(gt_set_get(&pairs->set, &key, sizeof(key)), share);
}

static void sum_threads(struct gt_model *model)
{
	for (uint32_t i = 0; i < model->nthreads; i++) {
		struct gt_model_thread *t = &model->threads[i];
		struct gt_model_group *group;
		uint32_t label;

		if (!t->is->seen) {
			continue;
		}
		t->system = gt_spans_is_system(model->spans, i);
		if (t->entry == GT_MODEL_NONE) {
			t->entry = t->is->routine;
		}
		group = gt_set_value(&model->groups, gt_model_group(model, i));
		label = gt_model_label(model, i);
		if (group->threads++ == 0) {
			group->first = i;
			group->label = label;
		} else if (group->label != label) {
			group->label = GT_MODEL_NONE;
		}
		group->system = t->system;
		group->running += t->running;
		group->runnable += t->runnable;
		group->waiting += t->waiting;
		group->syscall += t->syscall;
		group->syscall_blocked += t->syscall_blocked;
		group->blocks += t->blocks;
		group->syscalls += t->syscalls;
		group->yields += t->yields;
		group->yields_ns += t->yields_ns;
		model->systems += t->system;
		model->users += !t->system;
		for (unsigned how = 0; how < GT_SPAN_HOWS && !t->system; how++) {
			model->how[how] += t->how[how];
		}
	}
}

static void sum_sites(struct gt_model *model)
{
	for (size_t i = 0; i < model->sites.count; i++) {
		((struct gt_model_site *)gt_set_value(&model->sites, i))->system = true;
	}
	for (uint32_t i = 0; i < model->site_thread.set.count; i++) {
		const struct gt_model_pair *pair = gt_model_pair(&model->site_thread, i);
		const struct gt_model_share *share = gt_model_share(&model->site_thread, i);
		struct gt_model_site *site = gt_set_value(&model->sites, pair->a);
		const struct gt_model_site_key *key = gt_set_key(&model->sites, pair->a, NULL);

		site->system &= model->threads[pair->b].system;
		gt_model_pair_join(&model->thread_reason, pair->b, key->reason, share);
		gt_model_pair_join(&model->group_reason, gt_model_group(model, pair->b),
				   key->reason, share);
	}
	for (uint32_t i = 0; i < model->object_owner.set.count; i++) {
		const struct gt_model_pair *pair = gt_model_pair(&model->object_owner, i);
		const struct gt_span_object *object = gt_model_object(model, pair->a);

		/* A thread that is joined holds nothing. */
		if (object->kind != GT_OBJECT_THREAD) {
			gt_model_share_join(gt_set_get(&model->owners, &pair->b, sizeof(pair->b)),
					    gt_model_share(&model->object_owner, i));
		}
	}
	for (uint32_t i = 0; i < model->site_retake.set.count; i++) {
		const struct gt_model_pair *pair = gt_model_pair(&model->site_retake, i);

		if (pair->b != GT_MODEL_NONE) {
			gt_model_share_join(gt_set_get(&model->owners, &pair->b, sizeof(pair->b)),
					    gt_model_share(&model->site_retake, i));
		}
	}
}

static void sum_wakes(struct gt_model *model)
{
	for (size_t i = 0; i < model->wakes.count; i++) {
		struct gt_model_wake_key key =
			*(const struct gt_model_wake_key *)gt_set_key(&model->wakes, i, NULL);

		if (model->threads[key.wakee].system) {
			continue;
		}
		key.wakee = gt_model_group(model, key.wakee);
		if (key.waker != GT_MODEL_NONE) {
			key.waker = gt_model_group(model, key.waker);
		}
		gt_model_share_join(gt_set_get(&model->group_wakes, &key, sizeof(key)),
				    gt_set_value(&model->wakes, i));
	}
}

static void sum_locks(struct gt_model *model)
{
	for (uint32_t i = 0; i < model->holds.count; i++) {
		const struct gt_model_hold_key *key = gt_set_key(&model->holds, i, NULL);
		const struct gt_model_share *share = gt_set_value(&model->holds, i);

		gt_model_pair_join(&model->hold_thread, key->object, key->thread, share);
		gt_model_pair_join(&model->hold_stack, key->object, key->stack, share);
	}
	for (uint32_t i = 0; i < model->doings.count; i++) {
		const struct gt_model_doing_key *key = gt_set_key(&model->doings, i, NULL);

		gt_model_pair_join(&model->object_doing, key->object, i,
				   gt_set_value(&model->doings, i));
	}
}

void gt_model_end(struct gt_model *model)
{
	const uint32_t threads = gt_spans_threads(model->spans);

	model->by_gtrace = gt_spans_by_gtrace(model->spans);
	model->begin = gt_spans_begin(model->spans);
	model->end = gt_spans_end(model->spans);
	if (threads != 0) {
		gt_model_thread(model, threads - 1);
	}
	sum_threads(model);
	sum_sites(model);
	sum_wakes(model);
	gt_model_locks_end(model);
	gt_model_rings(model);
	sum_locks(model);
	for (size_t i = 0; i < GT_LEN(all_pairs); i++) {
		pairs_at(model, i)->order = sorted(&pairs_at(model, i)->set, by_a);
	}
}
