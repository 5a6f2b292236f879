/*
 * The registry of waiters: mutexes whose waiters say when they sleep, and unlocks.
 */
#include "base/clock.h"

#include "line.h"

/*
 * The cause by which the kernel took w out of its queue; its bucket is locked. If w was not the
 * first in line, the one that was given to the first is w's, and so on.
 */
static void take_turn(struct gt_bucket *b, struct gt_wait *w, bool woken)
{
	uintptr_t object = gt_load_relaxed(&w->object);
	const struct gt_hint *own = gt_hint_has(w, GT_HINT_OWN) ? &w->hint[GT_HINT_OWN] : NULL;
	const struct gt_wait *first;
	struct gt_wait *oldest = NULL;
	struct gt_wait *one;

	gt_hint_drop(w, GT_HINT_OWN);
	if (!woken) {
		/* If it was on its way the kernel took the next. */
		one = own ? gt_line_uncaused(w->next, object, w->mask) : NULL;
		if (one) {
			gt_hint_put(one, GT_HINT_OWN, own);
		}
		return;
	}
	first = gt_line_first(b->line.first, object);
	if (own) {
		/* Unsure: a waiter of a condition may still be about to take it back. */
		if (own->unsure && gt_hint_at(first, GT_HINT_ANY) > own->at) {
			own = &first->hint[GT_HINT_ANY];
		}
		gt_hint_put(w, GT_HINT_TURN, own);
		return;
	}
	for (one = gt_line_first(b->line.first, object); one;
	     one = gt_line_first(one->next, object)) {
		if (gt_hint_has(one, GT_HINT_OWN) && (one->mask & w->mask) &&
		    (!oldest || gt_hint_at(one, GT_HINT_OWN) < gt_hint_at(oldest, GT_HINT_OWN))) {
			oldest = one;
		}
	}
	if (oldest) {
		gt_hint_drop(oldest, GT_HINT_OWN);
		gt_hint_put(w, GT_HINT_TURN, &oldest->hint[GT_HINT_OWN]);
		return;
	}
	/* An unlock that looked before it slept: no other can have been since. */
	if (gt_hint_at(first, GT_HINT_ANY) > gt_hint_at(first, GT_HINT_WEAK)) {
		gt_hint_put(w, GT_HINT_TURN, &first->hint[GT_HINT_ANY]);
	} else if (gt_hint_has(first, GT_HINT_WEAK)) {
		gt_hint_put(w, GT_HINT_TURN, &first->hint[GT_HINT_WEAK]);
	} else {
		gt_hint_drop(w, GT_HINT_TURN);
	}
}

void gt_waiters_sleep(struct gt_wait *w, uint64_t since, bool woken)
{
	struct gt_bucket *b;

	if (!w->listed) {
		return;
	}
	b = gt_line_lock(w);
	take_turn(b, w, woken);
	gt_line_unlink(b, w);
	gt_hint_drop(w, GT_HINT_ANY);
	gt_hint_drop(w, GT_HINT_WEAK);
	w->mask = GT_MASK_QUEUE;
	/* Who is called later is behind it, also if that is before this very moment. */
	w->slept = gt_load_relaxed(&b->called) ? gt_clock_moment() : since;
	gt_line_append(b, w);
	gt_lock_drop(&b->lock);
}

const struct gt_hint *gt_waiters_leave_queue(struct gt_wait *w, bool woken)
{
	const struct gt_hint *hint;
	struct gt_bucket *b;

	if (!w->listed) {
		return NULL;
	}
	b = gt_line_lock(w);
	take_turn(b, w, woken);
	if (gt_hint_has(w, GT_HINT_TURN)) {
		hint = &w->hint[GT_HINT_TURN];
	} else {
		/* It never slept: the mutex was free when it tried again. */
		const struct gt_wait *first =
			gt_line_first(b->line.first, gt_load_relaxed(&w->object));

		hint = gt_hint_keep(w, first, gt_line_cause(first, w));
	}
	gt_line_unlink(b, w);
	w->listed = false;
	gt_lock_drop(&b->lock);
	return hint;
}

void gt_waiters_arrive(struct gt_wait *w)
{
	struct gt_bucket *b;

	if (!w->listed) {
		return;
	}
	b = gt_line_lock(w);
	gt_line_count_coming(b, w, -1);
	w->mask = UINT32_MAX;
	gt_lock_drop(&b->lock);
}

void gt_waiters_tell_unlock(const void *object, const struct gt_hint *hint, bool queue)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);
	struct gt_wait *first, *next;

	gt_lock_take(&b->lock);
	first = gt_line_first(b->line.first, (uintptr_t)object);
	if (first) {
		gt_hint_put(first, hint->contended ? GT_HINT_ANY : GT_HINT_WEAK, hint);
	}
	if (hint->contended && gt_load_relaxed(&b->called)) {
		b->last = !b->last;
		b->freed[b->last].mutex = (uintptr_t)object;
		b->freed[b->last].by = *hint;
	}
	next = queue && hint->contended ? gt_line_uncaused(first, (uintptr_t)object, GT_MASK_QUEUE)
					: NULL;
	if (next) {
		gt_hint_put(next, GT_HINT_OWN, hint);
		next->hint[GT_HINT_OWN].unsure = gt_line_after_retake(b, next);
	}
	gt_lock_drop(&b->lock);
}

static bool is_that(const struct gt_wait *w, enum gt_hint_kind kind, uint32_t who, uint32_t version)
{
	return gt_hint_has(w, kind) && w->hint[kind].who == who && w->hint[kind].version == version;
}

void gt_waiters_untell_unlock(const void *object, uint32_t who, uint32_t version)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);
	struct gt_wait *w;

	gt_lock_take(&b->lock);
	/* Then the other one counts, before it or since. */
	for (uint32_t i = 0; i < 2; i++) {
		if (b->freed[i].mutex == (uintptr_t)object && b->freed[i].by.who == who &&
		    b->freed[i].by.version == version) {
			b->freed[i].mutex = 0;
			b->last = !i;
		}
	}
	w = gt_line_first(b->line.first, (uintptr_t)object);
	if (w && is_that(w, GT_HINT_ANY, who, version)) {
		gt_hint_put(w, GT_HINT_WEAK, &w->hint[GT_HINT_ANY]);
		gt_hint_drop(w, GT_HINT_ANY);
	}
	for (; w; w = gt_line_first(w->next, (uintptr_t)object)) {
		if (is_that(w, GT_HINT_OWN, who, version)) {
			gt_hint_drop(w, GT_HINT_OWN);
		}
	}
	gt_lock_drop(&b->lock);
}
