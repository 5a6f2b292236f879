/*
 * Threads that each judge a generation alone, and meet at the borders between them.
 *
 * Each takes the next generation of the file, judges it, waits until all before have been carried
 * over their borders, and carries this one over. So as many generations are in memory as there are
 * threads. What the words are for something that is wrong is not known here: the first that finds
 * anything stops all.
 */
#include "sides.h"

#include <pthread.h>
#include <stdlib.h>

#include "border.h"
#include "order.h"

/* The events of a generation whose times grow (all but facts), as if it were alone. */
struct span {
	uint64_t timed;                       /* so many */
	uint64_t last;                        /* time of the last one */
	uint64_t first_counted, last_counted; /* which of them gt_tally counts, from 1 */
};

struct sides {
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t crossed;
	uint64_t ncrossed; /* generations */
	bool failed;
	struct gt_border *border;
	struct gt_tally *tally; /* of those */
	uint64_t last;          /* time of the last event of any kind */
};

struct side {
	struct sides *all;
	struct gt_merge *merge;
	struct gt_granted granted;
	struct gt_tally tally; /* events and Gs, of all generations of this side */
	pthread_t thread;
	bool running; /* in that thread; the first one runs in the caller's */
};

/* Events that say that there is a G: the one that args[0] names. */
static const bool names_g[256] = {
	[GT_EV_GO_CREATE] = true,         [GT_EV_GO_STATUS] = true,
	[GT_EV_GO_CREATE_BLOCKED] = true, [GT_EV_GO_STATUS_STACK] = true,
	[GT_EV_GO_CREATE_SYSCALL] = true,
};

static void see_g(struct gt_tally *t, uint64_t id)
{
	if (gt_idmap_get(&t->seen, id) == 0) {
		gt_idmap_put(&t->seen, id, 1);
		t->gs++;
	}
}

void gt_tally_fini(struct gt_tally *t)
{
	gt_idmap_fini(&t->seen);
	free(t->broken.array);
}

void gt_tally_event(struct gt_tally *t, const struct gt_event *ev)
{
	if (gt_unlikely(ev->kind == GT_FACT || ev->implied)) {
		if (ev->kind == GT_FACT && ev->number == GT_FACT_BROKEN) {
			gt_broken_note(&t->broken, ev);
		}
		return;
	}
	if (gt_unlikely(ev->kind == GT_STRUCT && ev->number == GT_EV_SYNC)) {
		t->generations++;
		return;
	}
	if (gt_unlikely(t->count.events++ == 0)) {
		t->count.first = ev->time;
	}
	t->count.last = ev->time;
	if (gt_unlikely(names_g[ev->number])) {
		see_g(t, ev->args[0]);
	}
}

/* So many events come next, or one that is not counted. */
static void note(struct span *span, uint64_t events, bool counted, uint64_t last)
{
	if (counted && span->first_counted == 0) {
		span->first_counted = span->timed + 1;
	}
	span->timed += events;
	span->last = last;
	span->last_counted = counted ? span->timed : span->last_counted;
}

/* One generation: GT_MERGE_PAUSED, or what gt_merge_skim gives at the end or where it is bad. */
static int judge(struct side *side, struct span *span)
{
	struct gt_count *count = &side->tally.count;
	const struct gt_event *ev;
	struct gt_error ignored;
	uint64_t before = 0;
	int n;

	side->granted = (struct gt_granted){.ranges = side->granted.ranges,
					    .ranges_cap = side->granted.ranges_cap,
					    .tasks = side->granted.tasks,
					    .tasks_cap = side->granted.tasks_cap};
	*span = (struct span){0};
	*count = (struct gt_count){0};
	do {
		n = gt_merge_skim(side->merge, &ev, count, &ignored);
		if (count->events > before) {
			note(span, count->events - before, true, count->last);
			before = count->events;
		}
		if (n == 1) {
			gt_tally_event(&side->tally, ev);
		}
		if (n == 1 && ev->kind != GT_FACT) {
			note(span, 1, count->events > before, ev->time);
			before = count->events;
		}
	} while (n == 1);
	return n;
}

/*
 * Joins the generation to those before. Its events may begin before the last one of those, and are
 * then moved to after it, as gt_merge_next does it: an event cannot come earlier than as many
 * nanoseconds after the last as there are events between. False: it does not fit.
 */
static bool join(struct sides *all, const struct side *side, const struct span *span)
{
	const struct gt_generation *g = gt_merge_generation(side->merge);
	const struct gt_count *one = &side->tally.count;
	struct gt_count *sum = &all->tally->count;

	if (!gt_border_cross(all->border, g, gt_merge_order(side->merge)) ||
	    all->last > INT64_MAX - span->timed) {
		return false;
	}
	if (one->events > 0) {
		if (sum->events == 0) {
			sum->first = GT_MAX(one->first, all->last + span->first_counted);
		}
		sum->last = GT_MAX(one->last, all->last + span->last_counted);
	}
	all->last = GT_MAX(span->last, all->last + span->timed);
	sum->events += one->events;
	all->tally->generations++;
	all->ncrossed++;
	return true;
}

/* Waits for its turn and carries the generation over: false if it, or any, failed. */
static bool cross(struct side *side, const struct span *span)
{
	struct sides *all = side->all;
	const uint64_t index = gt_merge_generation(side->merge)->index;
	bool good;

	pthread_mutex_lock(&all->lock);
	while (!all->failed && all->ncrossed + 1 < index) {
		pthread_cond_wait(&all->crossed, &all->lock);
	}
	if (!all->failed && !join(all, side, span)) {
		all->failed = true;
	}
	good = !all->failed;
	pthread_cond_broadcast(&all->crossed);
	pthread_mutex_unlock(&all->lock);
	return good;
}

static void fail(struct sides *all)
{
	pthread_mutex_lock(&all->lock);
	all->failed = true;
	pthread_cond_broadcast(&all->crossed);
	pthread_mutex_unlock(&all->lock);
}

static void *run(void *arg)
{
	struct side *side = arg;
	struct span span;
	int n;

	gt_merge_order(side->merge)->granted = &side->granted;
	while ((n = judge(side, &span)) == GT_MERGE_PAUSED && cross(side, &span)) {
	}
	if (n < 0) {
		fail(side->all);
	}
	return NULL;
}

static void begin(struct side *side, struct sides *all, struct gt_merge *merge)
{
	side->all = all;
	side->merge = merge;
	side->running = pthread_create(&side->thread, NULL, run, side) == 0;
}

/* What the side has seen of all its generations. */
static void end(struct side *side, struct gt_tally *t)
{
	const struct gt_idmap_slot *s;

	/* The fewer go to the more: a table that grows while another is poured into it gets lumps.
	 */
	if (side->tally.gs > t->gs) {
		struct gt_idmap more = side->tally.seen;

		side->tally.seen = t->seen;
		t->seen = more;
		t->gs = side->tally.gs;
	}
	for (size_t i = 0; (s = gt_idmap_each(&side->tally.seen, &i)) != NULL;) {
		see_g(t, s->id);
	}
	for (size_t i = 0; i < side->tally.broken.count; i++) {
		t->broken.array = gt_grow(t->broken.array, t->broken.count, &t->broken.cap,
					  sizeof(*t->broken.array));
		t->broken.array[t->broken.count++] = side->tally.broken.array[i];
	}
	t->unread += gt_merge_unread(side->merge);
	gt_tally_fini(&side->tally);
	free(side->granted.ranges);
	free(side->granted.tasks);
	gt_merge_close(side->merge);
}

bool gt_sides_verify(const char *path, unsigned flags, unsigned jobs, struct gt_tally *t)
{
	struct gt_error ignored;
	struct gt_merge *merge;
	struct sides all = {
		.lock = PTHREAD_MUTEX_INITIALIZER, .crossed = PTHREAD_COND_INITIALIZER, .tally = t};
	struct side *sides;

	flags |= GT_MERGE_ALONE | GT_MERGE_PAUSE;
	merge = gt_merge_open(path, flags, &ignored);
	if (merge == NULL) {
		return false;
	}
	all.border = gt_border_new(gt_merge_version(merge), flags & GT_MERGE_STRICT,
				   flags & GT_MERGE_LIVE);
	sides = gt_alloc(jobs * sizeof(*sides));
	for (unsigned i = 1; i < jobs; i++) {
		begin(&sides[i], &all, gt_merge_share(merge, flags));
	}
	sides[0].all = &all;
	sides[0].merge = merge;
	run(&sides[0]);
	for (unsigned i = 0; i < jobs; i++) {
		if (sides[i].running) {
			pthread_join(sides[i].thread, NULL);
		}
		end(&sides[i], t);
	}
	free(sides);
	gt_border_free(all.border);
	return !all.failed && t->generations > 0;
}
