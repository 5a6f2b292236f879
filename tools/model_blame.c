/*
 * The model: whom waits for a lock are charged to, and what that thread did meanwhile. What is
 * known of the past for that: the last spans of each thread, the last times that each lock was set
 * free. Only model_lock.c calls it.
 */
#include <stdlib.h>
#include <string.h>

#include "model_party.h"

/* --- What threads did last -------------------------------------------------------------------- */

static struct gt_party_recent recent_of(const struct gt_span *span, uint64_t end)
{
	struct gt_party_recent r = {
		.begin = span->begin, .end = end, .object = span->object, .kind = span->kind};

	if (span->kind == GT_SPAN_SYSCALL || span->named) {
		r.kind = GT_SPAN_SYSCALL;
		r.what = span->call;
	} else if (span->kind == GT_SPAN_WAIT) {
		r.what = span->reason;
	}
	return r;
}

static void put(struct gt_party_ring *ring, const struct gt_party_recent *span)
{
	if (ring->count == ring->room && ring->room < GT_PARTY_SPANS) {
		ring->room = ring->room ? 2 * ring->room : 4;
		ring->spans = gt_realloc(ring->spans, ring->room * sizeof(*ring->spans));
	}
	ring->spans[ring->count++ & (ring->room - 1)] = *span;
}

void gt_blame_remember(struct gt_party *p, const struct gt_span *span)
{
	const struct gt_party_recent recent = recent_of(span, span->end);

	put(&p->recent, &recent);
	if (recent.end - recent.begin >= GT_PARTY_LONG) {
		put(&p->longer, &recent);
	}
}

/* The i-th before the last; NULL: it is not remembered. */
static const struct gt_party_recent *ring_at(const struct gt_party_ring *ring, unsigned i)
{
	return i < GT_MIN(ring->count, ring->room)
		       ? &ring->spans[(ring->count - 1 - i) & (ring->room - 1)]
		       : NULL;
}

/* The last first: i counts from 0. Of the long ones those that recent no longer has. */
static const struct gt_party_recent *did_last(const struct gt_party *p, unsigned i)
{
	const unsigned recent = GT_MIN(p->recent.count, p->recent.room);
	const struct gt_party_recent *span = ring_at(&p->recent, i);
	uint64_t oldest;

	if (span != NULL || recent == 0) {
		return span;
	}
	oldest = ring_at(&p->recent, recent - 1)->begin;
	for (unsigned k = 0; (span = ring_at(&p->longer, k)) != NULL; k++) {
		if (span->end <= oldest) {
			return ring_at(&p->longer, k + i - recent);
		}
	}
	return NULL;
}

/* --- Sums ------------------------------------------------------------------------------------- */

static uint64_t part_of(uint64_t ns, uint64_t part, uint64_t whole)
{
	return whole != 0 ? (uint64_t)((gt_u128)ns * part / whole) : 0;
}

static void did(struct gt_model *model, uint32_t object, unsigned kind, uint64_t what, uint64_t ns)
{
	const struct gt_model_doing_key key = {gt_set_put(&model->objects, &object, sizeof(object)),
					       kind, what};

	if (ns != 0) {
		gt_model_share_add(gt_set_get(&model->doings, &key, sizeof(key)), ns);
	}
}

/* What the thread of a release did from begin up to it, charged with ns. */
static void doing(struct gt_model *model, uint32_t object, const struct gt_lock_release *r,
		  uint64_t begin, uint64_t ns)
{
	const struct gt_party *p = gt_party_of(model->lock_state, r->thread);
	const struct gt_span *now = gt_spans_now(model->spans, r->thread);
	const uint64_t end = r->time;
	const struct gt_party_recent *span;
	struct gt_party_recent lasts;
	uint64_t known = 0, part;
	unsigned i = 0;

	if (now != NULL && now->begin < end) {
		lasts = recent_of(now, end);
		span = &lasts;
	} else {
		span = did_last(p, i++);
	}
	/* Those before one that ended too early ended earlier. */
	for (; span != NULL && span->end > begin; span = did_last(p, i++)) {
		if (span->begin >= end) {
			continue;
		}
		part = part_of(ns, GT_MIN(span->end, end) - GT_MAX(span->begin, begin),
			       end - begin);
		did(model, object, span->kind, span->what, part);
		known += part;
	}
	did(model, object, 0, 0, ns > known ? ns - known : 0);
}

/* held: more of the time of a holding that lasted so long in all, as far as somebody waited. */
static void charge(struct gt_model *model, uint32_t object, const struct gt_lock_release *r,
		   uint64_t times, uint64_t ns, uint64_t held)
{
	const struct gt_model_hold_key key = {gt_set_put(&model->objects, &object, sizeof(object)),
					      r->thread, r->stack};
	struct gt_model_hold *hold = gt_set_get(&model->holds, &key, sizeof(key));

	hold->share.waits += times;
	hold->share.total += ns;
	hold->share.max = GT_MAX(hold->share.max, ns);
	hold->held += held;
	hold->longest = GT_MAX(hold->longest, r->time - r->since);
}

static void charge_nobody(struct gt_model *model, uint32_t object, uint64_t begin, uint64_t end,
			  uint64_t times, uint64_t ns)
{
	const struct gt_lock_release nobody = {.time = end, .since = begin, .thread = GT_SPAN_NONE};

	if (times != 0 || ns != 0) {
		charge(model, object, &nobody, times, ns, end - begin);
		did(model, object, 0, 0, ns);
	}
}

/* --- Times that a lock was set free ----------------------------------------------------------- */

/* Sorted by time: that of a retake is told some time later. */
static struct gt_lock_release *release_at(struct gt_lock_queue *q, uint64_t time, uint32_t thread,
					  uint32_t stack)
{
	unsigned i;

	if (q->releases == NULL) {
		q->releases = gt_alloc(GT_LOCK_RELEASES * sizeof(*q->releases));
	}
	for (i = q->nreleases; i > 0 && q->releases[i - 1].time >= time; i--) {
		struct gt_lock_release *r = &q->releases[i - 1];

		if (r->time == time && r->thread == thread) {
			r->stack = r->stack ? r->stack : stack;
			return r;
		}
	}
	if (q->nreleases == GT_LOCK_RELEASES) {
		i -= i != 0;
		memmove(q->releases, q->releases + 1, i * sizeof(*q->releases));
	} else {
		memmove(q->releases + i + 1, q->releases + i,
			(q->nreleases++ - i) * sizeof(*q->releases));
	}
	q->releases[i] = (struct gt_lock_release){time, time, thread, stack};
	return &q->releases[i];
}

/*
 * From when on, not before begin, a thread can have had a lock that it sets free at end: not as
 * long as it waited for it, or for a condition that sets it free meanwhile.
 */
static uint64_t held_since(const struct gt_model *model, uint32_t object, uint32_t thread,
			   uint64_t begin, uint64_t end)
{
	const struct gt_model_locks *l = model->lock_state;
	const struct gt_party *p = gt_party_of(model->lock_state, thread);
	const struct gt_party_recent *r;

	for (unsigned i = 0; (r = did_last(p, i)) != NULL && r->end > begin; i++) {
		if (r->end <= end && r->object != GT_SPAN_NONE &&
		    (r->object == object ||
		     (r->object < l->nmutexes && l->mutexes[r->object] == object + 1))) {
			return r->end;
		}
	}
	return begin;
}

/* Waits from begin up to a release. */
static void blame(struct gt_model *model, uint32_t object, struct gt_lock_release *r,
		  uint64_t begin, uint64_t times, uint64_t ns)
{
	const uint64_t from = held_since(model, object, r->thread, begin, r->time);
	const uint64_t before = part_of(ns, from - begin, r->time - begin);
	uint64_t held = 0;

	if (from > begin) {
		charge_nobody(model, object, begin, from, 0, before);
		ns -= before;
	}
	if (from < r->since) {
		held = r->since - from;
		r->since = from;
	}
	if (times != 0 || ns != 0) {
		charge(model, object, r, times, ns, held);
	}
	if (ns != 0 && from < r->time) {
		doing(model, object, r, from, ns);
	}
}

void gt_blame(struct gt_model *model, const struct gt_blame *b)
{
	struct gt_lock_queue *q = gt_lock_queue_of(model, b->object);
	uint64_t begin = b->begin, ns = b->ns, part;

	for (unsigned i = 0; i < q->nreleases; i++) {
		struct gt_lock_release *r = &q->releases[i];

		if (r->time > begin && r->time < b->end) {
			part = part_of(ns, r->time - begin, b->end - begin);
			blame(model, b->object, r, begin, 0, part);
			ns -= part;
			begin = r->time;
		}
	}
	if (b->thread == GT_SPAN_NONE) {
		charge_nobody(model, b->object, begin, b->end, b->times, ns);
	} else {
		blame(model, b->object, release_at(q, b->end, b->thread, b->stack), begin, b->times,
		      ns);
	}
}
