/*
 * A bucket's line of waiters, with its lock: their hints, and who is the first of whom. The common
 * ground of waiters.c and queue.c, for these two alone.
 */
#pragma once

#include "waiters.h"

/* One that is on its way to sleep comes or goes: 1 or -1. Release: see gt_wake_coming. */
GT_INLINE void gt_line_count_coming(struct gt_bucket *b, const struct gt_wait *w, int n)
{
	if (w->mask == GT_MASK_ON_ITS_WAY) {
		gt_store_release(&b->coming, gt_load_relaxed(&b->coming) + (uint32_t)n);
	}
}

/* w comes or goes: 1 or -1. */
GT_INLINE void gt_line_count(struct gt_bucket *b, const struct gt_wait *w, int n)
{
	gt_store_relaxed(&b->count, gt_load_relaxed(&b->count) + (uint32_t)n);
	gt_line_count_coming(b, w, n);
}

/* Links w as the youngest in b, whose lock is held. */
GT_INLINE void gt_line_append(struct gt_bucket *b, struct gt_wait *w)
{
	struct gt_line *line = &b->line;

	w->next = NULL;
	w->before = line->last;
	if (line->last) {
		line->last->next = w;
	} else {
		line->first = w;
	}
	line->last = w;
	gt_line_count(b, w, 1);
}

/* Whether w has a hint of that kind; one that it has not holds anything. */
GT_INLINE bool gt_hint_has(const struct gt_wait *w, enum gt_hint_kind kind)
{
	return (w->has >> kind & 1) != 0;
}

GT_INLINE void gt_hint_put(struct gt_wait *w, enum gt_hint_kind kind, const struct gt_hint *hint)
{
	w->hint[kind] = *hint;
	w->has |= (uint8_t)(1u << kind);
}

GT_INLINE void gt_hint_drop(struct gt_wait *w, enum gt_hint_kind kind)
{
	w->has &= (uint8_t) ~(1u << kind);
}

/* When it was; 0: never. */
GT_INLINE uint64_t gt_hint_at(const struct gt_wait *w, enum gt_hint_kind kind)
{
	return gt_hint_has(w, kind) ? w->hint[kind].at : 0;
}

/* The oldest from here on that waits for object; NULL: none. */
GT_INLINE struct gt_wait *gt_line_first(struct gt_wait *from, uintptr_t object)
{
	while (from && gt_load_relaxed(&from->object) != object) {
		from = from->next;
	}
	return from;
}

/* The oldest from here on that has no cause of its own yet, and that such a wake-up concerns. */
GT_INLINE struct gt_wait *gt_line_uncaused(struct gt_wait *from, uintptr_t object, uint32_t mask)
{
	while ((from = gt_line_first(from, object)) &&
	       (gt_hint_has(from, GT_HINT_OWN) || !(from->mask & mask))) {
		from = from->next;
	}
	return from;
}

/* w leaves its line: what it keeps for its object goes to the next. */
void gt_line_bequeath(const struct gt_line *line, const struct gt_wait *w);

/* Unlinks w from b, whose lock is held: it is the first there, and keeps nothing for others. */
GT_INLINE void gt_line_unlink_first(struct gt_bucket *b, struct gt_wait *w)
{
	struct gt_line *line = &b->line;

	line->first = w->next;
	if (gt_unlikely(w->next != NULL)) {
		w->next->before = NULL;
	} else {
		line->last = NULL;
	}
	gt_line_count(b, w, -1);
}

/* Unlinks w from b, whose lock is held. */
GT_INLINE void gt_line_unlink(struct gt_bucket *b, struct gt_wait *w)
{
	struct gt_line *line = &b->line;

	if (w->next && (gt_hint_has(w, GT_HINT_ANY) || gt_hint_has(w, GT_HINT_WEAK))) {
		gt_line_bequeath(line, w);
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
	gt_line_count(b, w, -1);
}

/* Locks the bucket that w stands in, which a requeue may change until then. */
GT_INLINE struct gt_bucket *gt_line_lock(struct gt_wait *w)
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

/* What is kept for all waiters of first's object, if it came after w's wait began; else NULL. */
GT_INLINE const struct gt_hint *gt_line_cause(const struct gt_wait *first, const struct gt_wait *w)
{
	if (gt_hint_has(first, GT_HINT_ANY) && first->hint[GT_HINT_ANY].at >= w->since) {
		return &first->hint[GT_HINT_ANY];
	}
	if (gt_hint_has(first, GT_HINT_WEAK) && first->hint[GT_HINT_WEAK].at >= w->since) {
		return &first->hint[GT_HINT_WEAK];
	}
	return NULL;
}

/*
 * The hint of who (NULL: of no waiter), for when the bucket's lock is dropped: another's is copied.
 * w has none of its own.
 */
GT_INLINE const struct gt_hint *gt_hint_keep(struct gt_wait *w, const struct gt_wait *who,
					     const struct gt_hint *hint)
{
	if (hint && who != w) {
		w->hint[GT_HINT_OWN] = *hint;
		hint = &w->hint[GT_HINT_OWN];
	}
	return hint;
}

/*
 * Whether one that wants its mutex back may stand before w in the kernel's queue: of this bucket
 * one does that was called before w slept, for whichever mutex.
 */
GT_INLINE bool gt_line_after_retake(const struct gt_bucket *b, const struct gt_wait *w)
{
	/* Relaxed: as gt_wake_wanted. */
	return gt_load_relaxed(&b->called) && gt_load_relaxed(&b->called_at) < w->slept;
}
