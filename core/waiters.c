/*
 * The registry of waiters: buckets by address, each a lock and two lists.
 */
#include "waiters.h"

#include <string.h>

#include "shm.h"

struct gt_bucket gt_buckets[GT_BUCKETS];

/* w comes or goes: 1 or -1. Release: see gt_wake_coming. */
static void count_coming(struct gt_bucket *b, const struct gt_wait *w, int n)
{
	if (w->mask == GT_MASK_ON_ITS_WAY) {
		gt_store_release(&b->coming, gt_load_relaxed(&b->coming) + (uint32_t)n);
	}
}

/* Links w as the youngest of its line in b, whose lock is held. */
static void append(struct gt_bucket *b, struct gt_wait *w)
{
	struct gt_line *line = &b->line[w->line];

	w->next = NULL;
	w->before = line->last;
	if (line->last) {
		line->last->next = w;
	} else {
		line->first = w;
	}
	line->last = w;
	gt_store_relaxed(&b->count, gt_load_relaxed(&b->count) + 1);
	count_coming(b, w, 1);
}

static struct gt_wait *first_of(struct gt_wait *from, uintptr_t object)
{
	while (from && gt_load_relaxed(&from->object) != object) {
		from = from->next;
	}
	return from;
}

/* The oldest from here on that has no cause of its own yet, and that such a wake-up concerns. */
static struct gt_wait *first_uncaused(struct gt_wait *from, uintptr_t object, uint32_t mask)
{
	while ((from = first_of(from, object)) && (from->own.who || !(from->mask & mask))) {
		from = from->next;
	}
	return from;
}

/* Unlinks w from b, whose lock is held; what it keeps for its object goes to the next in line. */
static void unlink_wait(struct gt_bucket *b, struct gt_wait *w)
{
	uintptr_t object = gt_load_relaxed(&w->object);
	struct gt_line *line = &b->line[w->line];

	if ((w->any.who || w->weak.who) && first_of(line->first, object) == w) {
		struct gt_wait *heir = first_of(w->next, object);

		if (heir) {
			heir->any = w->any;
			heir->weak = w->weak;
		}
	}
	if (w->before) {
		w->before->next = w->next;
	} else {
		line->first = w->next;
	}
	if (w->next) {
		w->next->before = w->before;
	} else {
		line->last = w->before;
	}
	gt_store_relaxed(&b->count, gt_load_relaxed(&b->count) - 1);
	count_coming(b, w, -1);
}

/* No cause; the rest of a hint means nothing then. */
static void clear(struct gt_hint *hint)
{
	hint->who = 0;
	hint->at = 0;
}

/* What stands in waits[]: w[0] of two is the condition, w[1] its mutex. */
enum role { ROLE_ONLY, ROLE_CONDITION, ROLE_MUTEX };

/* Whether the call of that signaller is still going on. */
static bool signals_still(const struct gt_hint *signal)
{
	struct gt_thread *t = gt_ref_ptr(signal->who);
	struct gt_wake_stack *s = &t->wake[signal->version % GT_WAKE_STACKS];

	/* As in read_stack (wait.c): where it is another wake-up's by now, this one is over. */
	return !gt_load_acquire(&s->over) && gt_load_acquire(&s->version) == signal->version;
}

static void enter(struct gt_wait *w, const void *object, uint64_t since, uint32_t mask,
		  enum role role)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);

	gt_lock_take(&b->lock);
	gt_store_relaxed(&w->object, (uintptr_t)object);
	w->since = since;
	w->mask = mask ? mask : UINT32_MAX;
	clear(&w->own);
	clear(&w->any);
	clear(&w->weak);
	clear(&w->late);
	clear(&w->cut);
	clear(&w->turn);
	if (gt_unlikely(b->signalled == (uintptr_t)object) && signals_still(&b->signal)) {
		w->late = b->signal;
	}
	w->listed = 1;
	w->retakes = role == ROLE_CONDITION;
	w->line = role == ROLE_MUTEX;
	gt_store_relaxed(&w->called, 0);
	append(b, w);
	gt_lock_drop(&b->lock);
}

void gt_waiters_enter(struct gt_wait *w, const void *object, uint64_t since, uint32_t mask)
{
	enter(w, object, since, mask, ROLE_ONLY);
}

void gt_waiters_enter_both(struct gt_wait *w, const void *cond, const void *mutex, uint64_t since)
{
	enter(&w[1], mutex, since, GT_MASK_RETAKE, ROLE_MUTEX);
	enter(&w[0], cond, since, UINT32_MAX, ROLE_CONDITION);
}

/*
 * w, which waits for a condition, was given a cause: from now on it may want its mutex. It leaves
 * the condition first, and stands in the mutex' line until then.
 */
static void call(struct gt_wait *w, uint64_t at)
{
	if (w->retakes) {
		if (!gt_load_relaxed(&w[1].called)) {
			gt_add_relaxed(&gt_bucket_of(gt_load_relaxed(&w[1].object))->called, 1);
		}
		gt_store_relaxed(&w[1].called, at);
	}
}

/* w leaves b, whose lock is held: when it was called; 0: it was not. */
static uint64_t uncall(struct gt_bucket *b, struct gt_wait *w)
{
	uint64_t called = gt_load_relaxed(&w->called);

	if (called) {
		gt_store_relaxed(&w->called, 0);
		gt_add_relaxed(&b->called, UINT32_MAX);
	}
	return called;
}

/* Locks the bucket that w stands in, which a requeue may change until then. */
static struct gt_bucket *lock_bucket_of(struct gt_wait *w)
{
	for (;;) {
		uintptr_t object = gt_load_relaxed(&w->object);
		struct gt_bucket *b = gt_bucket_of(object);

		gt_lock_take(&b->lock);
		if (gt_load_relaxed(&w->object) == object) {
			return b;
		}
		gt_lock_drop(&b->lock);
	}
}

/* What is kept for all waiters of first's object, if it came after w's wait began. */
static struct gt_hint cause_for_all(const struct gt_wait *first, const struct gt_wait *w)
{
	if (first->any.who && first->any.at >= w->since) {
		return first->any;
	}
	if (first->weak.who && first->weak.at >= w->since) {
		return first->weak;
	}
	return (struct gt_hint){0};
}

/*
 * The cause of w's end, which is a wake-up; its bucket is locked. Its own, or the one for all if
 * that is later; without any, the oldest that was meant for another waiter: that one is still
 * there, so the kernel woke this one in its place. At last a signaller that was already at it when
 * this wait began: glibc's may wait for waiters that are leaving, and then also wakes who came
 * since.
 */
static struct gt_hint cause(struct gt_bucket *b, struct gt_wait *w)
{
	uintptr_t object = gt_load_relaxed(&w->object);
	struct gt_wait *first = first_of(b->line[w->line].first, object);
	struct gt_hint hint = cause_for_all(first, w);

	if (w->own.who && (!hint.who || first->any.at < w->since || w->own.at <= hint.at)) {
		hint = w->own;
	}
	for (; !hint.who && first; first = first_of(first->next, object)) {
		if (first->own.who && first->own.at >= w->since) {
			hint = first->own;
			first->own = (struct gt_hint){0};
		}
	}
	if (!hint.who && b->signalled == object && b->signal.at > w->since) {
		hint = b->signal;
	}
	return hint.who ? hint : w->late;
}

/* Who waits for object and has the oldest cause of its own that is later than that moment. */
static struct gt_wait *first_caused_after(struct gt_bucket *b, uintptr_t object, uint64_t at)
{
	struct gt_wait *found = NULL;
	struct gt_wait *w;

	for (w = first_of(b->line[0].first, object); w; w = first_of(w->next, object)) {
		if (w->own.who && w->own.at > at && (!found || w->own.at < found->own.at)) {
			found = w;
		}
	}
	return found;
}

/* Whether one that wants its mutex back may stand before w in the kernel's queue. */
static bool after_retake(struct gt_bucket *b, uintptr_t object, const struct gt_wait *w)
{
	struct gt_wait *from = gt_load_relaxed(&b->called) ? b->line[1].first : NULL;

	for (; (from = first_of(from, object)); from = from->next) {
		uint64_t called = gt_load_relaxed(&from->called);

		if (called && called < w->slept) {
			return true;
		}
	}
	return false;
}

/*
 * w, which waited for a condition, has its mutex back. In between it may have slept for that, in
 * the kernel's queue before others: then the cause that the first of these was given was w's, the
 * second's is the first's, and so on; the last has that of the unlock that found no other waiter.
 */
static void take_back(struct gt_bucket *b, const struct gt_wait *w, uint64_t called)
{
	uintptr_t object = gt_load_relaxed(&w->object);
	struct gt_wait *one = called ? first_caused_after(b, object, called) : NULL;

	if (!one || !one->own.unsure) {
		return;
	}
	while (one) {
		struct gt_wait *next = first_caused_after(b, object, one->own.at);

		if (next) {
			one->own = next->own;
		} else {
			const struct gt_hint *last = &first_of(b->line[0].first, object)->any;

			one->own = last->at > one->own.at ? *last : (struct gt_hint){0};
		}
		one->own.unsure = after_retake(b, object, one);
		one = next;
	}
}

struct gt_hint gt_waiters_leave(struct gt_wait *w, bool woken)
{
	struct gt_hint hint = {0};
	struct gt_bucket *b;
	uint64_t called;

	if (!w->listed) {
		return hint;
	}
	b = lock_bucket_of(w);
	called = uncall(b, w);
	if (woken) {
		hint = cause(b, w);
		take_back(b, w, called);
	} else {
		hint = w->cut;
		/* A wake-up that was meant for it went to another. */
		if (w->own.who) {
			struct gt_wait *one = first_uncaused(b->line[w->line].first,
							     gt_load_relaxed(&w->object), w->mask);

			if (one) {
				one->own = w->own;
			}
		}
	}
	unlink_wait(b, w);
	w->listed = 0;
	gt_lock_drop(&b->lock);
	return hint;
}

/*
 * The cause by which the kernel took w out of its queue; its bucket is locked. If w was not the
 * first in line, the one that was given to the first is w's, and so on.
 */
static void take_turn(struct gt_bucket *b, struct gt_wait *w, bool woken)
{
	uintptr_t object = gt_load_relaxed(&w->object);
	struct gt_hint hint = w->own;
	struct gt_wait *oldest = NULL;
	struct gt_wait *one;

	w->own = (struct gt_hint){0};
	if (!woken) {
		/* If it was on its way the kernel took the next. */
		one = hint.who ? first_uncaused(w->next, object, w->mask) : NULL;
		if (one) {
			one->own = hint;
		}
		return;
	}
	one = first_of(b->line[0].first, object);
	if (hint.who) {
		/* Unsure: a waiter of a condition may still be about to take it back. */
		w->turn = hint.unsure && one->any.at > hint.at ? one->any : hint;
		return;
	}
	for (one = first_of(b->line[0].first, object); one; one = first_of(one->next, object)) {
		if (one->own.who && (one->mask & w->mask) &&
		    (!oldest || one->own.at < oldest->own.at)) {
			oldest = one;
		}
	}
	if (oldest) {
		w->turn = oldest->own;
		oldest->own = (struct gt_hint){0};
	} else {
		/* An unlock that looked before it slept: no other can have been since. */
		one = first_of(b->line[0].first, object);
		w->turn = one->any.at > one->weak.at ? one->any : one->weak;
	}
}

void gt_waiters_sleep(struct gt_wait *w, uint64_t since, bool woken)
{
	struct gt_bucket *b;

	if (!w->listed) {
		return;
	}
	b = lock_bucket_of(w);
	take_turn(b, w, woken);
	unlink_wait(b, w);
	w->any = (struct gt_hint){0};
	w->weak = (struct gt_hint){0};
	w->mask = GT_MASK_QUEUE;
	/* Who is called later is behind it, also if that is before this very moment. */
	w->slept = gt_load_relaxed(&b->called) ? gt_clock_moment() : since;
	append(b, w);
	gt_lock_drop(&b->lock);
}

struct gt_hint gt_waiters_leave_queue(struct gt_wait *w, bool woken)
{
	struct gt_hint hint = {0};
	struct gt_bucket *b;

	if (!w->listed) {
		return hint;
	}
	b = lock_bucket_of(w);
	take_turn(b, w, woken);
	hint = w->turn;
	if (!hint.who) {
		/* It never slept: the mutex was free when it tried again. */
		hint = cause_for_all(first_of(b->line[0].first, gt_load_relaxed(&w->object)), w);
	}
	unlink_wait(b, w);
	w->listed = 0;
	gt_lock_drop(&b->lock);
	return hint;
}

void gt_waiters_arrive(struct gt_wait *w)
{
	struct gt_bucket *b;

	if (!w->listed) {
		return;
	}
	b = lock_bucket_of(w);
	count_coming(b, w, -1);
	w->mask = UINT32_MAX;
	gt_lock_drop(&b->lock);
}

/* With the lock: a cause for all that wait for object now. */
static void tell_all(struct gt_bucket *b, uintptr_t object, const struct gt_hint *hint)
{
	struct gt_wait *w = first_of(b->line[0].first, object);

	if (w) {
		w->any = *hint;
	}
	for (; w; w = first_of(w->next, object)) {
		call(w, hint->at);
	}
}

void gt_waiters_tell_unlock(const void *object, const struct gt_hint *hint, bool queue)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);
	struct gt_wait *next;

	gt_lock_take(&b->lock);
	for (int i = 0; i < 2; i++) {
		struct gt_wait *first = first_of(b->line[i].first, (uintptr_t)object);

		if (first && !hint->contended) {
			first->weak = *hint;
		} else if (first) {
			first->any = *hint;
		}
	}
	next = queue && hint->contended
		       ? first_uncaused(b->line[0].first, (uintptr_t)object, GT_MASK_QUEUE)
		       : NULL;
	if (next) {
		next->own = *hint;
		next->own.unsure = after_retake(b, (uintptr_t)object, next);
	}
	gt_lock_drop(&b->lock);
}

void gt_waiters_untell_unlock(const void *object, uint32_t who, uint64_t version)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);
	struct gt_wait *w;

	gt_lock_take(&b->lock);
	for (int i = 0; i < 2; i++) {
		struct gt_wait *first = first_of(b->line[i].first, (uintptr_t)object);

		if (first && first->any.who == who && first->any.version == version) {
			first->weak = first->any;
			first->any = (struct gt_hint){0};
		}
	}
	w = first_of(b->line[0].first, (uintptr_t)object);
	for (; w; w = first_of(w->next, (uintptr_t)object)) {
		if (w->own.who == who && w->own.version == version) {
			w->own = (struct gt_hint){0};
		}
	}
	gt_lock_drop(&b->lock);
}

/* With the lock: one for each of the count longest that have none. */
static void tell(struct gt_bucket *b, uintptr_t object, uint32_t count, uint32_t mask,
		 const struct gt_hint *hint)
{
	struct gt_wait *w = first_uncaused(b->line[0].first, object, mask);

	while (w && count--) {
		w->own = *hint;
		call(w, hint->at);
		w = count ? first_uncaused(w->next, object, mask) : NULL;
	}
}

void gt_waiters_tell(const void *object, uint32_t count, uint32_t mask, const struct gt_hint *hint)
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

void gt_waiters_signal(const void *object, uint32_t count, const struct gt_hint *hint)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);

	gt_lock_take(&b->lock);
	b->signalled = (uintptr_t)object;
	b->signal = *hint;
	/* Where not all are known who wait, it is for all who are: the last one counts. */
	if (count == UINT32_MAX || gt_budget_partial(object)) {
		tell_all(b, (uintptr_t)object, hint);
	} else {
		tell(b, (uintptr_t)object, count, UINT32_MAX, hint);
	}
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
	for (on = b->line[0].first; on && on != w; on = on->next) {
	}
	if (on && gt_load_relaxed(id) == expected) {
		on->cut = *hint;
	}
	gt_lock_drop(&b->lock);
}

void gt_waiters_spend(const void *object)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);
	struct gt_wait *oldest = NULL;
	struct gt_wait *w;

	gt_lock_take(&b->lock);
	w = first_of(b->line[0].first, (uintptr_t)object);
	for (; w; w = first_of(w->next, (uintptr_t)object)) {
		if (w->own.who && (!oldest || w->own.at < oldest->own.at)) {
			oldest = w;
		}
	}
	if (oldest) {
		oldest->own = (struct gt_hint){0};
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
	w = first_uncaused(a->line[0].first, (uintptr_t)from, UINT32_MAX);
	while (w && count--) {
		struct gt_wait *next = w->next;

		unlink_wait(a, w);
		w->any = (struct gt_hint){0};
		w->weak = (struct gt_hint){0};
		gt_store_relaxed(&w->object, (uintptr_t)to);
		append(b, w);
		w = first_uncaused(next, (uintptr_t)from, UINT32_MAX);
	}
	if (a != b) {
		gt_lock_drop(&GT_MAX(a, b)->lock);
	}
	gt_lock_drop(&GT_MIN(a, b)->lock);
}

void gt_waiters_forget(void)
{
	memset(gt_buckets, 0, sizeof(gt_buckets));
}

/* --- Identity --------------------------------------------------------------------------------- */

/* Epochs by hash of the address: a collision only makes an identity change too often. */
static _Atomic uint32_t epochs[4096];

static _Atomic uint32_t *epoch_of(const void *object)
{
	return &epochs[((uint64_t)(uintptr_t)object >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 52];
}

uint32_t gt_object_epoch(const void *object)
{
	return gt_load_relaxed(epoch_of(object));
}

void gt_object_renew(const void *object)
{
	gt_add_relaxed(epoch_of(object), 1);
}
