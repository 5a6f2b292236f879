/*
 * The registry of waiters: buckets by address, each a lock and a list.
 */
#include "waiters.h"

#include <string.h>

struct gt_bucket gt_buckets[GT_BUCKETS];

/* Links w as the youngest of b, whose lock is held. */
static void append(struct gt_bucket *b, struct gt_wait *w)
{
	w->next = NULL;
	w->before = b->last;
	if (b->last) {
		b->last->next = w;
	} else {
		b->first = w;
	}
	b->last = w;
	gt_store_relaxed(&b->count, gt_load_relaxed(&b->count) + 1);
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

	if ((w->any.who || w->weak.who) && first_of(b->first, object) == w) {
		struct gt_wait *heir = first_of(w->next, object);

		if (heir) {
			heir->any = w->any;
			heir->weak = w->weak;
		}
	}
	if (w->before) {
		w->before->next = w->next;
	} else {
		b->first = w->next;
	}
	if (w->next) {
		w->next->before = w->before;
	} else {
		b->last = w->before;
	}
	gt_store_relaxed(&b->count, gt_load_relaxed(&b->count) - 1);
}

void gt_waiters_enter(struct gt_wait *w, const void *object, uint64_t since, uint32_t mask)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);

	gt_lock_take(&b->lock);
	gt_store_relaxed(&w->object, (uintptr_t)object);
	w->since = since;
	w->mask = mask ? mask : UINT32_MAX;
	w->own = (struct gt_hint){0};
	w->any = (struct gt_hint){0};
	w->weak = (struct gt_hint){0};
	w->cut = (struct gt_hint){0};
	w->listed = 1;
	append(b, w);
	gt_lock_drop(&b->lock);
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
	struct gt_wait *first = first_of(b->first, object);
	struct gt_hint hint = {0};

	/* What is kept for the object counts if it came after this wait began. */
	if (first->any.who && first->any.ns >= w->since) {
		hint = first->any;
	}
	if (w->own.who && (!hint.who || w->own.ns <= hint.ns)) {
		hint = w->own;
	}
	if (!hint.who && first->weak.who && first->weak.ns >= w->since) {
		hint = first->weak;
	}
	for (; !hint.who && first; first = first_of(first->next, object)) {
		if (first->own.who && first->own.ns >= w->since) {
			hint = first->own;
			first->own = (struct gt_hint){0};
		}
	}
	if (!hint.who && b->signalled == object && b->until > w->since) {
		hint = b->signal;
	}
	return hint;
}

struct gt_hint gt_waiters_leave(struct gt_wait *w, bool woken)
{
	struct gt_hint hint = {0};
	struct gt_bucket *b;

	if (!w->listed) {
		return hint;
	}
	b = lock_bucket_of(w);
	if (woken) {
		hint = cause(b, w);
	} else {
		hint = w->cut;
		/* A wake-up that was meant for it went to another. */
		if (w->own.who) {
			struct gt_wait *one =
				first_uncaused(b->first, gt_load_relaxed(&w->object), w->mask);

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

void gt_waiters_tell_all(const void *object, const struct gt_hint *hint, bool weak)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);
	struct gt_wait *w;

	gt_lock_take(&b->lock);
	w = first_of(b->first, (uintptr_t)object);
	if (w && weak) {
		w->weak = *hint;
	} else if (w) {
		w->any = *hint;
	}
	gt_lock_drop(&b->lock);
}

void gt_waiters_signal(const void *object, const struct gt_hint *hint)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);

	gt_lock_take(&b->lock);
	b->signalled = (uintptr_t)object;
	b->until = UINT64_MAX;
	b->signal = *hint;
	gt_lock_drop(&b->lock);
}

void gt_waiters_signalled(const void *object, uint32_t who, uint64_t ns)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);

	gt_lock_take(&b->lock);
	if (b->signalled == (uintptr_t)object && b->signal.who == who) {
		b->until = ns;
	}
	gt_lock_drop(&b->lock);
}

void gt_waiters_tell(const void *object, uint32_t count, uint32_t mask, const struct gt_hint *hint)
{
	struct gt_bucket *b = gt_bucket_of((uintptr_t)object);
	struct gt_wait *w;

	gt_lock_take(&b->lock);
	w = first_uncaused(b->first, (uintptr_t)object, mask);
	while (w && count--) {
		w->own = *hint;
		w = first_uncaused(w->next, (uintptr_t)object, mask);
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
	for (on = b->first; on && on != w; on = on->next) {
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
	w = first_of(b->first, (uintptr_t)object);
	for (; w; w = first_of(w->next, (uintptr_t)object)) {
		if (w->own.who && (!oldest || w->own.ns < oldest->own.ns)) {
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
	w = first_uncaused(a->first, (uintptr_t)from, UINT32_MAX);
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
