/*
 * The whole trace as one stream of events in an order that could have happened.
 *
 *	struct gt_merge *t = gt_merge_open(path, 0, &error);
 *	while ((n = gt_merge_next(t, &ev, &error)) > 0) {
 *		use ev, gt_merge_generation(t)
 *	}
 *	gt_merge_close(t);
 *
 * The order is that of Go's reader: among the next events of all Ms the earliest one that the
 * partial order (tools/order.h) lets happen. Times grow strictly: an event that would not is moved
 * to 1 ns after the one before.
 *
 * What comes besides the events of the Ms:
 * - GT_EV_SYNC (kind GT_STRUCT) at the start of each generation; its tables are then in force.
 * - CPU samples (GT_EV_CPU_SAMPLE, kind GT_STRUCT, args[0] = stack) by time.
 * - gtrace's facts (kind GT_FACT). A fact stands directly before the first event of its own M that
 *   is not earlier than it: the facts about a GoBlock come right before that GoBlock. A Call does
 *   not stand before the beginning of its call, should that have the same time. Those that are
 *   later than all events of their M, or of no M, come at the end of the generation. Their time
 *   is their own and takes no part in the strict growth. m is the stream's M, g and p are none: a
 *   fact names its G among its arguments.
 *
 * Lifetimes: an event is a value. Strings, stacks and frames are looked up in the generation of
 * the event, which lives until the next GT_EV_SYNC is returned (or the end, or an error): copy what
 * must live longer.
 */
#pragma once

#include "cursor.h"

struct gt_merge;

enum {
	GT_MERGE_STRICT = 1, /* also the rules of Go's testtrace validator, and gtrace's own */
	GT_MERGE_ALONE = 2,  /* each generation as if the file had only that one */
	/* What gtrace's own traces promise beyond that: every live G has a status in every
	 * generation (invariant 9), and there is one frequency for the whole file (12); all facts
	 * can be read, and no Call is later than the last event of its M in the generation. */
	GT_MERGE_LIVE = 4,
	/* gt_merge_lend gives GT_MERGE_PAUSED at the end of each generation, and goes on after. */
	GT_MERGE_PAUSE = 8,
};

enum { GT_MERGE_PAUSED = 2 };

struct gt_merge *gt_merge_open(const char *path, unsigned flags, struct gt_error *e);
struct gt_merge *gt_merge_open_memory(const void *data, size_t size, unsigned flags,
				      struct gt_error *e);
/*
 * Another merge over the same reader, as gt_reader_share: each generation goes to the one that asks
 * first, which makes sense with GT_MERGE_ALONE only.
 */
struct gt_merge *gt_merge_share(struct gt_merge *t, unsigned flags);
void gt_merge_close(struct gt_merge *t);
/* As gt_reader_seek, before the first event. What it begins with is to it the first generation. */
bool gt_merge_seek(struct gt_merge *t, uint64_t ticks);

/*
 * 1 and the next event, 0 at the end, -1 with *e. A truncated file gives all events of its
 * complete generations before -1 with GT_ERROR_TRUNCATED.
 */
int gt_merge_next(struct gt_merge *t, struct gt_event *ev, struct gt_error *e);

/* The same without a copy: *ev is only lent, until the next call. */
int gt_merge_lend(struct gt_merge *t, const struct gt_event **ev, struct gt_error *e);

/* Events of Ms, all but the implied ones: how many, and the times of the first and last. */
struct gt_count {
	uint64_t events;
	uint64_t first, last;
};

/*
 * The same for one who only counts: what is most usual among events and facts is checked and passed
 * over, and counted in *count, before the next event is lent. That one is not counted. No event
 * that is the first to name a G is passed over.
 */
int gt_merge_skim(struct gt_merge *t, const struct gt_event **ev, struct gt_count *count,
		  struct gt_error *e);

/* The generation of the last event returned; NULL before the first. */
const struct gt_generation *gt_merge_generation(const struct gt_merge *t);
/* How many generations were delivered to their end. */
uint64_t gt_merge_complete(const struct gt_merge *t);
/*
 * Batches of facts that were not read to their end, because a fact is in them that is not in this
 * gtrace's table: a newer one wrote it. With GT_MERGE_LIVE that is an error.
 */
uint64_t gt_merge_unread(const struct gt_merge *t);
unsigned gt_merge_version(const struct gt_merge *t);
/* What every G, P and M is doing, all events so far having happened (tools/order.h). To be read. */
struct gt_order;
struct gt_order *gt_merge_order(struct gt_merge *t);
