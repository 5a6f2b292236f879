/*
 * The model as one screen of text: who ran, who waited where and for what, who woke whom.
 */
#include "stat_view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
	WIDE = 108,  /* columns of a line */
	NAME = 28,   /* of a thread's name */
	TIME = 9,    /* of a duration, with the space before it */
	BAR = 24,    /* of a bar */
	FRAME = 36,  /* of a function's name in a stack, if it is not the only one */
	STACK = 48,  /* of a stack */
	INDENT = 11, /* of details */
};

/* --- Words ------------------------------------------------------------------------------------ */

/* A piece of text, short enough to be passed around. */
struct word {
	char s[320];
};

static GT_PRINTF(1, 2) struct word word(const char *format, ...)
{
	struct word w;
	va_list args;

	va_start(args, format);
	vsnprintf(w.s, sizeof(w.s), format, args);
	va_end(args);
	return w;
}

static bool continues(const struct gt_stat *st, char c)
{
	return st->utf8 && ((unsigned char)c & 0xc0) == 0x80;
}

static size_t columns(const struct gt_stat *st, const char *s)
{
	size_t n = 0;

	for (; *s; s++) {
		n += !continues(st, *s);
	}
	return n;
}

/* A name out of the file: without control characters, and not wider than so many columns. */
static struct word clip(const struct gt_stat *st, const char *name, size_t wide)
{
	const char *const dots = st->utf8 ? "…" : "~";
	const bool whole = columns(st, name) <= wide;
	struct word w;
	size_t n = 0, seen = 0;

	for (; *name && n < sizeof(w.s) - 8; name++) {
		if (!continues(st, *name) && ++seen > wide - !whole) {
			break;
		}
		w.s[n++] = *name;
		if ((unsigned char)*name < 0x20 || *name == 0x7f) {
			w.s[n - 1] = '?';
		}
	}
	w.s[n] = '\0';
	if (*name) {
		strcpy(w.s + n, dots);
	}
	return w;
}

/* "1,234,567" */
static struct word number(uint64_t n)
{
	struct word digits = word("%" PRIu64, n), w;
	size_t length = strlen(digits.s), at = 0;

	for (size_t i = 0; i < length; i++) {
		if (i != 0 && (length - i) % 3 == 0) {
			w.s[at++] = ',';
		}
		w.s[at++] = digits.s[i];
	}
	w.s[at] = '\0';
	return w;
}

/* Three digits and a unit: "1.23 ms". */
static struct word duration(const struct gt_stat *st, uint64_t ns)
{
	const char *const units[] = {"ns", st->utf8 ? "µs" : "us", "ms", "s"};
	double value = (double)ns;
	unsigned unit = 0;

	if (ns == 0) {
		return word("0 s");
	}
	/* 999.5 would be rounded to four digits. */
	while (unit < 3 && value >= 999.5) {
		value /= 1000;
		unit++;
	}
	return word("%.*f %s",
		    unit == 0 || value >= 99.95 ? 0
		    : value >= 9.995            ? 1
						: 2,
		    value, units[unit]);
}

static struct word percent(uint64_t part, uint64_t whole)
{
	const double p = whole ? 100 * (double)part / (double)whole : 0;

	/* Never "100 %" of what is not all, nor "0 %" of what is there. */
	if (part != 0 && p < 0.1) {
		return word("<0.1 %%");
	}
	if (part != whole && p >= 99.9) {
		return word(">99.9 %%");
	}
	return part != 0 && part != whole && (p < 10 || p > 99) ? word("%.1f %%", p)
								: word("%.0f %%", p);
}

/* --- Lines ------------------------------------------------------------------------------------ */

static void style(const struct gt_stat *st, FILE *out, const char *code)
{
	if (st->colour) {
		fprintf(out, "\033[%sm", code);
	}
}

static void fill(FILE *out, size_t n)
{
	fprintf(out, "%*s", (int)n, "");
}

/* In a column of so many, the text left or right. */
static void left(const struct gt_stat *st, FILE *out, size_t wide, struct word w)
{
	const size_t n = columns(st, w.s);

	fputs(w.s, out);
	fill(out, n < wide ? wide - n : 0);
}

static void right(const struct gt_stat *st, FILE *out, size_t wide, struct word w)
{
	const size_t n = columns(st, w.s);

	fill(out, n < wide ? wide - n : 0);
	fputs(w.s, out);
}

/* A duration in a column of a table: the units stand below each other. */
static void time_cell(const struct gt_stat *st, FILE *out, uint64_t ns)
{
	struct word w = duration(st, ns);
	const size_t n = strlen(w.s);

	right(st, out, TIME, n > 2 && w.s[n - 2] == ' ' ? word("%s ", w.s) : w);
}

/* A title, and the heads of the columns that follow it, right-aligned. */
static void title(const struct gt_stat *st, FILE *out, size_t wide, const char *text)
{
	fputc('\n', out);
	style(st, out, "1");
	left(st, out, wide, word("%s", text));
	style(st, out, "0");
}

static void heads(const struct gt_stat *st, FILE *out, size_t wide, const char *const *heads)
{
	for (; *heads; heads++) {
		right(st, out, wide, word("%s", *heads));
	}
}

/* Details in a paragraph below a row: items with dots between them. */
struct details {
	const struct gt_stat *st;
	FILE *out;
	size_t at; /* column; 0: nothing yet */
};

static void item(struct details *d, struct word w)
{
	const char *const dot = d->st->utf8 ? " · " : "; ";
	const size_t n = columns(d->st, w.s);

	if (d->at == 0) {
		style(d->st, d->out, "2");
	} else if (d->at + columns(d->st, dot) + n <= WIDE) {
		fputs(dot, d->out);
		d->at += columns(d->st, dot) + n;
		fputs(w.s, d->out);
		return;
	} else {
		fputc('\n', d->out);
	}
	fill(d->out, INDENT);
	fputs(w.s, d->out);
	d->at = INDENT + n;
}

static void details_end(struct details *d)
{
	if (d->at != 0) {
		style(d->st, d->out, "0");
		fputc('\n', d->out);
		d->at = 0;
	}
}

/* --- Names of things -------------------------------------------------------------------------- */

/* In a trace of gtrace a reason is one of its own: "mutex" for "sync". */
static struct word reason(const struct gt_stat *st, uint32_t name)
{
	static const char *const names[] = {
		[GT_REASON_NONE] = "",
#define GT_REASON(id, NAME, text) [id] = #NAME,
#include "base/events.def"
	};
	const char *text = gt_model_name(st->model, name);
	struct word w;

	if (*text == '\0') {
		return word("not known");
	}
	if (!st->model->by_gtrace) {
		return clip(st, text, 24);
	}
	for (unsigned id = 1; id < GT_REASON_END; id++) {
		if (strcmp(gt_reason_text(id), text) == 0) {
			w = word("%s", names[id]);
			for (char *c = w.s; *c; c++) {
				*c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
			}
			return w;
		}
	}
	return clip(st, text, 24);
}

static struct word routine(const struct gt_stat *st, uint32_t name, size_t wide)
{
	const char *text = gt_model_name(st->model, name);

	return *text ? clip(st, text, wide) : word("(no stack seen)");
}

static const char *times(const struct gt_stat *st)
{
	return st->utf8 ? "×" : "x";
}

/* "worker", or "worker #7" where there are several, or its label. */
static struct word thread(const struct gt_stat *st, uint32_t index, size_t wide)
{
	struct gt_model *model = st->model;
	const struct gt_model_thread *t;
	const struct gt_model_group *group;

	if (index == GT_MODEL_NONE) {
		return word("nobody seen");
	}
	t = model->threads[index];
	if (t->nlabels != 0) {
		return clip(st, gt_model_name(model, t->labels[t->nlabels - 1]), wide);
	}
	group = gt_set_value(&model->groups, gt_model_group(model, index));
	if (group->threads <= 1) {
		return routine(st, t->routine, wide);
	}
	return word("%s #%" PRIu64, routine(st, t->routine, wide - 6).s, t->id);
}

/* "worker", or "worker ×4". */
static struct word group_name(const struct gt_stat *st, uint32_t index, size_t wide)
{
	const struct gt_model_group *group;
	const uint32_t *name;

	if (index == GT_MODEL_NONE) {
		return word("nobody seen");
	}
	group = gt_set_value(&st->model->groups, index);
	name = gt_set_key(&st->model->groups, index, NULL);
	if (group->threads <= 1) {
		return thread(st, group->first, wide);
	}
	return word("%s %s%" PRIu32, routine(st, *name, wide - 5).s, times(st), group->threads);
}

/*
 * "inner ← caller … outer": the innermost functions that fit, and the outermost, by which a thread
 * is told, if it is wanted.
 */
static struct word stack(const struct gt_stat *st, uint32_t index, size_t wide, bool outermost)
{
	const char *const arrow = st->utf8 ? " ← " : " < ", *const gap = st->utf8 ? " … " : " ... ";
	size_t n, i;
	const uint32_t *names = gt_model_stack(st->model, index, &n);
	struct word w, last, next;

	if (n == 0) {
		return word("(no stack)");
	}
	w = clip(st, gt_model_name(st->model, names[0]), n == 1 ? wide : FRAME);
	last = clip(st, gt_model_name(st->model, names[n - 1]), FRAME);
	for (i = 1; i + outermost < n; i++) {
		next = clip(st, gt_model_name(st->model, names[i]), FRAME);
		if (columns(st, w.s) + columns(st, next.s) +
			    (outermost ? columns(st, last.s) + 2 * columns(st, gap) : 3) >
		    wide) {
			break;
		}
		w = word("%.120s%s%.120s", w.s, arrow, next.s);
	}
	if (outermost && n > 1) {
		w = word("%.200s%s%.100s", w.s, i + 1 == n ? arrow : gap, last.s);
	}
	return w;
}

static const struct gt_model_object_key *object_key(const struct gt_stat *st, uint32_t index)
{
	return gt_set_key(&st->model->objects, index, NULL);
}

/* "mutex 0x5567"; a thread that is joined by its name. */
static struct word object(const struct gt_stat *st, uint32_t index)
{
	const struct gt_model_object_key *o = object_key(st, index);
	const char *kind = gt_object_text(o->kind);
	size_t n;
	const uint32_t *owners = gt_model_pairs_of(&st->model->object_owner, index, &n);

	if (o->kind == GT_OBJECT_THREAD && n != 0) {
		return thread(st, gt_model_pair(&st->model->object_owner, owners[0])->b, 40);
	}
	return word("%s 0x%" PRIx64, kind ? kind : "object", o->address);
}

/* --- The head --------------------------------------------------------------------------------- */

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void head(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	const char *const who = model->by_gtrace ? "thread" : "goroutine";
	const char *const dot = st->utf8 ? "·" : "-";
	const uint64_t ns = model->end - model->begin;
	uint64_t running = 0;
	bool lost = model->loss_unknown != 0;

	for (size_t i = 0; i < model->groups.count; i++) {
		running += ((struct gt_model_group *)gt_set_value(&model->groups, i))->running;
	}
	style(st, out, "1");
	fputs(st->path, out);
	style(st, out, "0");
	fprintf(out, "  %" PRIu64 ".%03" PRIu64 " s %s %s %s%s", ns / 1000000000,
		ns / 1000000 % 1000, dot, number(model->users).s, who, plural(model->users));
	if (model->cpus) {
		fprintf(out, " %s %" PRIu64 " CPU%s", dot, model->cpus, plural(model->cpus));
	}
	fprintf(out, " %s %.2f running on average\n", dot, ns ? (double)running / (double)ns : 0.0);
	fprintf(out, "%s events in %s generation%s, written by %s", number(model->events).s,
		number(model->generations).s, plural(model->generations),
		model->by_gtrace ? "gtrace" : "Go's runtime");
	for (unsigned i = 1; i < GT_LOSS_END; i++) {
		lost |= model->loss[i] != 0;
	}
	if (st->problem == NULL && !lost) {
		fprintf(out, "; whole%s\n", model->by_gtrace ? ", nothing lost" : "");
		return;
	}
	fputc('\n', out);
	if (st->problem) {
		style(st, out, "31");
		fprintf(out, "%s: %s\n",
			st->truncated ? "Cut off: what follows is about what came before"
				      : "Not valid: what follows is about what came before",
			st->problem);
		style(st, out, "0");
	}
	for (unsigned i = 1; i < GT_LOSS_END; i++) {
		if (model->loss[i]) {
			fprintf(out, "Lost: %s: %s\n", gt_loss_text(i), number(model->loss[i]).s);
		}
	}
	if (model->loss_unknown) {
		fprintf(out, "Lost: something that this gtrace has no word for: %s\n",
			number(model->loss_unknown).s);
	}
}

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
	style(st, out, share_styles[share]);
	for (unsigned i = 0; i < BAR; i++) {
		/* The share in which the middle of this column lies. */
		const double middle = ((double)i + 0.5) / BAR * (double)whole;

		while (share + 1 < SHARES && middle >= (double)(below + shares[share])) {
			below += shares[share++];
			style(st, out, "0");
			style(st, out, share_styles[share]);
		}
		fputs(share_mark(st, share), out);
	}
	style(st, out, "0");
}

struct row {
	struct word name, id;
	uint64_t shares[SHARES], blocks;
};

static void thread_row(const struct gt_stat *st, FILE *out, const struct row *row, bool syscalls)
{
	fputs("  ", out);
	left(st, out, NAME, row->name);
	right(st, out, 8, row->id);
	for (unsigned i = 0; i < SHARES; i++) {
		if (i != SYSCALL || syscalls) {
			time_cell(st, out, row->shares[i]);
		}
	}
	right(st, out, 9, number(row->blocks));
	fputs("   ", out);
	bar(st, out, row->shares);
	fputc('\n', out);
}

static void members(const struct gt_stat *st, FILE *out, uint32_t group, bool syscalls)
{
	struct gt_model *model = st->model;

	for (uint32_t i = 0; i < model->nthreads; i++) {
		const struct gt_model_thread *t = model->threads[i];
		const struct row row = {
			t->nlabels ? word("  %s", thread(st, i, NAME - 2).s)
				   : word("  #%" PRIu64, t->id),
			t->tid == GT_NO_M || !model->by_gtrace ? word("%s", "")
							       : word("%" PRIu64, t->tid),
			{t->running, t->runnable, t->syscall + t->syscall_blocked, t->waiting},
			t->blocks};

		if (t->seen && gt_model_group(model, i) == group) {
			thread_row(st, out, &row, syscalls);
		}
	}
}

/* "blocked: cond 1.23 s in 45 waits, mutex ..." */
static void group_reasons(const struct gt_stat *st, FILE *out, uint32_t group)
{
	const struct gt_model_pairs *pairs = &st->model->group_reason;
	struct details d = {st, out, 0};
	size_t n;
	const uint32_t *order = gt_model_pairs_of(pairs, group, &n);

	for (size_t i = 0; i < n; i++) {
		const struct gt_model_share *share = gt_model_share(pairs, order[i]);

		item(&d,
		     word("%s%s %s %s",
			  i ? "" : "blocked: ", reason(st, gt_model_pair(pairs, order[i])->b).s,
			  duration(st, share->total).s,
			  word("in %s wait%s", number(share->waits).s, plural(share->waits)).s));
	}
	details_end(&d);
}

/* Those that ran most come first. */
static int by_running(const void *x, const void *y, void *groups)
{
	const uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
	const struct gt_model_group *a = gt_set_value(groups, i), *b = gt_set_value(groups, j);

	return a->running != b->running ? (a->running < b->running ? 1 : -1) : (i > j) - (i < j);
}

static void threads(const struct gt_stat *st, FILE *out)
{
	struct gt_model *model = st->model;
	uint32_t *order = gt_alloc(model->groups.count * sizeof(*order));
	const bool each = model->users <= st->top;
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
	title(st, out, NAME + 2, model->by_gtrace ? "Threads" : "Goroutines");
	right(st, out, 8, word("%s", model->by_gtrace ? "tid" : ""));
	heads(st, out, TIME, (const char *const[]){"running", "runnable", NULL});
	heads(st, out, TIME, (const char *const[]){syscalls ? "syscalls" : NULL, NULL});
	heads(st, out, TIME, (const char *const[]){"blocked", "times", NULL});
	fprintf(out, syscalls ? "   %s run %s ready" : "   %s running %s runnable",
		share_mark(st, RUNNING), share_mark(st, RUNNABLE));
	if (syscalls) {
		fprintf(out, " %s sys", share_mark(st, SYSCALL));
	}
	fprintf(out, " %s blocked\n", share_mark(st, BLOCKED));
	for (size_t i = 0; i < n; i++) {
		const struct gt_model_group *g = gt_set_value(&model->groups, order[i]);
		const struct gt_model_thread *first = model->threads[g->first];
		const struct row row = {
			group_name(st, order[i], NAME),
			g->threads == 1 && first->tid != GT_NO_M && model->by_gtrace
				? word("%" PRIu64, first->tid)
				: word("%s", ""),
			{g->running, g->runnable, g->syscall + g->syscall_blocked, g->waiting},
			g->blocks};

		if (shown++ >= st->top) {
			hidden += g->threads;
			hidden_groups++;
			hidden_running += g->running;
			continue;
		}
		thread_row(st, out, &row, syscalls);
		group_reasons(st, out, order[i]);
		if (each && g->threads > 1) {
			members(st, out, order[i], syscalls);
		}
	}
	if (hidden) {
		fprintf(out, "  and %s more of %s start routines, running %s\n", number(hidden).s,
			number(hidden_groups).s, duration(st, hidden_running).s);
	}
	free(order);
}

static void system_threads(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	uint64_t running = 0;

	for (size_t i = 0; i < model->nthreads; i++) {
		running += model->threads[i]->system ? model->threads[i]->running : 0;
	}
	if (model->systems && !st->system) {
		fprintf(out, "  Not shown: %s system %s%s, running %s (--system)\n",
			number(model->systems).s, model->by_gtrace ? "thread" : "goroutine",
			plural(model->systems), duration(st, running).s);
	}
}

/* --- Sites ------------------------------------------------------------------------------------ */

/* "had by worker #3 61 %, main 39 %": the largest parts of a pair's sum. */
static void parts(struct details *d, const char *verb, const struct gt_model_pairs *pairs,
		  uint32_t a, uint64_t whole)
{
	enum { MOST = 3 };
	size_t n, shown;
	const uint32_t *order = gt_model_pairs_of(pairs, a, &n);
	struct word w = word("%s", verb);

	if (n == 0) {
		return;
	}
	shown = n <= MOST ? n : MOST - 1;
	for (size_t i = 0; i < shown; i++) {
		const struct gt_model_share *share = gt_model_share(pairs, order[i]);

		w = word("%.*s%s%s %s", (int)sizeof(w.s) - 80, w.s, i ? ", " : " ",
			 thread(d->st, gt_model_pair(pairs, order[i])->b, 28).s,
			 percent(share->total, whole).s);
	}
	if (n > shown) {
		w = word("%.*s, %s more", (int)sizeof(w.s) - 40, w.s, number(n - shown).s);
	}
	item(d, w);
}

/* By threads if they are few, else by groups. */
static struct word waiters(const struct gt_stat *st, uint32_t site)
{
	const struct gt_model_pairs *pairs = &st->model->site_thread;
	size_t n;
	const uint32_t *order = gt_model_pairs_of(pairs, site, &n);
	const uint32_t first = gt_model_pair(pairs, order[0])->b;

	if (n == 1) {
		return thread(st, first, 40);
	}
	/* All stacks of a site end in the same function, and so have the same start routine. */
	return word("%s %s%zu", routine(st, st->model->threads[first]->routine, 36).s, times(st),
		    n);
}

static void site_details(const struct gt_stat *st, FILE *out, uint32_t index)
{
	const struct gt_model *model = st->model;
	const struct gt_model_site *site = gt_set_value(&model->sites, index);
	struct details d = {st, out, 0};
	size_t n;
	const uint32_t *order = gt_model_pairs_of(&model->site_object, index, &n);
	const uint32_t most = n ? gt_model_pair(&model->site_object, order[0])->b : 0;

	item(&d, word("by %s", waiters(st, index).s));
	if (n == 1) {
		item(&d, word("for %s", object(st, most).s));
	} else if (n > 1) {
		item(&d, word("for %s objects, %s of it for %s", number(n).s,
			      percent(gt_model_share(&model->site_object, order[0])->total,
				      site->share.total)
				      .s,
			      object(st, most).s));
	}
	if (n != 0 && object_key(st, most)->kind != GT_OBJECT_THREAD) {
		parts(&d, "held by", &model->site_owner, index, site->share.total);
	}
	parts(&d, "woken by", &model->site_waker, index, site->share.total);
	if (site->how[GT_ENDED_TIMEOUT]) {
		item(&d, word("%s timed out", number(site->how[GT_ENDED_TIMEOUT]).s));
	}
	if (site->how[GT_MODEL_OPEN]) {
		item(&d, word("%s still waiting at the end", number(site->how[GT_MODEL_OPEN]).s));
	}
	details_end(&d);
}

static void sites(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	uint32_t *order = gt_model_longest(&model->sites);
	size_t shown = 0, hidden = 0;
	uint64_t hidden_total = 0, whole = 0;

	title(st, out, 5, "Waits");
	heads(st, out, TIME - 2, (const char *const[]){"total", NULL});
	heads(st, out, TIME, (const char *const[]){"times", "mean", "p50", "p99", "max", NULL});
	fputs("   where\n", out);
	for (size_t i = 0; i < model->sites.count; i++) {
		const struct gt_model_site *site = gt_set_value(&model->sites, order[i]);
		const struct gt_model_site_key *key = gt_set_key(&model->sites, order[i], NULL);

		if (site->share.waits == 0 || (site->system && !st->system)) {
			continue;
		}
		whole += site->share.total;
		/* Nor what does not matter, unless all is asked for. */
		if (shown++ >= st->top ||
		    (st->top != SIZE_MAX && shown > 3 && site->share.total * 1000 < whole)) {
			hidden++;
			hidden_total += site->share.total;
			continue;
		}
		fill(out, 3);
		time_cell(st, out, site->share.total);
		right(st, out, TIME, number(site->share.waits));
		time_cell(st, out, site->share.total / site->share.waits);
		time_cell(st, out, gt_hist_part(&site->hist, 0.5));
		time_cell(st, out, gt_hist_part(&site->hist, 0.99));
		time_cell(st, out, site->share.max);
		fputs("   ", out);
		style(st, out, "1");
		fprintf(out, "%s: %s", reason(st, key->reason).s,
			stack(st, key->stack, STACK, true).s);
		style(st, out, "0");
		fputc('\n', out);
		site_details(st, out, order[i]);
	}
	if (hidden) {
		fprintf(out, "   and %s more sites, %s in total\n", number(hidden).s,
			duration(st, hidden_total).s);
	}
	if (shown == 0) {
		fputs("  none\n", out);
	}
	free(order);
}

/* --- Owners, wakes ---------------------------------------------------------------------------- */

static void owners(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	uint32_t *order = gt_model_longest(&model->owners);

	if (model->owners.count != 0) {
		title(st, out, 0, "Who held what others waited for");
		fputs(", when they began to wait\n", out);
	}
	for (size_t i = 0; i < model->owners.count && i < st->top; i++) {
		const struct gt_model_share *share = gt_set_value(&model->owners, order[i]);
		const uint32_t *owner = gt_set_key(&model->owners, order[i], NULL);

		fill(out, 3);
		time_cell(st, out, share->total);
		right(st, out, TIME, number(share->waits));
		fprintf(out, "   %s\n", thread(st, *owner, 50).s);
	}
	free(order);
}

/* By threads where there are few, else by start routines. */
static void wakes(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	const bool each = model->users <= st->top;
	const struct gt_set *set = each ? &model->wakes : &model->group_wakes;
	struct word (*const who)(const struct gt_stat *, uint32_t, size_t) =
		each ? thread : group_name;
	uint32_t *order = gt_model_longest(set);
	size_t shown = 0, hidden = 0;
	uint64_t hidden_times = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct gt_model_share *share = gt_set_value(set, order[i]);
		const struct gt_model_wake_key *key = gt_set_key(set, order[i], NULL);

		if (each && model->threads[key->wakee]->system) {
			continue;
		}
		if (shown == 0) {
			title(st, out, 0, "Who woke whom");
			fputs(", and how long those had waited\n", out);
		}
		if (shown++ >= st->top) {
			hidden++;
			hidden_times += share->waits;
			continue;
		}
		fill(out, 3);
		time_cell(st, out, share->total);
		right(st, out, TIME, number(share->waits));
		fputs("   ", out);
		left(st, out, 45,
		     word("%.120s %s %.120s", who(st, key->waker, NAME).s, st->utf8 ? "→" : "->",
			  who(st, key->wakee, NAME).s));
		fprintf(out, " %s", reason(st, key->reason).s);
		if (key->stack != 0) {
			fprintf(out, ", from %s", stack(st, key->stack, 30, false).s);
		}
		fputc('\n', out);
	}
	if (hidden) {
		fprintf(out, "   and %s more, %s times\n", number(hidden).s,
			number(hidden_times).s);
	}
	free(order);
}

static void ends(const struct gt_stat *st, FILE *out)
{
	const struct gt_model *model = st->model;
	static const struct {
		unsigned how;
		const char *text, *go;
	} kinds[] = {
		{GT_ENDED_WAKER, "a named thread", "a goroutine"},
		{GT_ENDED_REFUSED, "a named thread without an arrow in Go's views", ""},
		{GT_ENDED_NOBODY, "nobody seen", "the runtime (timer, network)"},
		{GT_ENDED_TIMEOUT, "timeout", ""},
		{GT_ENDED_CANCELLED, "cancellation", ""},
		{GT_ENDED_ERROR, "an error", ""},
	};
	uint64_t whole = 0;
	const char *comma = "";

	for (unsigned i = GT_MODEL_OPEN + 1; i < GT_ENDED_END; i++) {
		whole += model->how[i];
	}
	if (whole + model->how[GT_MODEL_OPEN] == 0) {
		return;
	}
	title(st, out, 0, "What ended the waits");
	fputs(": ", out);
	for (size_t i = 0; i < GT_LEN(kinds); i++) {
		const uint64_t n = model->how[kinds[i].how];

		if (n) {
			fprintf(out, "%s%s %s (%s)", comma,
				model->by_gtrace ? kinds[i].text : kinds[i].go, percent(n, whole).s,
				number(n).s);
			comma = ", ";
		}
	}
	if (model->how[GT_MODEL_OPEN]) {
		fprintf(out, "%s%s still open at the end", *comma ? "; " : "",
			number(model->how[GT_MODEL_OPEN]).s);
	}
	fputc('\n', out);
}

void gt_stat_text(const struct gt_stat *st, FILE *out)
{
	head(st, out);
	threads(st, out);
	system_threads(st, out);
	sites(st, out);
	owners(st, out);
	wakes(st, out);
	ends(st, out);
}
