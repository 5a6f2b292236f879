/*
 * Recovering: unblocks that a waker has not written any more, since they were still in its mailbox.
 *
 * Each stands where it would, had the waker looked once more before its next event: before the
 * first event that is later. Behind all that the waker has done since, the start of the waiter
 * would come before what it waits for; and where the waker did something at the very time of that
 * start, Go's reader may not find an order (docs/next.md, Verdicts).
 */
#include "recover_own.h"

#include <stdlib.h>
#include <string.h>

#include "decode.h"

/* A stream that is written with posts among its events. */
struct mixing {
	struct gt_compose *c;
	const struct gt_generation *g;
	const struct gt_spool_post *post, *end; /* those that are left of this M, by time */
	uint64_t first;                         /* tick of its first event: none comes before */
	/* The batch that is being written. */
	uint8_t payload[GT_WIRE_BATCH_MAX], *to;
	uint64_t ticks; /* of its last event */
};

static uint64_t ticks_of(const struct gt_spool_post *p)
{
	return p->ns >> GT_TICK_SHIFT;
}

static uint64_t known_stack(const struct gt_generation *g, uint64_t id)
{
	return gt_generation_stack(g, id) != NULL ? id : 0;
}

static int by_m_and_time(const void *a, const void *b)
{
	const struct gt_spool_post *x = a, *y = b;

	if (x->m != y->m) {
		return x->m < y->m ? -1 : 1;
	}
	if (x->ns != y->ns) {
		return x->ns < y->ns ? -1 : 1;
	}
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void put_post(struct mixing *mix)
{
	const struct gt_spool_post *p = mix->post++;
	const uint64_t ticks = GT_MAX(ticks_of(p), mix->ticks);

	*mix->to++ = GT_EV_GO_UNBLOCK;
	mix->to = gt_varint_put(mix->to, ticks - mix->ticks);
	mix->to = gt_varint_put(mix->to, p->g);
	mix->to = gt_varint_put(mix->to, p->seq);
	mix->to = gt_varint_put(mix->to, known_stack(mix->g, p->stack));
	mix->ticks = ticks;
}

/* The posts that come before an event of that time, as far as they fit beside what is left. */
static void put_before(struct mixing *mix, uint64_t ticks, size_t left)
{
	const uint8_t *const end = mix->payload + sizeof(mix->payload);

	/* The time of the next event gets another length, but no longer one. */
	while (mix->post < mix->end && ticks_of(mix->post) < ticks && mix->first < ticks &&
	       left + GT_WIRE_EVENT_MAX <= (size_t)(end - mix->to)) {
		put_post(mix);
	}
}

/* A batch, which has been read before. Its events keep their bytes but for their times. */
static void put_batch(struct mixing *mix, const struct gt_batch *b)
{
	struct gt_batch alone = *b, mixed = *b;
	const struct gt_stream stream = {.m = b->m, .first = &alone, .last = &alone};
	struct gt_cursor cursor;
	struct gt_event ev;
	struct gt_error e;
	uint64_t ticks = b->time;

	alone.next = NULL;
	mix->to = mix->payload;
	mix->ticks = b->time;
	gt_cursor_init(&cursor, mix->g, &stream, NULL);
	while (gt_cursor_next(&cursor, &ev, &e) > 0) {
		const size_t size = (size_t)(cursor.next - cursor.args);

		ticks += gt_decode_number(cursor.at + 1, cursor.end).value;
		mix->first = GT_MIN(mix->first, ticks);
		put_before(mix, ticks, (size_t)(cursor.end - cursor.at));
		*mix->to++ = ev.number;
		mix->to = gt_varint_put(mix->to, ticks - mix->ticks);
		memcpy(mix->to, cursor.args, size);
		mix->to += size;
		mix->ticks = ticks;
	}
	put_before(mix, b->next != NULL ? b->next->time : 0, 0);
	mixed.data = mix->payload;
	mixed.size = (size_t)(mix->to - mix->payload);
	gt_compose_batch(mix->c, &mixed);
}

/* Those of one M that are left when its batches are written, the last of which ends at ticks. */
static void put_rest(struct gt_compose *c, const struct gt_generation *g,
		     const struct gt_spool_post *p, const struct gt_spool_post *end, uint64_t ticks)
{
	for (; p < end; p++) {
		gt_compose_event(c, p->m, GT_MAX(ticks_of(p), ticks),
				 gt_spec_event(GT_EV_GO_UNBLOCK),
				 (const uint64_t[]){p->g, p->seq, known_stack(g, p->stack)});
	}
}

static const struct gt_spool_post *posts_of(const struct gt_spool_post *p,
					    const struct gt_spool_post *end, uint64_t m)
{
	while (p < end && p->m == m) {
		p++;
	}
	return p;
}

void gt_recover_put_events(struct gt_compose *c, const struct gt_generation *g,
			   struct gt_spool_post *posts, size_t n)
{
	struct mixing *mix = gt_alloc(sizeof(*mix));
	const struct gt_spool_post *const end = posts + n, *next;
	struct gt_idmap first = {0}; /* of an M: index + 1 */

	if (n > 0) {
		qsort(posts, n, sizeof(*posts), by_m_and_time);
	}
	for (const struct gt_spool_post *p = posts; p < end; p = posts_of(p, end, p->m)) {
		gt_idmap_put(&first, p->m, (uintptr_t)(p - posts) + 1);
	}
	for (size_t i = 0; i < g->streams.count; i++) {
		const struct gt_stream *s = &g->streams.array[i];
		const uintptr_t at = gt_idmap_get(&first, s->m);

		mix->c = c;
		mix->g = g;
		mix->first = UINT64_MAX;
		mix->ticks = 0;
		mix->post = mix->end = end;
		if (at != 0) {
			mix->post = posts + at - 1;
			mix->end = posts_of(mix->post, end, s->m);
		}
		for (const struct gt_batch *b = s->first; b != NULL; b = b->next) {
			if (mix->post < mix->end) {
				put_batch(mix, b);
			} else {
				gt_compose_batch(c, b);
			}
		}
		put_rest(c, g, mix->post, mix->end, mix->ticks);
	}
	for (const struct gt_spool_post *p = posts; p < end; p = next) {
		next = posts_of(p, end, p->m);
		if (gt_idmap_get(&g->streams.by_m, p->m) == 0) {
			put_rest(c, g, p, next, 0);
		}
	}
	gt_idmap_fini(&first);
	free(mix);
}
