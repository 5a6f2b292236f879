/*
 * Comparing traces.
 */
#include "diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "span_text.h"

enum { NAME_MAX_BYTES = 1000, FRAMES = 6 };

/* --- Rows by their names ------------------------------------------------------------------ */

static struct gt_diff_row *row_of(struct gt_diff_rows *rows, const char *name)
{
	uint64_t hash = gt_hash(name, strlen(name));
	size_t i;

	/* Two names with one hash: the next one. */
	while ((i = (size_t)gt_idmap_get(&rows->by_hash, hash)) != 0 &&
	       strcmp(rows->array[i - 1].name, name) != 0) {
		hash++;
	}
	if (i == 0) {
		rows->array = gt_grow(rows->array, rows->n, &rows->cap, sizeof(*rows->array));
		i = ++rows->n;
		rows->array[i - 1] = (struct gt_diff_row){.name = strdup(name)};
		gt_idmap_put(&rows->by_hash, hash, i);
	}
	return &rows->array[i - 1];
}

static void add_wait(struct gt_diff_side *side, uint64_t ns)
{
	side->times++;
	side->total += ns;
	gt_hist_add(&side->hist, ns);
}

/* --- Names -------------------------------------------------------------------------------- */

struct name {
	char text[NAME_MAX_BYTES];
	size_t n;
};

static void append(struct name *name, const char *text)
{
	const int n = snprintf(name->text + name->n, sizeof(name->text) - name->n, "%s", text);

	name->n = GT_MIN(name->n + (size_t)GT_MAX(n, 0), sizeof(name->text) - 1);
}

/* "sync: pthread_mutex_lock < take < worker"; the middle of a deep stack is left out. */
static void name_site(struct name *name, const struct gt_spans *s, const struct gt_span *span)
{
	struct gt_call_name room;
	struct gt_span_words words;
	size_t nframes;
	const struct gt_span_frame *frames = gt_spans_stack(s, span->stack, &nframes);

	name->n = 0;
	if (span->kind == GT_SPAN_SYSCALL) {
		append(name, span->named ? gt_call_name(span->call, &room) : "system call");
	} else {
		const char *reason = gt_spans_string(s, span->reason, NULL);

		/* A status has none: it waited when the trace began. */
		append(name, *reason != '\0' ? reason : "since before");
	}
	for (size_t i = 0; i < nframes; i++) {
		if (i == FRAMES - 1 && nframes > FRAMES) {
			append(name, " < ...");
			i = nframes - 1;
		}
		append(name, i == 0 ? ": " : " < ");
		append(name, gt_span_frame_name(s, &frames[i], &words));
	}
}

static void name_routine(struct name *name, const struct gt_spans *s, uint32_t thread)
{
	const struct gt_span_thread *t = gt_spans_thread(s, thread);

	name->n = 0;
	append(name, t->routine != GT_SPAN_NONE ? gt_spans_string(s, t->routine, NULL) : "?");
}

/* --- One trace ---------------------------------------------------------------------------- */

/* Waits for one object at one site, by which it is told. */
struct at {
	uint32_t object;
	size_t site; /* row */
	uint64_t total;
	struct gt_hist hist;
	uint64_t times;
};

struct reading {
	struct gt_diff *diff;
	unsigned side;
	struct gt_spans *spans;
	struct gt_idmap by_key; /* object and site, index + 1 */
	struct at *ats;
	size_t n, cap;
};

static void add_object(struct reading *r, uint32_t object, size_t site, uint64_t ns)
{
	const uint64_t key = (uint64_t)object << 32 | (uint64_t)(uint32_t)site;
	size_t i = (size_t)gt_idmap_get(&r->by_key, key);

	if (i == 0) {
		r->ats = gt_grow(r->ats, r->n, &r->cap, sizeof(*r->ats));
		r->ats[r->n++] = (struct at){.object = object, .site = site};
		gt_idmap_put(&r->by_key, key, i = r->n);
	}
	r->ats[i - 1].times++;
	r->ats[i - 1].total += ns;
	gt_hist_add(&r->ats[i - 1].hist, ns);
}

static void add_span(struct reading *r, const struct gt_span *span)
{
	struct gt_diff_rows *rows = r->diff->rows;
	const uint64_t ns = span->end - span->begin;
	struct gt_diff_side *routine;
	struct gt_diff_row *site;
	struct name name;

	if (span->kind == GT_SPAN_CALL || gt_spans_thread(r->spans, span->thread)->system) {
		return;
	}
	name_routine(&name, r->spans, span->thread);
	routine = &row_of(&rows[GT_DIFF_ROUTINES], name.text)->side[r->side];
	switch (span->kind) {
	case GT_SPAN_RUNNING:
		routine->running += ns;
		break;
	case GT_SPAN_RUNNABLE:
		routine->runnable += ns;
		break;
	default:
		add_wait(routine, ns);
		name_site(&name, r->spans, span);
		site = row_of(&rows[GT_DIFF_SITES], name.text);
		add_wait(&site->side[r->side], ns);
		if (span->kind == GT_SPAN_WAIT && span->object != GT_SPAN_NONE) {
			add_object(r, span->object, (size_t)(site - rows[GT_DIFF_SITES].array), ns);
		}
		break;
	}
}

static int by_object(const void *a, const void *b)
{
	const struct at *x = a, *y = b;

	return x->object != y->object ? (x->object > y->object) - (x->object < y->object)
				      : (x->total < y->total) - (x->total > y->total);
}

/* Each object is told by the site that comes first now, the one with most of its waiting. */
static void add_objects(struct reading *r)
{
	const struct gt_diff_rows *sites = &r->diff->rows[GT_DIFF_SITES];
	struct gt_diff_side *side = NULL;

	if (r->n > 0) {
		qsort(r->ats, r->n, sizeof(*r->ats), by_object);
	}
	for (size_t i = 0; i < r->n; i++) {
		struct at *at = &r->ats[i];

		if (i == 0 || at->object != r->ats[i - 1].object) {
			const uint64_t kind = gt_spans_object(r->spans, at->object)->kind;
			const char *word = gt_object_text(kind);
			struct name name = {.n = 0};

			append(&name, word != NULL ? word : "object");
			append(&name, " of ");
			append(&name, sites->array[at->site].name);
			side = &row_of(&r->diff->rows[GT_DIFF_OBJECTS], name.text)->side[r->side];
			side->threads++; /* objects, here */
		}
		side->times += at->times;
		side->total += at->total;
		gt_hist_merge(&side->hist, &at->hist);
		gt_hist_fini(&at->hist);
	}
}

static void count_threads(struct reading *r)
{
	for (uint32_t i = 0; i < gt_spans_threads(r->spans); i++) {
		struct name name;

		if (gt_spans_thread(r->spans, i)->seen && !gt_spans_is_system(r->spans, i)) {
			name_routine(&name, r->spans, i);
			row_of(&r->diff->rows[GT_DIFF_ROUTINES], name.text)
				->side[r->side]
				.threads++;
			r->diff->threads[r->side]++;
		}
	}
}

int gt_diff_add(struct gt_diff *d, unsigned side, const char *path, struct gt_error *e)
{
	struct gt_merge *merge = gt_merge_open(path, 0, e);
	struct reading r = {.diff = d, .side = side};
	struct gt_span span;
	int n;

	if (merge == NULL) {
		return -1;
	}
	r.spans = gt_spans_open(merge, 0);
	while ((n = gt_spans_next(r.spans, &span, e)) > 0) {
		add_span(&r, &span);
	}
	add_objects(&r);
	count_threads(&r);
	d->duration[side] = gt_spans_end(r.spans) - gt_spans_begin(r.spans);
	gt_spans_close(r.spans);
	gt_merge_close(merge);
	gt_idmap_fini(&r.by_key);
	free(r.ats);
	return n;
}

/* --- Both --------------------------------------------------------------------------------- */

static int by_growth(const void *a, const void *b)
{
	const struct gt_diff_row *x = a, *y = b;

	if (x->grown != y->grown) {
		return x->grown < y->grown ? 1 : -1;
	}
	return strcmp(x->name, y->name);
}

void gt_diff_finish(struct gt_diff *d)
{
	for (size_t t = 0; t < GT_DIFF_TABLES; t++) {
		struct gt_diff_rows *rows = &d->rows[t];

		for (size_t i = 0; i < rows->n; i++) {
			struct gt_diff_row *row = &rows->array[i];
			double rate[2];

			for (unsigned k = 0; k < 2; k++) {
				rate[k] = d->duration[k] != 0 ? (double)row->side[k].total /
									(double)d->duration[k]
							      : 0;
			}
			row->grown = (rate[1] - rate[0]) * 1e9;
		}
		if (rows->n > 0) {
			qsort(rows->array, rows->n, sizeof(*rows->array), by_growth);
		}
		gt_idmap_clear(&rows->by_hash); /* places have changed */
	}
}

void gt_diff_fini(struct gt_diff *d)
{
	for (size_t t = 0; t < GT_DIFF_TABLES; t++) {
		for (size_t i = 0; i < d->rows[t].n; i++) {
			free(d->rows[t].array[i].name);
			gt_hist_fini(&d->rows[t].array[i].side[0].hist);
			gt_hist_fini(&d->rows[t].array[i].side[1].hist);
		}
		gt_idmap_fini(&d->rows[t].by_hash);
		free(d->rows[t].array);
	}
}
