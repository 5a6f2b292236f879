/*
 * The text view: lists of threads, of places where they waited, of who woke whom.
 */
#include "stat_format.h"

#include <inttypes.h>
#include <stdlib.h>

/* Without --full. */
enum { SCREEN_SITES = 3 };

/* --- Threads ---------------------------------------------------------------------------------- */

enum { RUNNING, RUNNABLE, SYSCALL, BLOCKED, SHARES };

static const char *const share_styles[SHARES] = {"32", "33", "36", "2"};

static const char *share_mark(const struct gt_stat *st, unsigned share)
{
	static const char *const marks[SHARES] = {"█", "▒", "▚", "·"};
	static const char *const plain[SHARES] = {"#", "+", "%", "."};

	return (st->utf8 ? marks : plain)[share];
}

static void bar(const struct gt_stat *st, FILE *out, const uint64_t shares[SHARES])
{
	uint64_t whole = 0, below = 0;
	unsigned share = 0;

	for (unsigned i = 0; i < SHARES; i++) {
		whole += shares[i];
	}
	if (whole == 0) {
		return;
	}
	gt_stat_style(st, out, share_styles[share]);
	for (unsigned i = 0; i < GT_COLUMNS_BAR; i++) {
		/* The share in which the middle of this column lies. */
		const double middle = ((double)i + 0.5) / GT_COLUMNS_BAR * (double)whole;

		while (share + 1 < SHARES && middle >= (double)(below + shares[share])) {
			below += shares[share++];
			gt_stat_style(st, out, "0");
			gt_stat_style(st, out, share_styles[share]);
		}
		fputs(share_mark(st, share), out);
	}
	gt_stat_style(st, out, "0");
}

struct row {
	struct gt_word name, id;
	uint64_t shares[SHARES], blocks;
};

static void thread_row(const struct gt_stat *st, FILE *out, const struct row *row, bool syscalls)
{
	fputs("  ", out);
	gt_stat_left(st, out, GT_COLUMNS_NAME, row->name);
	gt_stat_right(st, out, 8, row->id);
	for (unsigned i = 0; i < SHARES; i++) {
		if (i != SYSCALL || syscalls) {
			gt_stat_time(st, out, row->shares[i]);
		}
	}
	gt_stat_right(st, out, 9, gt_word_number(row->blocks));
	fputs("   ", out);
	bar(st, out, row->shares);
	fputc('\n', out);
}

static void members(const struct gt_stat *st, FILE *out, uint32_t group, bool syscalls)
{
	struct gt_model *model = st->model;

	for (uint32_t i = 0; i < model->nthreads; i++) {
		const struct gt_model_thread *t = &model->threads[i];
		const struct row row = {
			t->is->nlabels && ((struct gt_model_group *)gt_set_value(&model->groups,
										 group))
							  ->label == GT_MODEL_NONE
				? gt_word("  %s", gt_word_thread(st, i, GT_COLUMNS_NAME - 2).s)
				: gt_word("  #%" PRIu64, t->is->id),
			t->is->tid == GT_NO_M || !model->by_gtrace
				? gt_word("%s", "")
				: gt_word("%" PRIu64, t->is->tid),
			{t->running, t->runnable, t->syscall + t->syscall_blocked, t->waiting},
			t->blocks};

		if (t->is->seen && gt_model_group(model, i) == group) {
			thread_row(st, out, &row, syscalls);
		}
	}
}

/* "blocked: cond 1.23 s in 45 waits, mutex ..." */
static void group_reasons(const struct gt_stat *st, FILE *out, uint32_t group)
{
	const struct gt_model_pairs *pairs = &st->model->group_reason;
	const struct gt_model_group *g = gt_set_value(&st->model->groups, group);
	struct gt_details d = {.st = st, .out = out};
	size_t n;
	const uint32_t *order = gt_model_pairs_of(pairs, group, &n);

	for (size_t i = 0; i < n; i++) {
		const struct gt_model_share *share = gt_model_share(pairs, order[i]);

		gt_details_add(&d, gt_word("%s%s %s %s", i ? "" : "blocked: ",
					   gt_word_reason(st, gt_model_pair(pairs, order[i])->b).s,
					   gt_word_duration(st, share->total).s,
					   gt_word("in %s wait%s", gt_word_number(share->waits).s,
						   gt_word_plural(share->waits))
						   .s));
	}
	if (g->yields != 0) {
		gt_details_add(&d, gt_word("yielded %s time%s", gt_word_number(g->yields).s,
					   gt_word_plural(g->yields)));
	}
	gt_details_end(&d);
}

/* Those that ran most come first. */
static int by_running(const void *x, const void *y, void *groups)
{
	const uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
	const struct gt_model_group *a = gt_set_value(groups, i), *b = gt_set_value(groups, j);

	return a->running != b->running ? (a->running < b->running ? 1 : -1) : (i > j) - (i < j);
}

static void system_threads(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	uint64_t running = 0;

	for (size_t i = 0; i < model->nthreads; i++) {
		running += model->threads[i].system ? model->threads[i].running : 0;
	}
	if (model->systems && !st->system && st->full) {
		fprintf(out, "  Not shown: %s system %s%s, running %s (--system)\n",
			gt_word_number(model->systems).s, model->by_gtrace ? "thread" : "goroutine",
			gt_word_plural(model->systems), gt_word_duration(st, running).s);
	}
}

void gt_stat_threads(const struct gt_stat *st, FILE *out, size_t rows)
{
	struct gt_model *model = st->model;
	uint32_t *order = gt_alloc(model->groups.count * sizeof(*order));
	const bool each = st->full && model->users <= st->top;
	const size_t most = st->full ? st->top : GT_MIN(st->top, rows);
	uint64_t hidden = 0, hidden_groups = 0, hidden_running = 0;
	size_t n = 0, shown = 0;
	bool syscalls = false;

	for (uint32_t i = 0; i < model->groups.count; i++) {
		const struct gt_model_group *g = gt_set_value(&model->groups, i);

		if (g->threads != 0 && (!g->system || st->system)) {
			order[n++] = i;
			syscalls |= g->syscalls != 0 || g->syscall + g->syscall_blocked != 0;
		}
	}
	qsort_r(order, n, sizeof(*order), by_running, &model->groups);
	gt_stat_title(st, out, GT_COLUMNS_NAME + 2, model->by_gtrace ? "Threads" : "Goroutines");
	gt_stat_right(st, out, 8, gt_word("%s", model->by_gtrace ? "tid" : ""));
	gt_stat_heads(st, out, GT_COLUMNS_TIME, (const char *const[]){"running", "runnable", NULL});
	gt_stat_heads(st, out, GT_COLUMNS_TIME,
		      (const char *const[]){syscalls ? "syscalls" : NULL, NULL});
	gt_stat_heads(st, out, GT_COLUMNS_TIME, (const char *const[]){"blocked", "times", NULL});
	fprintf(out, syscalls ? "   %s run %s ready" : "   %s running %s runnable",
		share_mark(st, RUNNING), share_mark(st, RUNNABLE));
	if (syscalls) {
		fprintf(out, " %s sys", share_mark(st, SYSCALL));
	}
	fprintf(out, " %s blocked\n", share_mark(st, BLOCKED));
	for (size_t i = 0; i < n; i++) {
		const struct gt_model_group *g = gt_set_value(&model->groups, order[i]);
		const struct gt_span_thread *first = model->threads[g->first].is;
		const struct row row = {
			gt_word_group(st, order[i], GT_COLUMNS_NAME),
			g->threads == 1 && first->tid != GT_NO_M && model->by_gtrace
				? gt_word("%" PRIu64, first->tid)
				: gt_word("%s", ""),
			{g->running, g->runnable, g->syscall + g->syscall_blocked, g->waiting},
			g->blocks};

		if (shown++ >= most) {
			hidden += g->threads;
			hidden_groups++;
			hidden_running += g->running;
			continue;
		}
		thread_row(st, out, &row, syscalls);
		if (st->full) {
			group_reasons(st, out, order[i]);
		}
		if (each && g->threads > 1) {
			members(st, out, order[i], syscalls);
		}
	}
	if (hidden) {
		fprintf(out, "  and %s more of %s start routine%s, running %s\n",
			gt_word_number(hidden).s, gt_word_number(hidden_groups).s,
			gt_word_plural(hidden_groups), gt_word_duration(st, hidden_running).s);
	}
	free(order);
	system_threads(st, out);
}

/* --- Sites ------------------------------------------------------------------------------------ */

/* By threads if they are few, else by groups. */
static struct gt_word waiters(const struct gt_stat *st, uint32_t site)
{
	const struct gt_model_pairs *pairs = &st->model->site_thread;
	size_t n;
	const uint32_t *order = gt_model_pairs_of(pairs, site, &n);
	const uint32_t first = gt_model_pair(pairs, order[0])->b;
	const struct gt_model_group *group;
	uint32_t name;

	if (n == 1) {
		return gt_word_thread(st, first, 40);
	}
	/* All stacks of a site end in the same function, and so have the same start routine. */
	group = gt_set_value(&st->model->groups, gt_model_group(st->model, first));
	name = group->label != GT_MODEL_NONE ? group->label : st->model->threads[first].entry;
	return gt_word("%s %s%zu", gt_word_routine(st, name, 36).s, gt_word_times(st), n);
}

static void site_details(const struct gt_stat *st, FILE *out, uint32_t index)
{
	const struct gt_model *model = st->model;
	const struct gt_model_site *site = gt_set_value(&model->sites, index);
	struct gt_details d = {.st = st, .out = out, .lines = st->full ? 0 : 1};
	size_t n;
	const uint32_t *order = gt_model_pairs_of(&model->site_object, index, &n);
	const uint32_t most = n ? gt_model_pair(&model->site_object, order[0])->b : 0;

	gt_details_add(&d, gt_word("by %s", waiters(st, index).s));
	if (n != 0 && gt_model_object(model, most)->kind != GT_OBJECT_THREAD) {
		gt_details_parts(&d, "held by", &model->site_owner, index, site->share.total);
	}
	gt_details_parts(&d, "woken by", &model->site_waker, index, site->share.total);
	if (n == 1) {
		gt_details_add(&d, gt_word("for %s", gt_word_object(st, most).s));
	} else if (n > 1) {
		gt_details_add(&d,
			       gt_word("for %s objects, %s of it for %s", gt_word_number(n).s,
				       gt_word_percent(
					       gt_model_share(&model->site_object, order[0])->total,
					       site->share.total)
					       .s,
				       gt_word_object(st, most).s));
	}
	/* Without --full it is said of the lock. */
	if (site->retakes.waits && st->full) {
		gt_details_parts(&d,
				 gt_word("of it %s for the mutex, held by",
					 gt_word_duration(st, site->retakes.total).s)
					 .s,
				 &model->site_retake, index, site->retakes.total);
	}
	if (site->how[GT_ENDED_TIMEOUT]) {
		gt_details_add(
			&d, gt_word("%s timed out", gt_word_number(site->how[GT_ENDED_TIMEOUT]).s));
	}
	if (site->how[GT_SPAN_OPEN]) {
		gt_details_add(&d, gt_word("%s still waiting at the end",
					   gt_word_number(site->how[GT_SPAN_OPEN]).s));
	}
	gt_details_end(&d);
}

/* It stands among the locks. */
static bool is_for_lock(const struct gt_model *model, uint32_t site)
{
	size_t n;
	const uint32_t *order = gt_model_pairs_of(&model->site_object, site, &n);

	return n != 0 &&
	       gt_object_has_holder(
		       gt_model_object(model, gt_model_pair(&model->site_object, order[0])->b)
			       ->kind);
}

static void site_heads(const struct gt_stat *st, FILE *out)
{
	gt_stat_title(st, out, 5, st->full || !st->model->by_gtrace ? "Waits" : "Other");
	gt_stat_heads(st, out, GT_COLUMNS_TIME - 2, (const char *const[]){"total", NULL});
	gt_stat_heads(st, out, GT_COLUMNS_TIME,
		      (const char *const[]){"times", "mean", "p50", "p99", "max", NULL});
	fputs(st->full || !st->model->by_gtrace ? "   where\n" : "   where else they waited\n",
	      out);
}

static void site_row(const struct gt_stat *st, FILE *out, uint32_t index)
{
	const struct gt_model_site *site = gt_set_value(&st->model->sites, index);
	const struct gt_model_site_key *key = gt_set_key(&st->model->sites, index, NULL);
	const struct gt_word reason = gt_word_reason(st, key->reason);

	gt_stat_fill(out, 3);
	gt_stat_time(st, out, site->share.total);
	gt_stat_right(st, out, GT_COLUMNS_TIME, gt_word_number(site->share.waits));
	gt_stat_time(st, out, site->share.total / site->share.waits);
	gt_stat_time(st, out, gt_hist_part(&site->hist, 0.5));
	gt_stat_time(st, out, gt_hist_part(&site->hist, 0.99));
	gt_stat_time(st, out, site->share.max);
	fputs("   ", out);
	gt_stat_style(st, out, "1");
	fprintf(out, "%s: %s", reason.s,
		gt_word_stack(st, key->stack, gt_columns_behind(st, reason.s), true).s);
	gt_stat_style(st, out, "0");
	fputc('\n', out);
	site_details(st, out, index);
}

void gt_stat_sites(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	uint32_t *order = gt_model_longest(&model->sites);
	const size_t most = st->full ? st->top : GT_MIN(st->top, SCREEN_SITES);
	size_t shown = 0, hidden = 0;
	uint64_t hidden_total = 0, whole = 0, lasting = 0;

	for (size_t i = 0; i < model->sites.count; i++) {
		const struct gt_model_site *site = gt_set_value(&model->sites, order[i]);

		if (site->share.waits == 0 || (site->system && !st->system) ||
		    (!st->full && is_for_lock(model, order[i]))) {
			continue;
		}
		if (shown + lasting == 0) {
			site_heads(st, out);
		}
		/* Idle, most likely: it would hide what is not. */
		if (site->how[GT_SPAN_OPEN] == site->share.waits && st->top != SIZE_MAX) {
			lasting++;
			continue;
		}
		whole += site->share.total;
		/* Nor what does not matter, unless all is asked for. */
		if (shown++ >= most ||
		    (st->top != SIZE_MAX && shown > 3 && site->share.total * 1000 < whole)) {
			hidden++;
			hidden_total += site->share.total;
			continue;
		}
		site_row(st, out, order[i]);
	}
	if (hidden) {
		fprintf(out, "   and %s more place%s, %s in total%s", gt_word_number(hidden).s,
			gt_word_plural(hidden), gt_word_duration(st, hidden_total).s,
			lasting ? "" : "\n");
	}
	if (lasting) {
		fprintf(out, "%s %s where a thread came to wait until the end (--top 0)\n",
			hidden ? "; besides" : "   and", gt_word_number(lasting).s);
	}
	if (shown + lasting == 0 && (st->full || !model->by_gtrace)) {
		site_heads(st, out);
		fputs("   none\n", out);
	}
	free(order);
}

/* --- Owners, wakes ---------------------------------------------------------------------------- */

void gt_stat_owners(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	uint32_t *order = gt_model_longest(&model->owners);

	if (model->owners.count != 0) {
		gt_stat_title(st, out, 0, "Who held what others waited for");
		fputs(", when they began to wait\n", out);
	}
	for (size_t i = 0; i < model->owners.count && i < st->top; i++) {
		const struct gt_model_share *share = gt_set_value(&model->owners, order[i]);
		const uint32_t *owner = gt_set_key(&model->owners, order[i], NULL);

		gt_stat_fill(out, 3);
		gt_stat_time(st, out, share->total);
		gt_stat_right(st, out, GT_COLUMNS_TIME, gt_word_number(share->waits));
		fprintf(out, "   %s\n", gt_word_thread(st, *owner, 50).s);
	}
	free(order);
}

/* By threads where there are few, else by start routines. */
void gt_stat_wakes(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	const bool each = model->users <= st->top;
	const struct gt_set *set = each ? &model->wakes : &model->group_wakes;
	struct gt_word (*const who)(const struct gt_stat *, uint32_t, size_t) =
		each ? gt_word_thread : gt_word_group;
	uint32_t *order = gt_model_longest(set);
	size_t shown = 0, hidden = 0;
	uint64_t hidden_times = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct gt_model_share *share = gt_set_value(set, order[i]);
		const struct gt_model_wake_key *key = gt_set_key(set, order[i], NULL);

		if (each && model->threads[key->wakee].system) {
			continue;
		}
		if (shown == 0) {
			gt_stat_title(st, out, 0, "Who woke whom");
			fputs(", and how long those had waited\n", out);
		}
		if (shown++ >= st->top) {
			hidden++;
			hidden_times += share->waits;
			continue;
		}
		gt_stat_fill(out, 3);
		gt_stat_time(st, out, share->total);
		gt_stat_right(st, out, GT_COLUMNS_TIME, gt_word_number(share->waits));
		fputs("   ", out);
		gt_stat_left(st, out, 42,
			     gt_word("%.120s %s %.120s", who(st, key->waker, GT_COLUMNS_NAME).s,
				     st->utf8 ? "→" : "->",
				     who(st, key->wakee, GT_COLUMNS_NAME).s));
		fprintf(out, " %s", gt_word_reason(st, key->reason).s);
		if (key->stack != 0) {
			fprintf(out, ", from %s", gt_word_stack(st, key->stack, 30, false).s);
		}
		fputc('\n', out);
	}
	if (hidden) {
		fprintf(out, "   and %s more, %s times\n", gt_word_number(hidden).s,
			gt_word_number(hidden_times).s);
	}
	free(order);
}
