/*
 * The registry of waiters: buckets by address, each a lock and a line.
 *
 * What a wait and its wake-up nearly always need is apart from the rest, in functions that make no
 * call and so save no registers: the lock is free, one waits, one wakes it.
 */
#include "line.h"

#include <string.h>

#include "shm.h"

struct gt_bucket gt_buckets[GT_BUCKETS];
_Atomic uint32_t gt_object_epochs[GT_OBJECTS];

/* to gets what from has of that kind, or has none either. */
static void copy(struct gt_wait *to, const struct gt_wait *from, enum gt_hint_kind kind)
{
	if (gt_hint_has(from, kind)) {
		gt_hint_put(to, kind, &from->hint[kind]);
	} else {
		gt_hint_drop(to, kind);
	}
}

void gt_line_bequeath(const struct gt_line *line, const struct gt_wait *w)
{
	uintptr_t object = gt_load_relaxed(&w->object);
	struct gt_wait *heir = gt_line_first(w->next, object);

	if (heir && gt_line_first(line->first, object) == w) {
		copy(heir, w, GT_HINT_ANY);
		copy(heir, w, GT_HINT_WEAK);
	}
}

/* Whether the call of that signaller is still going on. */
static bool signals_still(const struct gt_hint *signal)
{
	struct gt_thread *t = gt_ref_ptr(signal->who);
	struct gt_wake_stack *s = &t->wake[signal->version % GT_WAKE_STACKS];

	/* As in read_stack (wait.c): where it is another wake-up's by now, this one is over. */
	return !gt_load_acquire(&s->over) && gt_load_acquire(&s->version) == signal->version;
}

/* With the lock. */
GT_INLINE void enter_locked(struct gt_bucket *b, struct gt_wait *w, const void *object,
			    uint64_t since, uint32_t mask, uintptr_t mutex)
{
	gt_store_relaxed(&w->object, (uintptr_t)object);
	w->since = since;
	w->mask = mask ? mask : UINT32_MAX;
	w->has = 0;
	if (gt_unlikely(b->signalled == (uintptr_t)object) && signals_still(&b->signal)) {
		gt_hint_put(w, GT_HINT_LATE, &b->signal);
	}
	w->listed = true;
	w->mutex = mutex;
	w->called = 0;
	gt_line_append(b, w);
	gt_lock_drop(&b->lock);
}

static GT_NOINLINE void enter_later(struct gt_wait *w, const void *object, uint64_t since,
				    uint32_t mask, uintptr_t mutex)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);

	gt_lock_take(&b->lock);
	enter_locked(b, w, object, since, mask, mutex);
}

GT_INLINE void enter(struct gt_wait *w, const void *object, uint64_t since, uint32_t mask,
		     uintptr_t mutex)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);

	if (gt_likely(gt_lock_try(&b->lock))) {
		enter_locked(b, w, object, since, mask, mutex);
	} else {
		enter_later(w, object, since, mask, mutex);
	}
}

void gt_waiters_enter(struct gt_wait *w, const void *object, uint64_t since, uint32_t mask)
{
	enter(w, object, since, mask, 0);
}

void gt_waiters_enter_cond(struct gt_wait *w, const void *cond, const void *mutex, uint64_t since)
{
	enter(w, cond, since, UINT32_MAX, (uintptr_t)mutex);
}

/*
 * w was given a cause, in the bucket of its condition: from now on it may want its mutex. The first
 * one counts: it may sleep for that since then.
 */
static void call(struct gt_wait *w, uint64_t at)
{
	if (w->mutex && !w->called) {
		struct gt_bucket *b = gt_bucket_of(w->mutex);

		w->called = at;
		/* Relaxed: as gt_wake_wanted. */
		if (gt_add_relaxed(&b->called, 1) == 0) {
			gt_store_relaxed(&b->called_at, at);
		}
	}
}

/* w does not want its mutex, or has it. */
static void uncall(struct gt_wait *w)
{
	if (w->called) {
		w->called = 0;
		/* Who signals counts without this bucket's lock. */
		gt_add_relaxed(&gt_bucket_of(w->mutex)->called, UINT32_MAX);
	}
}

/*
 * The cause of w's end, which is a wake-up; its bucket is locked. Its own, or the one for all if
 * that is later; without any, the oldest that was meant for another waiter: that one is still
 * there, so the kernel woke this one in its place. At last a signaller that was already at it when
 * this wait began: glibc's may wait for waiters that are leaving, and then also wakes who came
 * since. NULL: none is known.
 */
static GT_NOINLINE const struct gt_hint *cause(struct gt_bucket *b, struct gt_wait *w)
{
	uintptr_t object = gt_load_relaxed(&w->object);
	struct gt_wait *first = gt_line_first(b->line.first, object);
	const struct gt_hint *own = &w->hint[GT_HINT_OWN];
	const struct gt_hint *all = gt_line_cause(first, w);

	if (gt_hint_has(w, GT_HINT_OWN) &&
	    (!all || all == &first->hint[GT_HINT_WEAK] || own->at <= all->at)) {
		return own;
	}
	if (all) {
		return gt_hint_keep(w, first, all);
	}
	for (; first; first = gt_line_first(first->next, object)) {
		if (gt_hint_has(first, GT_HINT_OWN) && first->hint[GT_HINT_OWN].at >= w->since) {
			own = gt_hint_keep(w, first, &first->hint[GT_HINT_OWN]);
			gt_hint_drop(first, GT_HINT_OWN);
			/* Unless an earlier one has called it. */
			if (first->called == own->at) {
				uncall(first);
			}
			return own;
		}
	}
	if (b->signalled == object && b->signal.at > w->since) {
		return gt_hint_keep(w, NULL, &b->signal);
	}
	return gt_hint_has(w, GT_HINT_LATE) ? &w->hint[GT_HINT_LATE] : NULL;
}

/* Who waits for object and has the oldest cause of its own that is later than that moment. */
static struct gt_wait *first_caused_after(struct gt_bucket *b, uintptr_t object, uint64_t at)
{
	struct gt_wait *found = NULL;
	struct gt_wait *w;

	for (w = gt_line_first(b->line.first, object); w; w = gt_line_first(w->next, object)) {
		if (gt_hint_at(w, GT_HINT_OWN) > at &&
		    (!found || gt_hint_at(w, GT_HINT_OWN) < gt_hint_at(found, GT_HINT_OWN))) {
			found = w;
		}
	}
	return found;
}

/*
 * One that waited for a condition, and was called then, has its mutex back. In between it may have
 * slept for that, in the kernel's queue before others: then the cause that the first of these was
 * given was its own, the second's is the first's, and so on; the last has that of the unlock that
 * found no other waiter.
 */
static void take_back(struct gt_bucket *b, uintptr_t object, uint64_t called)
{
	struct gt_wait *one = first_caused_after(b, object, called);

	/* Nor where it was called after that one slept: then it stood behind. */
	if (!one || !one->hint[GT_HINT_OWN].unsure || called >= one->slept) {
		return;
	}
	while (one) {
		struct gt_hint *own = &one->hint[GT_HINT_OWN];
		struct gt_wait *next = first_caused_after(b, object, own->at);

		if (next) {
			*own = next->hint[GT_HINT_OWN];
		} else {
			const struct gt_wait *first = gt_line_first(b->line.first, object);

			if (gt_hint_at(first, GT_HINT_ANY) > own->at) {
				*own = first->hint[GT_HINT_ANY];
			} else {
				gt_hint_drop(one, GT_HINT_OWN);
			}
		}
		own->unsure = gt_line_after_retake(b, one);
		one = next;
	}
}

/* A wake-up that was meant for w went to another. */
static GT_NOINLINE void pass_on(struct gt_bucket *b, struct gt_wait *w)
{
	struct gt_wait *one = gt_line_uncaused(b->line.first, gt_load_relaxed(&w->object), w->mask);

	if (one) {
		gt_hint_put(one, GT_HINT_OWN, &w->hint[GT_HINT_OWN]);
		call(one, w->hint[GT_HINT_OWN].at);
	}
}

/* With the lock. */
static GT_NOINLINE const struct gt_hint *leave_locked(struct gt_bucket *b, struct gt_wait *w,
						      bool woken)
{
	const struct gt_hint *hint;

	if (woken) {
		hint = cause(b, w);
		if (hint) {
			/* If it was meant for another, or came before the wait. */
			call(w, hint->at);
		}
	} else {
		hint = gt_hint_has(w, GT_HINT_CUT) ? &w->hint[GT_HINT_CUT] : NULL;
		if (gt_hint_has(w, GT_HINT_OWN)) {
			pass_on(b, w);
		}
	}
	gt_line_unlink(b, w);
	w->listed = false;
	gt_lock_drop(&b->lock);
	return hint;
}

static GT_NOINLINE const struct gt_hint *leave_later(struct gt_wait *w, bool woken)
{
	return leave_locked(gt_line_lock(w), w, woken);
}

/* Whether w is the first in its line, and woken by who meant it, and by nobody else. */
GT_INLINE bool ends_simply(const struct gt_bucket *b, const struct gt_wait *w)
{
	return w->has == 1u << GT_HINT_OWN && b->line.first == w;
}

const struct gt_hint *gt_waiters_leave_listed(struct gt_wait *w, bool woken)
{
	uintptr_t object = gt_load_relaxed(&w->object);
	struct gt_bucket *b = gt_bucket_of(object);

	if (gt_unlikely(!gt_lock_try(&b->lock))) {
		return leave_later(w, woken);
	}
	if (gt_unlikely(gt_load_relaxed(&w->object) != object)) {
		gt_lock_drop(&b->lock);
		return leave_later(w, woken);
	}
	if (gt_unlikely(!woken || !ends_simply(b, w))) {
		return leave_locked(b, w, woken);
	}
	gt_line_unlink_first(b, w);
	w->listed = false;
	gt_lock_drop(&b->lock);
	return &w->hint[GT_HINT_OWN];
}

const struct gt_hint *gt_waiters_back_called(struct gt_wait *w, bool has)
{
	struct gt_bucket *b = gt_bucket_of(w->mutex);
	const struct gt_hint *hint = NULL;
	uint64_t called = w->called;
	uint32_t i;

	/* With the lock: who leaves the tracer here by a jump ends the trace. */
	gt_lock_take(&b->lock);
	uncall(w);
	i = b->freed[b->last].mutex == w->mutex ? b->last : !b->last;
	if (b->freed[i].mutex == w->mutex && has) {
		gt_hint_put(w, GT_HINT_BACK, &b->freed[i].by);
		hint = &w->hint[GT_HINT_BACK];
	}
	if (gt_unlikely(b->line.first != NULL) && has) {
		take_back(b, w->mutex, called);
	}
	gt_lock_drop(&b->lock);
	return hint;
}

/* With the lock: a cause for all that wait for object now. */
static GT_NOINLINE void tell_all(struct gt_bucket *b, uintptr_t object, const struct gt_hint *hint)
{
	struct gt_wait *w = gt_line_first(b->line.first, object);

	if (w) {
		gt_hint_put(w, GT_HINT_ANY, hint);
	}
	for (; w; w = gt_line_first(w->next, object)) {
		call(w, hint->at);
	}
}

/* With the lock: one for each of the count longest that have none. */
GT_INLINE void tell(struct gt_bucket *b, uintptr_t object, uint32_t most, uint32_t mask,
		    const struct gt_hint *hint)
{
	struct gt_wait *w = gt_line_uncaused(b->line.first, object, mask);

	while (w && most--) {
		gt_hint_put(w, GT_HINT_OWN, hint);
		call(w, hint->at);
		w = most ? gt_line_uncaused(w->next, object, mask) : NULL;
	}
}

static GT_NOINLINE void tell_later(const void *object, uint32_t count, uint32_t mask,
				   const struct gt_hint *hint)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);

	gt_lock_take(&b->lock);
	if (gt_budget_partial(object)) {
		tell_all(b, (uintptr_t)object, hint);
	} else {
		tell(b, (uintptr_t)object, count, mask, hint);
	}
	gt_lock_drop(&b->lock);
}

void gt_waiters_tell(const void *object, uint32_t count, uint32_t mask, const struct gt_hint *hint)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);

	if (gt_unlikely(gt_budget_on) || gt_unlikely(!gt_lock_try(&b->lock))) {
		tell_later(object, count, mask, hint);
		return;
	}
	tell(b, (uintptr_t)object, count, mask, hint);
	gt_lock_drop(&b->lock);
}

static GT_NOINLINE void signal_later(const void *object, uint32_t count, const struct gt_hint *hint)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);

	gt_lock_take(&b->lock);
	b->signalled = (uintptr_t)object;
	b->signal = *hint;
	/* Where not all are known who wait, it is for all who are: the last one counts. */
	if (gt_unlikely(count == UINT32_MAX) || gt_budget_partial(object)) {
		tell_all(b, (uintptr_t)object, hint);
	} else {
		tell(b, (uintptr_t)object, count, UINT32_MAX, hint);
	}
	gt_lock_drop(&b->lock);
}

void gt_waiters_signal(const void *object, uint32_t count, const struct gt_hint *hint)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);

	if (gt_unlikely(count == UINT32_MAX) || gt_unlikely(gt_budget_on) ||
	    gt_unlikely(!gt_lock_try(&b->lock))) {
		signal_later(object, count, hint);
		return;
	}
	b->signalled = (uintptr_t)object;
	b->signal = *hint;
	tell(b, (uintptr_t)object, count, UINT32_MAX, hint);
	gt_lock_drop(&b->lock);
}

void gt_waiters_tell_one(struct gt_wait *w, _Atomic uint64_t *id, uint64_t expected,
			 const struct gt_hint *hint)
{
	struct gt_bucket *b = gt_bucket_of(gt_load_relaxed(&w->object));
	struct gt_wait *on;

	gt_lock_take(&b->lock);
	/* Its own fields are under the lock of the bucket that it stands in: of this one, or not?
	 */
	for (on = b->line.first; on && on != w; on = on->next) {
	}
	if (on && gt_load_relaxed(id) == expected) {
		gt_hint_put(on, GT_HINT_CUT, hint);
	}
	gt_lock_drop(&b->lock);
}

void gt_waiters_spend(const void *object)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);
	struct gt_wait *oldest = NULL;
	struct gt_wait *w;

	gt_lock_take(&b->lock);
	w = gt_line_first(b->line.first, (uintptr_t)object);
	for (; w; w = gt_line_first(w->next, (uintptr_t)object)) {
		if (gt_hint_has(w, GT_HINT_OWN) &&
		    (!oldest || gt_hint_at(w, GT_HINT_OWN) < gt_hint_at(oldest, GT_HINT_OWN))) {
			oldest = w;
		}
	}
	if (oldest) {
		gt_hint_drop(oldest, GT_HINT_OWN);
	}
	gt_lock_drop(&b->lock);
}

void gt_waiters_requeue(const void *from, const void *to, uint32_t count)
{
	struct gt_bucket *a = gt_bucket_of((uintptr_t)from);
	struct gt_bucket *b = gt_bucket_of((uintptr_t)to);
	struct gt_wait *w;

	/* Two buckets at once only here, and in the order of their addresses. */
	gt_lock_take(&GT_MIN(a, b)->lock);
	if (a != b) {
		gt_lock_take(&GT_MAX(a, b)->lock);
	}
	w = gt_line_uncaused(a->line.first, (uintptr_t)from, UINT32_MAX);
	while (w && count--) {
		struct gt_wait *next = w->next;

		gt_line_unlink(a, w);
		gt_hint_drop(w, GT_HINT_ANY);
		gt_hint_drop(w, GT_HINT_WEAK);
		gt_store_relaxed(&w->object, (uintptr_t)to);
		gt_line_append(b, w);
		w = gt_line_uncaused(next, (uintptr_t)from, UINT32_MAX);
	}
	if (a != b) {
		gt_lock_drop(&GT_MAX(a, b)->lock);
	}
	gt_lock_drop(&GT_MIN(a, b)->lock);
}

void gt_waiters_forget(void)
{
	static const struct gt_bucket unused;

	/*
	 * Few have ever been used, and what is only read takes no memory. (No system call gives it
	 * back: the program may have forbidden that one since.)
	 */
	for (size_t i = 0; i < GT_BUCKETS; i++) {
		if (memcmp(&gt_buckets[i], &unused, sizeof(unused)) != 0) {
			memset(&gt_buckets[i], 0, sizeof(gt_buckets[i]));
		}
	}
}
