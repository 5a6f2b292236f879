/*
 * The text view: locks with their holders, deadlocks, and orders of locks.
 */
#include "stat_format.h"

#include <inttypes.h>
#include <stdlib.h>

#include "facts.h"

enum { SCREEN_LOCKS = 3, SCREEN_PLACES = 2, PLACES = 6 };

/* --- Who held it ------------------------------------------------------------------------------ */

/* Holders of one lock, by start routine and place of the unlock. */
struct place {
	uint32_t group, stack; /* group: GT_MODEL_NONE */
};

struct holders {
	struct gt_set places;  /* key: struct place, struct gt_model_hold */
	uint32_t *order;       /* the longest first */
	uint64_t total, known; /* ns; known: of somebody */
};

static void holders_make(struct holders *h, struct gt_model *model, uint32_t object)
{
	*h = (struct holders){.places = gt_set_of(sizeof(struct gt_model_hold))};
	for (size_t i = 0; i < model->holds.count; i++) {
		const struct gt_model_hold_key *key = gt_set_key(&model->holds, i, NULL);
		const struct gt_model_hold *from = gt_set_value(&model->holds, i);
		const bool known = key->thread != GT_MODEL_NONE;
		const struct place place = {
			known ? gt_model_group(model, key->thread) : GT_MODEL_NONE, key->stack};
		struct gt_model_hold *to;

		if (key->object != object) {
			continue;
		}
		to = gt_set_get(&h->places, &place, sizeof(place));
		gt_model_share_join(&to->share, &from->share);
		to->held += from->held;
		to->longest = GT_MAX(to->longest, from->longest);
		h->total += from->share.total;
		h->known += known ? from->share.total : 0;
	}
	h->order = gt_model_longest(&h->places);
}

static void holders_fini(struct holders *h)
{
	gt_set_fini(&h->places);
	free(h->order);
}

/* "in Cache::rebuild ← janitor 93 % (janitor)" */
static void held(struct gt_details *d, const struct holders *h, size_t most)
{
	const struct gt_stat *st = d->st;
	size_t left = 0;

	for (size_t i = 0; i < h->places.count; i++) {
		const struct place *place = gt_set_key(&h->places, h->order[i], NULL);
		const struct gt_model_hold *hold = gt_set_value(&h->places, h->order[i]);
		struct gt_word who, where;

		if (hold->share.total == 0 || (i >= most && i + 1 < h->places.count)) {
			left += hold->share.total != 0;
			continue;
		}
		if (place->group == GT_MODEL_NONE) {
			gt_details_add(d, gt_word("%snot seen %s", i ? "" : "held: ",
						  gt_word_percent(hold->share.total, h->total).s));
			continue;
		}
		who = gt_word_group(st, place->group, GT_COLUMNS_NAME);
		where = place->stack
				? gt_word(" in %s", gt_word_stack(st, place->stack, 60, false).s)
				: gt_word(" (place not seen)");
		gt_details_add(d, gt_word("%s%s%.150s %s", i ? "" : "held by ", who.s, where.s,
					  gt_word_percent(hold->share.total, h->total).s));
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
		return gt_word("not known");
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

		if (key->kind == 0 || ns * 50 < whole) {
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
	const struct gt_model_hold *hold = NULL;
	const struct place *place = NULL;
	struct gt_word where, what;
	unsigned percent;

	for (size_t i = 0; i < h->places.count && place == NULL; i++) {
		place = gt_set_key(&h->places, h->order[i], NULL);
		hold = gt_set_value(&h->places, h->order[i]);
		place = place->group == GT_MODEL_NONE || place->stack == 0 ? NULL : place;
	}
	if (place == NULL || hold->share.total * 5 < h->total || hold->share.waits == 0) {
		return;
	}
	where = gt_word_stack(st, place->stack, 44, false);
	most = mostly(st->model, object, &percent);
	if (most != NULL && most->kind == GT_SPAN_RUNNABLE) {
		what = gt_word("more CPUs or fewer threads: %s had it %u %% of that time without "
			       "running",
			       where.s, percent);
	} else if (hold->held / hold->share.waits < SHORT) {
		what = gt_word("take it less often in %s, or split it: each time it is short (%s)",
			       where.s, gt_word_duration(st, hold->held / hold->share.waits).s);
	} else if (most != NULL && most->kind == GT_SPAN_SYSCALL) {
		what = gt_word("no %s in %s under the lock: %u %% of that time",
			       doing_word(st, most).s + sizeof("was in"), where.s, percent);
	} else if (most != NULL && most->kind == GT_SPAN_WAIT) {
		what = gt_word("no waiting in %s under the lock: it %s %u %% of that time", where.s,
			       doing_word(st, most).s, percent);
	} else {
		what = gt_word(
			"less work in %.150s under the lock: it took others %s each time, %s at "
			"most",
			where.s, gt_word_duration(st, hold->held / hold->share.waits).s,
			gt_word_duration(st, hold->longest).s);
	}
	gt_details_end(d);
	gt_details_add(d, gt_word("%s %.300s", st->utf8 ? "→" : "->", what.s));
}

/* --- Locks ------------------------------------------------------------------------------------ */

/* "in lookup ← reader, and 3 other places" */
static struct gt_word waited(const struct gt_stat *st, uint32_t object)
{
	const struct gt_model *model = st->model;
	size_t n;
	const uint32_t *order = gt_model_pairs_of(&model->object_site, object, &n);
	const struct gt_model_site_key *key;
	struct gt_word w;

	key = gt_set_key(&model->sites, gt_model_pair(&model->object_site, order[0])->b, NULL);
	w = gt_word_stack(st, key->stack, GT_COLUMNS_STACK, true);
	return n == 1 ? w
		      : gt_word("%.200s and %zu other place%s", w.s, n - 1, gt_word_plural(n - 1));
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
	fputs(gt_word_lock(st, *index).s, out);
	gt_stat_style(st, out, "0");
	fputc('\n', out);
}

static void lock(const struct gt_stat *st, FILE *out, uint32_t object, uint64_t total, bool first)
{
	struct gt_model *model = st->model;
	const struct gt_model_object *o = gt_set_value(&model->objects, object);
	struct gt_details d = {st, out, 0};
	struct holders h;
	size_t n;

	gt_model_pairs_of(&model->object_thread, object, &n);
	holders_make(&h, model, object);
	lock_row(st, out, object, total);
	held(&d, &h, st->full ? PLACES : SCREEN_PLACES);
	gt_details_end(&d);
	if (n != 0) {
		gt_details_add(&d, gt_word("waited for by %zu thread%s in %s", n, gt_word_plural(n),
					   waited(st, object).s));
	}
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
		fputs("   what others had\n", out);
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

/* --- Circles ---------------------------------------------------------------------------------- */

static void stuck_line(const struct gt_stat *st, FILE *out, const struct gt_model_stuck *s)
{
	const struct gt_span_object *o =
		s->object != GT_MODEL_NONE ? gt_spans_object(st->model->spans, s->object) : NULL;
	const struct gt_word who = gt_word_thread(st, s->thread, GT_COLUMNS_NAME);
	const struct gt_word owner = gt_word_thread(st, s->owner, GT_COLUMNS_NAME);

	fputs("   ", out);
	gt_stat_left(st, out, 20, who);
	if (o == NULL || o->kind == GT_OBJECT_THREAD) {
		fprintf(out, " waits for %s to end", owner.s);
	} else {
		fprintf(out, " waits for %s, which %s has", gt_word_lock(st, s->object).s,
			s->owner == s->thread ? "it itself" : owner.s);
	}
	fprintf(out, ": in %s\n", gt_word_stack(st, s->stack, 60, true).s);
}

void gt_stat_deadlocks(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;

	for (uint32_t cycle = 1; cycle <= model->cycles; cycle++) {
		uint64_t since = 0;
		size_t n = 0, more = 0;

		for (size_t i = 0; i < model->nstuck; i++) {
			if (model->stuck[i].cycle == cycle) {
				n++;
				since = GT_MAX(since, model->stuck[i].since);
			}
		}
		fputc('\n', out);
		gt_stat_style(st, out, "1;31");
		fprintf(out,
			n == 1 ? "Deadlock: %zu thread waits for itself"
			       : "Deadlock: %zu threads wait for each other",
			n);
		gt_stat_style(st, out, "0");
		fprintf(out, ", for %s, until the end of the trace\n",
			gt_word_duration(st, model->end - since).s);
		for (size_t i = 0; i < model->nstuck; i++) {
			if (model->stuck[i].cycle == cycle && (more < 8 || st->full)) {
				stuck_line(st, out, &model->stuck[i]);
				more++;
			}
		}
		if (more < n) {
			fprintf(out, "   and %zu more\n", n - more);
		}
	}
}

static void ring(const struct gt_stat *st, FILE *out, const struct gt_model_ring *ring)
{
	struct gt_model *model = st->model;

	for (size_t i = 0; i < ring->n; i++) {
		const struct gt_model_order *order = gt_model_order(model, ring, i);
		const uint32_t *held = gt_set_value(&model->locks, ring->locks[i]);
		const uint32_t *wanted =
			gt_set_value(&model->locks, ring->locks[(i + 1) % ring->n]);

		fprintf(out, "   %s %s, then %s: %s%s in %s, %s time%s\n", i ? "but" : "   ",
			gt_word_lock(st, *held).s, gt_word_lock(st, *wanted).s,
			gt_word_thread(st, order->thread, GT_COLUMNS_NAME).s,
			order->others ? " and others" : "",
			gt_word_stack(st, order->stack, 50, false).s, gt_word_number(order->sure).s,
			gt_word_plural(order->sure));
	}
}

/* Where there is a deadlock it says the same, and better. */
void gt_stat_orders(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	const size_t most = st->full ? st->top : 1;

	if (model->nrings == 0 || (model->cycles != 0 && !st->full)) {
		return;
	}
	gt_stat_title(st, out, 0, "Lock order");
	fputs(" that may end in a deadlock: a lock held while the next one was waited for\n", out);
	for (size_t i = 0; i < model->nrings && i < most; i++) {
		ring(st, out, &model->rings[i]);
	}
	if (model->nrings > most) {
		fprintf(out, "   and %zu more such circles\n", model->nrings - most);
	}
}
