/*
 * The text view: locks with their holders.
 */
#include "stat_format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"

enum {
	SCREEN_LOCKS = 3,
	SCREEN_PLACES = 2,
	PLACES = 6,
	PLACE = 55, /* columns of a place */
};

/* So many threads of a group; or one, by its own name. */
static struct gt_word threads(const struct gt_stat *st, uint32_t group, uint32_t n, uint32_t one)
{
	return n == 1 ? gt_word_thread(st, one, GT_COLUMNS_NAME)
		      : gt_word_group_of(st, group, n, GT_COLUMNS_NAME);
}

/* --- Who held it ------------------------------------------------------------------------------ */

/* Holders of one lock, by start routine and what is shown of the place of the unlock. */
struct held {
	struct gt_model_hold hold;
	uint32_t group, thread; /* group: GT_MODEL_NONE: not seen */
	uint32_t stack;         /* 0: not seen */
	uint32_t threads;       /* how many; thread is one of them */
};

struct holders {
	struct gt_set places;  /* struct held */
	uint32_t *order;       /* the longest first */
	uint64_t total, known; /* ns; known: of somebody */
};

static void holders_make(struct holders *h, const struct gt_stat *st, uint32_t object)
{
	struct gt_model *model = st->model;

	struct gt_set seen = gt_set_of(0); /* key: uint32_t[2]: a place, a thread of it */

	*h = (struct holders){.places = gt_set_of(sizeof(struct held))};
	for (size_t i = 0; i < model->holds.count; i++) {
		const struct gt_model_hold_key *key = gt_set_key(&model->holds, i, NULL);
		const struct gt_model_hold *from = gt_set_value(&model->holds, i);
		const bool known = key->thread != GT_MODEL_NONE;
		const uint32_t group = known ? gt_model_group(model, key->thread) : GT_MODEL_NONE;
		uint32_t pair[] = {0, key->thread};
		const size_t before = seen.count;
		struct gt_word place;
		struct held *to;

		if (key->object != object) {
			continue;
		}
		place = gt_word("%" PRIu32 " %.300s", group,
				key->stack ? gt_word_stack(st, key->stack, PLACE, false).s : "");
		pair[0] = gt_set_put(&h->places, place.s, strlen(place.s));
		to = gt_set_value(&h->places, pair[0]);
		to->threads += gt_set_put(&seen, pair, sizeof(pair)) == before;
		to->group = group;
		to->thread = key->thread;
		to->stack = key->stack;
		gt_model_share_join(&to->hold.share, &from->share);
		to->hold.held += from->held;
		to->hold.longest = GT_MAX(to->hold.longest, from->longest);
		h->total += from->share.total;
		h->known += known ? from->share.total : 0;
	}
	h->order = gt_model_longest(&h->places);
	gt_set_fini(&seen);
}

static void holders_fini(struct holders *h)
{
	gt_set_fini(&h->places);
	free(h->order);
}

/* "held by janitor in Cache::rebuild ← janitor 93 %" */
static void held(struct gt_details *d, const struct holders *h, size_t most)
{
	const struct gt_stat *st = d->st;
	size_t left = 0, shown = 0;

	for (size_t i = 0; i < h->places.count; i++) {
		const struct held *held = gt_set_value(&h->places, h->order[i]);
		const uint64_t ns = held->hold.share.total;
		const struct gt_word part = gt_word_percent(ns, h->total);
		const char *const by = shown ? "" : "held by ";
		struct gt_word who, where;

		if (ns == 0 || shown >= most || (shown && !st->full && ns * 50 < h->total)) {
			left += ns != 0;
		} else if (held->group == GT_MODEL_NONE) {
			gt_details_add(d, gt_word("%s %s", shown++ ? "not seen" : "held: not seen",
						  part.s));
		} else {
			who = threads(st, held->group, held->threads, held->thread);
			where = held->stack
					? gt_word(" in %s",
						  gt_word_stack(st, held->stack, PLACE, false).s)
					: gt_word(" (place not seen)");
			gt_details_add(d, gt_word("%s%s%.200s %s", by, who.s, where.s, part.s));
			shown++;
		}
	}
	if (left) {
		gt_details_add(d, gt_word("%zu more", left));
	}
}

/* --- What it did ------------------------------------------------------------------------------ */

static struct gt_word doing_word(const struct gt_stat *st, const struct gt_model_doing_key *key)
{
	struct gt_call_name room;

	switch (key->kind) {
	case GT_SPAN_RUNNING:
		return gt_word("ran");
	case GT_SPAN_RUNNABLE:
		return gt_word("was ready but had no CPU");
	case GT_SPAN_SYSCALL:
		return gt_word("was in %s", key->what ? gt_call_name(key->what, &room) : "a call");
	case GT_SPAN_WAIT:
		return gt_word("waited (%s)", gt_word_reason(st, (uint32_t)key->what).s);
	default:
		return gt_word("did what is not known");
	}
}

static void meanwhile(struct gt_details *d, uint32_t object)
{
	enum { MOST = 4 };
	const struct gt_model *model = d->st->model;
	size_t n, shown = 0;
	const uint32_t *order = gt_model_pairs_of(&model->object_doing, object, &n);
	uint64_t whole = 0;
	struct gt_word w = gt_word("the holder");

	for (size_t i = 0; i < n; i++) {
		whole += gt_model_share(&model->object_doing, order[i])->total;
	}
	for (size_t i = 0; i < n && shown < MOST; i++) {
		const struct gt_model_doing_key *key = gt_set_key(
			&model->doings, gt_model_pair(&model->object_doing, order[i])->b, NULL);
		const uint64_t ns = gt_model_share(&model->object_doing, order[i])->total;

		/* That little is not known says nothing. */
		if (ns * (key->kind == 0 ? 4 : 50) < whole) {
			continue;
		}
		w = gt_word("%.200s%s %.60s %s", w.s, shown++ ? "," : "", doing_word(d->st, key).s,
			    gt_word_percent(ns, whole).s);
	}
	if (shown) {
		gt_details_add(d, w);
	}
}

/* What it was for at least half of the time. */
static const struct gt_model_doing_key *mostly(const struct gt_model *model, uint32_t object,
					       unsigned *percent)
{
	const struct gt_model_doing_key *most = NULL;
	size_t n;
	const uint32_t *order = gt_model_pairs_of(&model->object_doing, object, &n);
	uint64_t whole = 0, longest = 0;

	for (size_t i = 0; i < n; i++) {
		const struct gt_model_doing_key *key = gt_set_key(
			&model->doings, gt_model_pair(&model->object_doing, order[i])->b, NULL);
		const uint64_t ns = gt_model_share(&model->object_doing, order[i])->total;

		whole += ns;
		if (key->kind != 0 && ns > longest) {
			longest = ns;
			most = key;
		}
	}
	*percent = whole ? (unsigned)(100 * (gt_u128)longest / whole) : 0;
	return *percent >= 50 ? most : NULL;
}

/* What would help, as far as the trace says it. */
static void advice(struct gt_details *d, const struct holders *h, uint32_t object)
{
	enum { SHORT = 50000 }; /* ns: not longer than threads need to fall asleep and to wake */
	const struct gt_stat *st = d->st;
	const struct gt_model_doing_key *most;
	const struct held *held = NULL;
	struct gt_word what, rest; /* around the place */
	size_t left;
	uint64_t each;
	unsigned percent;

	for (size_t i = 0; i < h->places.count && held == NULL; i++) {
		held = gt_set_value(&h->places, h->order[i]);
		held = held->stack == 0 ? NULL : held;
	}
	if (held == NULL || held->hold.share.total * 5 < h->total || held->hold.share.waits == 0) {
		return;
	}
	each = held->hold.held / held->hold.share.waits;
	most = mostly(st->model, object, &percent);
	if (most != NULL && most->kind == GT_SPAN_RUNNABLE) {
		what = gt_word("more CPUs or fewer threads: ");
		rest = gt_word(" had no CPU %u %% of the time", percent);
	} else if (each < SHORT) {
		what = gt_word("take it less often, or split it: only %s each time in ",
			       gt_word_duration(st, each).s);
		rest = gt_word("%s", "");
	} else if (most != NULL && most->kind == GT_SPAN_SYSCALL) {
		what = gt_word("no %s under this lock in ",
			       doing_word(st, most).s + sizeof("was in"));
		rest = gt_word(": %u %% of the time", percent);
	} else if (most != NULL && most->kind == GT_SPAN_WAIT) {
		what = gt_word("no waiting under this lock in ");
		rest = gt_word(": it %s %u %% of the time", doing_word(st, most).s, percent);
	} else {
		what = gt_word(gt_stat_crowded(st->model)
				       ? "more CPUs or fewer threads, or less work under it in "
				       : "less work under this lock in ");
		rest = gt_word(": %s each time, %s at most", gt_word_duration(st, each).s,
			       gt_word_duration(st, held->hold.longest).s);
	}
	left = GT_COLUMNS_DETAILS - gt_word_columns(st, what.s) - gt_word_columns(st, rest.s);
	gt_details_end(d);
	gt_details_add(d, gt_word("%s %.100s%.150s%.60s", st->utf8 ? "→" : "->", what.s,
				  gt_word_stack(st, held->stack, GT_MIN(left - 3, PLACE), false).s,
				  rest.s));
}

/* --- Locks ------------------------------------------------------------------------------------ */

/* "lookup ← reader and 3 other places" */
static struct gt_word waited_in(const struct gt_stat *st, uint32_t object)
{
	const struct gt_model *model = st->model;
	const struct gt_model_pairs *pairs = &model->object_site;
	size_t n, retakes;
	const uint32_t *order = gt_model_pairs_of(pairs, object, &n);
	const uint32_t *retake = gt_model_pairs_of(&model->object_retake_site, object, &retakes);
	const struct gt_model_site_key *key;
	struct gt_word w;

	if (n == 0 || (retakes != 0 && gt_model_share(&model->object_retake_site, *retake)->total >
					       gt_model_share(pairs, *order)->total)) {
		pairs = &model->object_retake_site;
		order = retake;
	}
	n += retakes;
	if (n == 0) {
		return gt_word("%s", "");
	}
	key = gt_set_key(&model->sites, gt_model_pair(pairs, *order)->b, NULL);
	w = gt_word_stack(st, key->stack, GT_COLUMNS_STACK, true);
	return n == 1 ? w
		      : gt_word("%.200s and %zu other place%s", w.s, n - 1, gt_word_plural(n - 1));
}

/* Threads with one start routine that waited. */
struct waiters {
	struct gt_model_share share;
	uint32_t threads, one; /* how many, and the last of them */
};

/* seen: key: the threads that are counted already. */
static void waiters_of(struct gt_set *groups, struct gt_set *seen, struct gt_model *model,
		       const struct gt_model_pairs *pairs, uint32_t object)
{
	size_t n;
	const uint32_t *order = gt_model_pairs_of(pairs, object, &n);

	for (size_t i = 0; i < n; i++) {
		const uint32_t thread = gt_model_pair(pairs, order[i])->b;
		const uint32_t group = gt_model_group(model, thread);
		const size_t before = seen->count;
		struct waiters *of = gt_set_get(groups, &group, sizeof(group));

		gt_model_share_join(&of->share, gt_model_share(pairs, order[i]));
		of->threads += gt_set_put(seen, &thread, sizeof(thread)) == before;
		of->one = thread;
	}
}

/* "waited for by worker ×3 92 %, flusher 8 % in lookup ← worker" */
static void waiters(struct gt_details *d, uint32_t object)
{
	enum { MOST = 2 };
	const struct gt_stat *st = d->st;
	struct gt_model *model = st->model;
	struct gt_set groups = gt_set_of(sizeof(struct waiters)), seen = gt_set_of(0);
	struct gt_word w = gt_word("waited for by"), who, where;
	uint64_t whole = 0;
	size_t left = 0;
	uint32_t *order;

	waiters_of(&groups, &seen, model, &model->object_thread, object);
	waiters_of(&groups, &seen, model, &model->object_retaker, object);
	for (size_t i = 0; i < groups.count; i++) {
		whole += ((struct waiters *)gt_set_value(&groups, i))->share.total;
	}
	order = gt_model_longest(&groups);
	for (size_t i = 0; i < groups.count; i++) {
		const struct waiters *of = gt_set_value(&groups, order[i]);
		const uint32_t *group = gt_set_key(&groups, order[i], NULL);

		if (i >= MOST || (i > 0 && !st->full && of->share.total * 100 < whole)) {
			left++;
			continue;
		}
		who = threads(st, *group, of->threads, of->one);
		w = gt_word("%.150s%s %s", w.s, i ? "," : "", who.s);
		if (groups.count > 1) {
			w = gt_word("%.200s %s", w.s, gt_word_percent(of->share.total, whole).s);
		}
	}
	if (left && (st->full || groups.count > MOST)) {
		w = gt_word("%.200s, %zu more", w.s, left);
	}
	where = waited_in(st, object);
	if (*where.s && groups.count == left + 1) {
		w = gt_word("%.150s in %.150s", w.s, where.s);
	}
	if (groups.count != 0) {
		gt_details_add(d, w);
	}
	if (*where.s && groups.count != left + 1) {
		gt_details_add(d, gt_word("in %.200s", where.s));
	}
	free(order);
	gt_set_fini(&groups);
	gt_set_fini(&seen);
}

static void lock_row(const struct gt_stat *st, FILE *out, uint32_t object, uint64_t total)
{
	const struct gt_model *model = st->model;
	const struct gt_model_object *o = gt_set_value(&model->objects, object);
	const uint64_t times = o->share.waits + o->retakes.waits;
	const uint32_t *index = gt_set_key(&model->objects, object, NULL);

	gt_stat_fill(out, 3);
	gt_stat_time(st, out, total);
	gt_stat_right(st, out, GT_COLUMNS_TIME, gt_word_number(times));
	gt_stat_time(st, out, times ? total / times : 0);
	gt_stat_time(st, out, gt_hist_part(&o->hist, 0.5));
	gt_stat_time(st, out, gt_hist_part(&o->hist, 0.99));
	gt_stat_time(st, out, GT_MAX(o->share.max, o->retakes.max));
	fputs("   ", out);
	gt_stat_style(st, out, "1");
	fputs(gt_word_clip(st, gt_word_lock(st, *index).s, GT_COLUMNS_WHERE).s, out);
	gt_stat_style(st, out, "0");
	fputc('\n', out);
}

static void lock(const struct gt_stat *st, FILE *out, uint32_t object, uint64_t total, bool first)
{
	struct gt_model *model = st->model;
	const struct gt_model_object *o = gt_set_value(&model->objects, object);
	struct gt_details d = {.st = st, .out = out};
	struct holders h;

	holders_make(&h, st, object);
	lock_row(st, out, object, total);
	d.lines = st->full ? 0 : first ? 2 : 1;
	held(&d, &h, st->full ? PLACES : first ? SCREEN_PLACES : 1);
	gt_details_end(&d);
	d.lines = st->full ? 0 : first ? 3 : 1;
	waiters(&d, object);
	if (o->retakes.waits != 0) {
		gt_details_add(&d, gt_word("%s of it after waits on conditions",
					   gt_word_percent(o->retakes.total, total).s));
	}
	if (o->how[GT_ENDED_TIMEOUT] != 0) {
		gt_details_add(&d,
			       gt_word("%s timed out", gt_word_number(o->how[GT_ENDED_TIMEOUT]).s));
	}
	if (o->how[GT_SPAN_OPEN] != 0) {
		gt_details_add(&d, gt_word("%s still waiting at the end",
					   gt_word_number(o->how[GT_SPAN_OPEN]).s));
	}
	meanwhile(&d, object);
	if (first || st->full) {
		advice(&d, &h, object);
	}
	gt_details_end(&d);
	holders_fini(&h);
}

void gt_stat_locks(const struct gt_stat *st, FILE *out)
{
	struct gt_model *model = st->model;
	const size_t most = st->full ? st->top : GT_MIN(st->top, SCREEN_LOCKS);
	struct gt_set totals = gt_set_of(sizeof(struct gt_model_share));
	uint32_t *order;
	uint64_t hidden_total = 0, whole = 0;
	size_t hidden = 0;

	for (uint32_t i = 0; i < model->objects.count; i++) {
		const struct gt_model_object *o = gt_set_value(&model->objects, i);
		struct gt_model_share *share;

		if (gt_object_has_holder(gt_model_object(model, i)->kind)) {
			share = gt_set_get(&totals, &i, sizeof(i));
			gt_model_share_join(share, &o->share);
			gt_model_share_join(share, &o->retakes);
		}
	}
	order = gt_model_longest(&totals);
	if (totals.count != 0) {
		gt_stat_title(st, out, 5, "Locks");
		gt_stat_heads(st, out, GT_COLUMNS_TIME - 2, (const char *const[]){"total", NULL});
		gt_stat_heads(st, out, GT_COLUMNS_TIME,
			      (const char *const[]){"times", "mean", "p50", "p99", "max", NULL});
		fputs("   lock, who held it, who waited\n", out);
	}
	for (size_t i = 0; i < totals.count; i++) {
		const struct gt_model_share *share = gt_set_value(&totals, order[i]);
		const uint32_t *object = gt_set_key(&totals, order[i], NULL);

		whole += share->total;
		if (i >= most || (st->top != SIZE_MAX && i > 0 && share->total * 100 < whole)) {
			hidden++;
			hidden_total += share->total;
		} else {
			lock(st, out, *object, share->total, i == 0);
		}
	}
	if (hidden) {
		fprintf(out, "   and %s more lock%s, %s in total\n", gt_word_number(hidden).s,
			gt_word_plural(hidden), gt_word_duration(st, hidden_total).s);
	}
	free(order);
	gt_set_fini(&totals);
}
