/*
 * The model: holders of locks, and the order in which locks are taken.
 */
#include "model_lock.h"

#include <stdlib.h>
#include <string.h>

#include "model_party.h"

bool gt_object_has_holder(uint64_t kind)
{
	return kind == GT_OBJECT_MUTEX || kind == GT_OBJECT_RWLOCK_READ ||
	       kind == GT_OBJECT_RWLOCK_WRITE || kind == GT_OBJECT_ONCE || kind == GT_OBJECT_SPIN;
}

struct gt_model_locks *gt_model_locks_create(void)
{
	return gt_alloc(sizeof(struct gt_model_locks));
}

void gt_model_locks_destroy(struct gt_model_locks *locks)
{
	for (size_t i = 0; i < locks->nparties; i++) {
		free(locks->parties[i].recent.spans);
		free(locks->parties[i].longer.spans);
	}
	for (size_t i = 0; i < locks->nqueues; i++) {
		free(locks->queues[i].releases);
	}
	free(locks->parties);
	free(locks->queues);
	free(locks->mutexes);
	free(locks->owners);
	free(locks);
}

struct gt_party *gt_party_of(struct gt_model_locks *l, uint32_t thread)
{
	if (thread >= l->nparties) {
		const size_t n = GT_MAX(2 * (size_t)thread, 16);

		l->parties = gt_realloc(l->parties, n * sizeof(*l->parties));
		for (size_t i = l->nparties; i < n; i++) {
			l->parties[i] = (struct gt_party){.object = GT_SPAN_NONE,
							  .owner = GT_SPAN_NONE,
							  .told = GT_SPAN_NONE,
							  .waiters = GT_SPAN_NONE};
		}
		l->nparties = n;
	}
	return &l->parties[thread];
}

/* The queue of an object of the spans. */
struct gt_lock_queue *gt_lock_queue_of(struct gt_model *model, uint32_t object)
{
	struct gt_model_locks *l = model->lock_state;
	const struct gt_span_object *o = gt_spans_object(model->spans, object);
	const struct gt_model_lock_key key = {o->address, o->epoch};
	struct gt_lock_queue *queue;

	if (object >= l->nqueues) {
		const size_t n = GT_MAX(2 * (size_t)object, 16);

		l->queues = gt_realloc(l->queues, n * sizeof(*l->queues));
		for (size_t i = l->nqueues; i < n; i++) {
			l->queues[i] = (struct gt_lock_queue){0};
		}
		l->nqueues = n;
	}
	queue = &l->queues[object];
	if (queue->lock == 0) {
		queue->lock = gt_set_put(&model->locks, &key, sizeof(key)) + 1;
		*(uint32_t *)gt_set_value(&model->locks, queue->lock - 1) = object;
	}
	if (queue->lock > l->nowners) {
		const size_t n = 2 * (size_t)queue->lock + 16;

		l->owners = gt_realloc(l->owners, n * sizeof(*l->owners));
		for (size_t i = l->nowners; i < n; i++) {
			l->owners[i] = GT_SPAN_NONE;
		}
		l->nowners = n;
	}
	return queue;
}

uint32_t *gt_lock_owner_of(struct gt_model *model, uint32_t object)
{
	const uint32_t lock = gt_lock_queue_of(model, object)->lock - 1;

	return &model->lock_state->owners[lock];
}

/* --- Waits --------------------------------------------------------------------------------------
 */

static uint64_t in_window(const struct gt_model *model, uint64_t time)
{
	return GT_MIN(GT_MAX(time, model->from), model->to);
}

/* Everybody that waits for it is charged up to this moment. */
static uint64_t settle(struct gt_lock_queue *q, uint64_t now)
{
	const uint64_t ns = q->waiters * now - q->starts;

	q->starts = q->waiters * now;
	q->first = now;
	return ns;
}

/* --- Lists of waiters ------------------------------------------------------------------------- */

static void list_add(struct gt_model_locks *l, uint32_t thread, uint32_t owner)
{
	struct gt_party *o = gt_party_of(l, GT_MAX(owner, thread)); /* both have room now */
	struct gt_party *p = &l->parties[thread];

	o = &l->parties[owner];
	p->owner = owner;
	p->waiter_before = GT_SPAN_NONE;
	p->next = o->waiters;
	if (p->next != GT_SPAN_NONE) {
		l->parties[p->next].waiter_before = thread;
	}
	o->waiters = thread;
}

static void list_remove(struct gt_model_locks *l, uint32_t thread)
{
	struct gt_party *p = &l->parties[thread];

	if (p->owner == GT_SPAN_NONE) {
		return;
	}
	if (p->waiter_before == GT_SPAN_NONE) {
		l->parties[p->owner].waiters = p->next;
	} else {
		l->parties[p->waiter_before].next = p->next;
	}
	if (p->next != GT_SPAN_NONE) {
		l->parties[p->next].waiter_before = p->waiter_before;
	}
	p->owner = GT_SPAN_NONE;
}

/* --- Events ----------------------------------------------------------------------------------- */

static void blocks(struct gt_model *model, uint32_t thread)
{
	struct gt_model_locks *l = model->lock_state;
	const struct gt_span *now = gt_spans_now(model->spans, thread);
	struct gt_party *p = gt_party_of(l, thread);
	struct gt_lock_queue *q;

	p->object = GT_SPAN_NONE;
	p->told = GT_SPAN_NONE;
	p->nwanted = 0;
	if (now == NULL || now->object == GT_SPAN_NONE ||
	    !gt_object_has_holder(gt_spans_object(model->spans, now->object)->kind)) {
		return;
	}
	q = gt_lock_queue_of(model, now->object);
	p->object = now->object;
	p->since = in_window(model, now->begin);
	p->waits++;
	p->counts = gt_model_wants(model, thread, now->object);
	if (p->counts) {
		q->first = q->waiters == 0 ? p->since : GT_MIN(q->first, p->since);
		q->waiters++;
		q->starts += p->since;
	}
	if (now->owner != GT_SPAN_NONE) {
		*gt_lock_owner_of(model, now->object) = now->owner;
	}
	gt_model_order_begin(model, thread, now);
	if (now->owner != GT_SPAN_NONE) {
		list_add(l, thread, now->owner);
	}
}

/* A wait ends: by its waker's unlock all waits are charged, else this one alone. */
static void leave(struct gt_model *model, const struct gt_party *p, uint32_t waker, uint32_t stack,
		  uint64_t time)
{
	struct gt_lock_queue *q = gt_lock_queue_of(model, p->object);
	struct gt_blame blame = {
		.object = p->object,
		.begin = q->first,
		.end = GT_MAX(in_window(model, time), q->first),
		.times = p->counts && time >= model->from && time <= model->to,
		.thread = waker,
		.stack = stack,
	};

	if (q->waiters == 0) {
		return;
	}
	if (waker != GT_SPAN_NONE) {
		blame.ns = settle(q, blame.end);
		q->starts -= p->counts ? blame.end : 0;
	} else if (p->counts) {
		/* Its time was over; or who let it go is not known. */
		blame.begin = GT_MAX(p->since, q->first);
		blame.ns = blame.end - blame.begin;
		q->starts -= blame.begin;
	}
	q->waiters -= p->counts;
	gt_blame(model, &blame);
}

/* The wait of a thread is over. posted: the waker wrote that, at the time of its unlock. */
static void unblocked(struct gt_model *model, uint32_t thread, uint32_t waker, uint32_t stack,
		      uint64_t time, bool posted)
{
	struct gt_model_locks *l = model->lock_state;
	struct gt_party *p = gt_party_of(l, thread);

	if (p->object == GT_SPAN_NONE) {
		return;
	}
	leave(model, p, waker, gt_model_stack_of(model, stack), time);
	if (waker != GT_SPAN_NONE) {
		*gt_lock_owner_of(model, p->object) = thread;
	}
	if (waker != GT_SPAN_NONE && waker == p->owner && posted) {
		gt_model_order_end(model, p, stack);
	}
	list_remove(l, thread);
	p->object = GT_SPAN_NONE;
}

static void event(struct gt_model *model, const struct gt_event *ev)
{
	struct gt_spans *spans = model->spans;
	uint32_t thread, waker;
	bool posted;

	if (ev->kind == GT_FACT && ev->number == GT_FACT_WAIT_END) {
		thread = gt_spans_by_id(spans, ev->args[0]);
		gt_party_of(model->lock_state, thread)->told =
			ev->args[3] ? gt_spans_by_id(spans, ev->args[3]) : GT_SPAN_NONE;
	}
	if (ev->kind != GT_TIMED) {
		return;
	}
	if (ev->number == GT_EV_GO_BLOCK) {
		blocks(model, gt_spans_by_id(spans, ev->g));
	} else if (ev->number == GT_EV_GO_UNBLOCK) {
		thread = gt_spans_by_id(spans, ev->args[0]);
		/*
		 * As span.c does. A fact that comes later mostly says the same. A waiter that
		 * writes its unblock itself has said before who woke it, if it knows.
		 */
		waker = ev->g != GT_NO_G ? gt_spans_by_id(spans, ev->g)
					 : gt_spans_by_m(spans, ev->m);
		posted = waker != thread && waker != GT_SPAN_NONE;
		if (!posted) {
			waker = gt_party_of(model->lock_state, thread)->told;
		}
		unblocked(model, thread, waker, gt_spans_stack_of(spans, ev->args[2]), ev->time,
			  posted);
	}
}

static void stuck(struct gt_model *model, const struct gt_span *span)
{
	uint32_t owner = span->owner;

	if (span->object != GT_SPAN_NONE &&
	    gt_object_has_holder(gt_spans_object(model->spans, span->object)->kind)) {
		owner = *gt_lock_owner_of(model, span->object);
	}
	model->stuck =
		gt_grow(model->stuck, model->nstuck, &model->stuck_cap, sizeof(*model->stuck));
	model->stuck[model->nstuck++] = (struct gt_model_stuck){
		.thread = span->thread,
		.reason = span->reason,
		.stack = gt_model_stack_of(model, span->stack),
		.object = span->object,
		.owner = owner,
		.since = span->begin,
	};
}

void gt_model_locks_span(struct gt_model *model, const struct gt_span *span)
{
	struct gt_party *p;

	if (span->kind == GT_SPAN_EVENT) {
		event(model, span->event);
		return;
	}
	if (span->kind == GT_SPAN_CALL) {
		return;
	}
	p = gt_party_of(model->lock_state, span->thread);
	gt_blame_remember(p, span);
	if (span->kind == GT_SPAN_WAIT && span->open) {
		stuck(model, span);
	}
}

static void goes_with(struct gt_model_locks *l, uint32_t condition, uint32_t mutex)
{
	if (condition >= l->nmutexes) {
		const size_t n = GT_MAX(2 * (size_t)condition, 16);

		l->mutexes = gt_realloc(l->mutexes, n * sizeof(*l->mutexes));
		memset(l->mutexes + l->nmutexes, 0, (n - l->nmutexes) * sizeof(*l->mutexes));
		l->nmutexes = n;
	}
	l->mutexes[condition] = mutex + 1;
}

void gt_model_locks_retake(struct gt_model *model, const struct gt_span *span)
{
	struct gt_model_object *object =
		gt_set_get(&model->objects, &span->retake_object, sizeof(span->retake_object));

	if (span->object != GT_SPAN_NONE) {
		goes_with(model->lock_state, span->object, span->retake_object);
	}
	gt_model_share_add(&object->retakes, span->retake);
	gt_hist_add(&object->hist, span->retake);
	/* Who signalled and had the mutex meanwhile: its unlock was not seen, but that was. */
	gt_blame(model, &(struct gt_blame){
				.object = span->retake_object,
				.begin = span->end - span->retake,
				.end = span->end,
				.ns = span->retake,
				.times = 1,
				.thread = span->retake_owner,
				.stack = span->retake_owner == span->waker
						 ? gt_model_stack_of(model, span->waker_stack)
						 : 0,
			});
}

/* What is waited for until the end is charged to who has it. */
void gt_model_locks_end(struct gt_model *model)
{
	struct gt_model_locks *l = model->lock_state;
	const uint64_t end = in_window(model, gt_spans_end(model->spans));

	for (uint32_t i = 0; i < l->nparties; i++) {
		struct gt_party *p = &l->parties[i];
		uint64_t since;
		uint32_t owner;

		if (p->object == GT_SPAN_NONE) {
			continue;
		}
		owner = *gt_lock_owner_of(model, p->object);
		since = GT_MAX(p->since, l->queues[p->object].first);
		if (p->counts && since <= end) {
			gt_blame(model, &(struct gt_blame){.object = p->object,
							   .begin = since,
							   .end = end,
							   .ns = end - since,
							   .thread = owner});
		}
		if (owner == p->owner && owner != GT_SPAN_NONE) {
			gt_model_order_end(model, p, GT_SPAN_NONE);
		}
	}
}
