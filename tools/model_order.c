/*
 * The model: in which order locks are taken.
 */
#include "model_party.h"

static void ordered(struct gt_model *model, uint32_t held, uint32_t wanted, uint32_t thread,
		    uint32_t stack, bool sure)
{
	const struct gt_model_order_key key = {held, wanted};
	struct gt_model_order *order;

	if (held == wanted) {
		return;
	}
	order = gt_set_get(&model->orders, &key, sizeof(key));
	if (order->sure == 0 && (sure || order->unsure == 0)) {
		order->thread = thread;
		order->stack = gt_model_stack_of(model, stack);
	}
	order->sure += sure;
	order->unsure += !sure;
	order->others |= order->thread != thread;
}

/* The owner of what this one waits for wants a lock, from this stack of the spans. */
static void want(struct gt_party *waiter, const struct gt_party *owner, uint32_t lock,
		 uint32_t stack)
{
	if (waiter->nwanted < GT_PARTY_WANTED) {
		waiter->wanted[waiter->nwanted++] =
			(struct gt_party_wanted){lock, owner->waits, stack};
	}
}

/* thread begins to wait for an object: what it has meanwhile, and what the object's owner wants. */
void gt_model_order_begin(struct gt_model *model, uint32_t thread, const struct gt_span *now)
{
	struct gt_model_locks *l = model->lock_state;
	const uint32_t lock = gt_lock_queue_of(model, now->object)->lock - 1;
	struct gt_party *p = gt_party_of(l, thread), *owner;

	for (uint32_t w = p->waiters; w != GT_SPAN_NONE; w = l->parties[w].next) {
		/* Somebody else was seen with it since: then it is not this one's any more. */
		if (*gt_lock_owner_of(model, l->parties[w].object) == thread) {
			want(&l->parties[w], p, lock, now->stack);
		}
	}
	if (now->owner != GT_SPAN_NONE) {
		const struct gt_span *its = gt_spans_now(model->spans, now->owner);

		owner = gt_party_of(l, now->owner);
		if (its != NULL && owner->object != GT_SPAN_NONE) {
			want(&l->parties[thread], owner,
			     gt_lock_queue_of(model, owner->object)->lock - 1, its->stack);
		}
	}
}

/* Whether wait is inside of what unlock ends: see the head of model_lock.h. */
static bool is_inside(const struct gt_model *model, uint32_t wait, uint32_t unlock)
{
	size_t n, m, own = 0;
	const struct gt_span_frame *u = gt_spans_stack(model->spans, unlock, &n);
	const struct gt_span_frame *w = gt_spans_stack(model->spans, wait, &m);

	while (own < n && gt_name_is_plumbing(gt_model_name(model, u[own].func))) {
		own++;
	}
	if (own == n || n - own > m || w[m - (n - own)].func != u[own].func) {
		return false;
	}
	for (size_t i = 1; i < n - own; i++) {
		if (w[m - i].pc != u[n - i].pc) {
			return false;
		}
	}
	return true;
}

/* The wait of this one is over by its owner's unlock at this stack; GT_SPAN_NONE: it lasts. */
void gt_model_order_end(struct gt_model *model, const struct gt_party *waiter, uint32_t unlock)
{
	const uint32_t held = gt_lock_queue_of(model, waiter->object)->lock - 1;
	const struct gt_party *owner = &model->lock_state->parties[waiter->owner];

	for (unsigned i = 0; i < waiter->nwanted; i++) {
		const struct gt_party_wanted *w = &waiter->wanted[i];
		const bool lasts = owner->waits == w->wait && owner->object != GT_SPAN_NONE;

		if (lasts == (unlock == GT_SPAN_NONE)) {
			ordered(model, held, w->lock, waiter->owner, w->stack,
				lasts || is_inside(model, w->stack, unlock));
		}
	}
}
