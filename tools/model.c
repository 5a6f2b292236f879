/*
 * The model of a trace: its beginning and end, the sums, and the lists that views ask for.
 */
#include "model.h"

#include <stdlib.h>

/* Every set of pairs in a model, for what is done to all of them. */
static const size_t all_pairs[] = {
	offsetof(struct gt_model, site_thread),   offsetof(struct gt_model, site_object),
	offsetof(struct gt_model, site_owner),    offsetof(struct gt_model, site_waker),
	offsetof(struct gt_model, site_retake),   offsetof(struct gt_model, object_owner),
	offsetof(struct gt_model, object_waker),  offsetof(struct gt_model, call_thread),
	offsetof(struct gt_model, call_stack),    offsetof(struct gt_model, call_error),
	offsetof(struct gt_model, spin_thread),   offsetof(struct gt_model, spin_stack),
	offsetof(struct gt_model, thread_reason), offsetof(struct gt_model, group_reason),
};

static struct gt_model_pairs *pairs_at(struct gt_model *model, size_t i)
{
	return (struct gt_model_pairs *)(void *)((char *)model + all_pairs[i]);
}

struct gt_model *gt_model_create(void)
{
	struct gt_model *model = gt_alloc(sizeof(*model));
	const size_t share = sizeof(struct gt_model_share);

	model->names = gt_set_of(0);
	model->stacks = gt_set_of(0);
	model->sites = gt_set_of(sizeof(struct gt_model_site));
	model->groups = gt_set_of(sizeof(struct gt_model_group));
	model->objects = gt_set_of(share);
	model->wakes = gt_set_of(share);
	model->group_wakes = gt_set_of(share);
	model->calls = gt_set_of(sizeof(struct gt_model_call));
	model->spins = gt_set_of(share);
	model->about = gt_set_of(sizeof(uint64_t));
	model->owners = gt_set_of(share);
	for (size_t i = 0; i < GT_LEN(all_pairs); i++) {
		pairs_at(model, i)->set = gt_set_of(share);
	}
	gt_set_put(&model->stacks, "", 0);
	return model;
}

void gt_model_destroy(struct gt_model *model)
{
	if (model == NULL) {
		return;
	}
	for (size_t i = 0; i < model->nthreads; i++) {
		free(model->threads[i]->labels);
		free(model->threads[i]);
	}
	free(model->threads);
	free(model->frames);
	gt_set_fini(&model->names);
	gt_set_fini(&model->stacks);
	gt_set_fini(&model->sites);
	gt_set_fini(&model->groups);
	gt_set_fini(&model->objects);
	gt_set_fini(&model->wakes);
	gt_set_fini(&model->group_wakes);
	gt_set_fini(&model->owners);
	gt_set_fini(&model->calls);
	gt_set_fini(&model->spins);
	gt_set_fini(&model->about);
	for (size_t i = 0; i < GT_LEN(all_pairs); i++) {
		gt_set_fini(&pairs_at(model, i)->set);
		free(pairs_at(model, i)->order);
	}
	gt_idmap_fini(&model->by_g);
	gt_idmap_fini(&model->by_m);
	gt_idmap_fini(&model->ids);
	free(model);
}

const char *gt_model_name(const struct gt_model *model, uint32_t name)
{
	return name == GT_MODEL_NONE ? "" : gt_set_key(&model->names, name, NULL);
}

const uint32_t *gt_model_stack(const struct gt_model *model, uint32_t stack, size_t *n)
{
	const uint32_t *frames = gt_set_key(&model->stacks, stack, n);

	*n /= sizeof(*frames);
	return frames;
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
	uint32_t routine = model->threads[thread]->routine;

	return gt_set_put(&model->groups, &routine, sizeof(routine));
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
	for (size_t i = 0; i < model->nthreads; i++) {
		struct gt_model_thread *t = model->threads[i];
		struct gt_model_group *group;
		uint32_t label;

		if (!t->seen) {
			continue;
		}
		/* As Go's pages: what is never seen with a stack is a thread of the runtime. */
		t->system |= t->routine == GT_MODEL_NONE;
		group = gt_set_value(&model->groups, gt_model_group(model, t->index));
		label = t->nlabels ? t->labels[t->nlabels - 1] : GT_MODEL_NONE;
		if (group->threads++ == 0) {
			group->first = t->index;
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
		for (unsigned how = 0; how < GT_MODEL_HOWS && !t->system; how++) {
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

		site->system &= model->threads[pair->b]->system;
		gt_model_pair_join(&model->thread_reason, pair->b, key->reason, share);
		gt_model_pair_join(&model->group_reason, gt_model_group(model, pair->b),
				   key->reason, share);
	}
	for (uint32_t i = 0; i < model->object_owner.set.count; i++) {
		const struct gt_model_pair *pair = gt_model_pair(&model->object_owner, i);
		const struct gt_model_object_key *key = gt_set_key(&model->objects, pair->a, NULL);

		/* A thread that is joined holds nothing. */
		if (key->kind != GT_OBJECT_THREAD) {
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

		if (model->threads[key.wakee]->system) {
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

void gt_model_end(struct gt_model *model)
{
	gt_model_close(model);
	sum_threads(model);
	sum_sites(model);
	sum_wakes(model);
	for (size_t i = 0; i < GT_LEN(all_pairs); i++) {
		pairs_at(model, i)->order = sorted(&pairs_at(model, i)->set, by_a);
	}
}

int gt_model_read(struct gt_model *model, struct gt_merge *t, struct gt_error *e)
{
	struct gt_event ev;
	int n;

	model->version = gt_merge_version(t);
	while ((n = gt_merge_next(t, &ev, e)) > 0) {
		gt_model_event(model, &ev, gt_merge_generation(t));
	}
	model->unread = gt_merge_unread(t);
	gt_model_end(model);
	return n;
}
