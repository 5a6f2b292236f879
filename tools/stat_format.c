/*
 * Words and lines of the text view.
 */
#include "stat_format.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

enum {
	INDENT = GT_COLUMNS - GT_COLUMNS_DETAILS,
	FRAME = 36, /* columns of a function's name in a stack, if it is not the innermost one */
};

/* --- Words ------------------------------------------------------------------------------------ */

struct gt_word gt_word(const char *format, ...)
{
	struct gt_word w;
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

size_t gt_word_columns(const struct gt_stat *st, const char *s)
{
	size_t n = 0;

	for (; *s; s++) {
		n += !continues(st, *s);
	}
	return n;
}

/* Bytes of the character at s that may be shown as they are; 0 if it may not. */
static size_t shown(const struct gt_stat *st, const char *s)
{
	const unsigned char c = (unsigned char)*s;

	if (c < 0x80 || !st->utf8) {
		return c >= 0x20 && c < 0x7f;
	}
	/* U+0080 to U+009f are control characters as well. */
	return c == 0xc2 && (unsigned char)s[1] < 0xa0 ? 0 : gt_utf8_length(s);
}

struct gt_word gt_word_clip(const struct gt_stat *st, const char *name, size_t wide)
{
	const bool whole = gt_word_columns(st, name) <= wide;
	struct gt_word w;
	size_t n = 0;

	for (size_t column = 0; *name && column < wide - !whole && n < sizeof(w.s) - 8; column++) {
		const size_t bytes = shown(st, name);

		if (bytes == 0) {
			w.s[n++] = '?';
			name++;
			continue;
		}
		memcpy(w.s + n, name, bytes);
		n += bytes;
		name += bytes;
	}
	w.s[n] = '\0';
	if (*name) {
		strcpy(w.s + n, st->utf8 ? "…" : "~");
	}
	return w;
}

struct gt_word gt_word_number(uint64_t n)
{
	struct gt_word digits = gt_word("%" PRIu64, n), w;
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

struct gt_word gt_word_duration(const struct gt_stat *st, uint64_t ns)
{
	const char *const units[] = {"ns", st->utf8 ? "µs" : "us", "ms", "s"};
	double value = (double)ns;
	unsigned unit = 0;

	if (ns == 0) {
		return gt_word("0 s");
	}
	/* 999.5 would be rounded to four digits. */
	while (unit < 3 && value >= 999.5) {
		value /= 1000;
		unit++;
	}
	return gt_word("%.*f %s",
		       unit == 0 || value >= 99.95 ? 0
		       : value >= 9.995            ? 1
						   : 2,
		       value, units[unit]);
}

struct gt_word gt_word_percent(uint64_t part, uint64_t whole)
{
	const double p = whole ? 100 * (double)part / (double)whole : 0;

	/* Never "100 %" of what is not all, nor "0 %" of what is there. */
	if (part != 0 && p < 0.1) {
		return gt_word("<0.1 %%");
	}
	if (part != whole && p >= 99.9) {
		return gt_word(">99.9 %%");
	}
	return part != 0 && part != whole && (p < 10 || p > 99) ? gt_word("%.1f %%", p)
								: gt_word("%.0f %%", p);
}

/* --- Lines ------------------------------------------------------------------------------------ */

void gt_stat_style(const struct gt_stat *st, FILE *out, const char *code)
{
	if (st->colour) {
		fprintf(out, "\033[%sm", code);
	}
}

void gt_stat_problem(const struct gt_stat *st, FILE *out)
{
	if (st->problem == NULL) {
		return;
	}
	gt_stat_style(st, out, "31");
	fprintf(out, "%s: %s\n",
		st->truncated ? "Cut off: what follows is about what came before"
			      : "Not valid: what follows is about what came before",
		st->problem);
	gt_stat_style(st, out, "0");
}

void gt_stat_fill(FILE *out, size_t n)
{
	fprintf(out, "%*s", (int)n, "");
}

void gt_stat_left(const struct gt_stat *st, FILE *out, size_t wide, struct gt_word w)
{
	const size_t n = gt_word_columns(st, w.s);

	fputs(w.s, out);
	gt_stat_fill(out, n < wide ? wide - n : 0);
}

void gt_stat_right(const struct gt_stat *st, FILE *out, size_t wide, struct gt_word w)
{
	const size_t n = gt_word_columns(st, w.s);

	gt_stat_fill(out, n < wide ? wide - n : 0);
	fputs(w.s, out);
}

void gt_stat_time(const struct gt_stat *st, FILE *out, uint64_t ns)
{
	struct gt_word w = gt_word_duration(st, ns);
	const size_t n = strlen(w.s);

	gt_stat_right(st, out, GT_COLUMNS_TIME,
		      n > 2 && w.s[n - 2] == ' ' ? gt_word("%s ", w.s) : w);
}

void gt_stat_title(const struct gt_stat *st, FILE *out, size_t wide, const char *text)
{
	fputc('\n', out);
	gt_stat_style(st, out, "1");
	gt_stat_left(st, out, wide, gt_word("%s", text));
	gt_stat_style(st, out, "0");
}

void gt_stat_heads(const struct gt_stat *st, FILE *out, size_t wide, const char *const *heads)
{
	for (; *heads; heads++) {
		gt_stat_right(st, out, wide, gt_word("%s", *heads));
	}
}

void gt_details_add(struct gt_details *d, struct gt_word w)
{
	const char *const dot = d->st->utf8 ? " · " : "; ";
	size_t n;

	w = gt_word_clip(d->st, w.s, GT_COLUMNS_DETAILS);
	n = gt_word_columns(d->st, w.s);
	if (d->at == 0) {
		gt_stat_style(d->st, d->out, "2");
	} else if (d->at + gt_word_columns(d->st, dot) + n <= GT_COLUMNS) {
		fputs(dot, d->out);
		d->at += gt_word_columns(d->st, dot) + n;
		fputs(w.s, d->out);
		return;
	} else if (d->lines == 1) {
		return;
	} else {
		fputc('\n', d->out);
		d->lines -= d->lines != 0;
	}
	gt_stat_fill(d->out, INDENT);
	fputs(w.s, d->out);
	d->at = INDENT + n;
}

void gt_details_end(struct gt_details *d)
{
	if (d->at != 0) {
		gt_stat_style(d->st, d->out, "0");
		fputc('\n', d->out);
		d->at = 0;
	}
}

/* --- Names of things -------------------------------------------------------------------------- */

struct gt_word gt_word_reason(const struct gt_stat *st, uint32_t name)
{
	static const char *const names[] = {
		[GT_REASON_NONE] = "",
#define GT_REASON(id, NAME, text) [id] = #NAME,
#include "base/events.def"
	};
	const char *text = gt_model_name(st->model, name);
	struct gt_word w;

	if (*text == '\0') {
		return gt_word("not known");
	}
	if (!st->model->by_gtrace) {
		return gt_word_clip(st, text, 24);
	}
	for (unsigned id = 1; id < GT_REASON_END; id++) {
		if (strcmp(gt_reason_text(id), text) == 0) {
			w = gt_word("%s", names[id]);
			for (char *c = w.s; *c; c++) {
				*c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
			}
			return w;
		}
	}
	return gt_word_clip(st, text, 24);
}

struct gt_word gt_word_routine(const struct gt_stat *st, uint32_t name, size_t wide)
{
	const char *text = gt_model_plain(st->model, name);
	const char *const offset = strstr(text, "+0x");
	size_t n;

	if (offset == NULL || gt_word_columns(st, text) <= wide) {
		return *text ? gt_word_clip(st, text, wide) : gt_word("(no stack seen)");
	}
	/* Of "library.so+0x1234" the end tells more. */
	n = gt_word_columns(st, offset);
	return gt_word("%.100s%.100s",
		       gt_word_clip(st, gt_word("%.*s", (int)GT_MIN(offset - text, 200), text).s,
				    n + 4 < wide ? wide - n : 4)
			       .s,
		       offset);
}

const char *gt_word_times(const struct gt_stat *st)
{
	return st->utf8 ? "×" : "x";
}

struct gt_word gt_word_thread(const struct gt_stat *st, uint32_t index, size_t wide)
{
	struct gt_model *model = st->model;
	const struct gt_model_thread *t;
	const struct gt_model_group *group;
	uint32_t label;

	if (index == GT_MODEL_NONE) {
		return gt_word("nobody seen");
	}
	t = &model->threads[index];
	label = gt_model_label(model, index);
	group = gt_set_value(&model->groups, gt_model_group(model, index));
	if (group->threads <= 1 || (label != GT_MODEL_NONE && group->label == GT_MODEL_NONE)) {
		return gt_word_routine(st, label != GT_MODEL_NONE ? label : t->entry, wide);
	}
	return gt_word("%s #%" PRIu64,
		       gt_word_routine(st, label != GT_MODEL_NONE ? label : t->entry, wide - 6).s,
		       t->is->id);
}

struct gt_word gt_word_group_of(const struct gt_stat *st, uint32_t index, uint32_t threads,
				size_t wide)
{
	const struct gt_model_group *group = gt_set_value(&st->model->groups, index);
	const uint32_t *routine = gt_set_key(&st->model->groups, index, NULL);

	return gt_word("%s %s%" PRIu32,
		       gt_word_routine(st, group->label != GT_MODEL_NONE ? group->label : *routine,
				       wide - 5)
			       .s,
		       gt_word_times(st), threads);
}

struct gt_word gt_word_group(const struct gt_stat *st, uint32_t index, size_t wide)
{
	const struct gt_model_group *group;

	if (index == GT_MODEL_NONE) {
		return gt_word("nobody seen");
	}
	group = gt_set_value(&st->model->groups, index);
	return group->threads <= 1 ? gt_word_thread(st, group->first, wide)
				   : gt_word_group_of(st, index, group->threads, wide);
}

/* Without what a language's library puts around people's own functions, if there are any. */
static size_t own_frames(const struct gt_stat *st, uint32_t stack, uint32_t *names, size_t max)
{
	uint32_t all[GT_LISTS_MAX];
	const size_t n = gt_model_stack(st->model, stack, all);
	size_t own = 0;

	for (size_t i = 0; i < n && own < max; i++) {
		if (!gt_name_is_plumbing(gt_model_name(st->model, all[i]))) {
			names[own++] = all[i];
		}
	}
	if (own == 0) {
		own = GT_MIN(n, max);
		memcpy(names, all, own * sizeof(*names));
	}
	return own;
}

struct gt_word gt_word_stack(const struct gt_stat *st, uint32_t index, size_t wide, bool outermost)
{
	const char *const arrow = st->utf8 ? " ← " : " < ", *const gap = st->utf8 ? " … " : " ... ";
	uint32_t names[GT_WIRE_FRAMES_MAX];
	const size_t n = own_frames(st, index, names, GT_LEN(names));
	struct gt_word w, next, last = gt_word("%s", "");
	size_t left = wide; /* for all but the last, and what stands before it */
	size_t i;

	if (n == 0) {
		return gt_word("(no stack)");
	}
	if (outermost && n > 1) {
		w = gt_word_routine(st, names[0], wide / 2);
		last = gt_word_routine(
			st, names[n - 1],
			GT_MIN(FRAME, wide - gt_word_columns(st, gap) - gt_word_columns(st, w.s)));
		left -= gt_word_columns(st, last.s) + gt_word_columns(st, gap);
	}
	w = gt_word_routine(st, names[0], left);
	for (i = 1; i + outermost < n; i++) {
		next = gt_word_routine(st, names[i], FRAME);
		if (gt_word_columns(st, w.s) + gt_word_columns(st, arrow) +
			    gt_word_columns(st, next.s) >
		    left) {
			break;
		}
		w = gt_word("%.150s%s%.120s", w.s, arrow, next.s);
	}
	return *last.s ? gt_word("%.200s%s%.100s", w.s, i + 1 == n ? arrow : gap, last.s) : w;
}

size_t gt_columns_behind(const struct gt_stat *st, const char *what)
{
	const size_t n = gt_word_columns(st, what) + 2;

	return n < GT_COLUMNS_WHERE / 2 ? GT_COLUMNS_WHERE - n : GT_COLUMNS_WHERE / 2;
}

struct gt_word gt_word_object(const struct gt_stat *st, uint32_t index)
{
	const struct gt_span_object *o = gt_model_object(st->model, index);
	const char *kind = gt_object_text(o->kind), *name;
	size_t n;
	const uint32_t *owners = gt_model_pairs_of(&st->model->object_owner, index, &n);

	if (o->kind == GT_OBJECT_THREAD && n != 0) {
		return gt_word_thread(st, gt_model_pair(&st->model->object_owner, owners[0])->b,
				      40);
	}
	name = gt_model_global(st->model,
			       *(const uint32_t *)gt_set_key(&st->model->objects, index, NULL));
	if (name != NULL) {
		return gt_word("%s %s", kind ? kind : "object",
			       gt_word_clip(st, name, GT_COLUMNS_STACK).s);
	}
	return gt_word("%s 0x%" PRIx64, kind ? kind : "object", o->address);
}

struct gt_word gt_word_lock(const struct gt_stat *st, uint32_t object)
{
	const struct gt_span_object *o = gt_spans_object(st->model->spans, object);
	const char *kind = gt_object_text(o->kind), *name = gt_model_global(st->model, object);

	if (name != NULL) {
		return gt_word("%s #%" PRIu32 " %s", kind ? kind : "object", object + 1,
			       gt_word_clip(st, name, GT_COLUMNS_STACK).s);
	}
	return gt_word("%s #%" PRIu32 " 0x%" PRIx64, kind ? kind : "object", object + 1,
		       o->address);
}

void gt_details_parts(struct gt_details *d, const char *verb, const struct gt_model_pairs *pairs,
		      uint32_t a, uint64_t whole)
{
	enum { MOST = 3 };
	struct gt_model *model = d->st->model;
	const bool each = model->users <= d->st->top;
	struct gt_set sums = gt_set_of(sizeof(struct gt_model_share));
	struct gt_word w = gt_word("%s", verb);
	size_t n, shown;
	const uint32_t *pair = gt_model_pairs_of(pairs, a, &n);
	uint32_t *order;

	for (size_t i = 0; i < n; i++) {
		const uint32_t b = gt_model_pair(pairs, pair[i])->b;
		const uint32_t who = each || b == GT_MODEL_NONE ? b : gt_model_group(model, b);
		const struct gt_model_share *share = gt_model_share(pairs, pair[i]);
		struct gt_model_share *sum = gt_set_get(&sums, &who, sizeof(who));

		sum->total += share->total;
		sum->waits += share->waits;
	}
	order = gt_model_longest(&sums);
	shown = sums.count <= MOST ? sums.count : MOST - 1;
	for (size_t i = 0; i < shown; i++) {
		const struct gt_model_share *sum = gt_set_value(&sums, order[i]);
		const uint32_t who = *(const uint32_t *)gt_set_key(&sums, order[i], NULL);

		w = gt_word("%.200s%s%.80s %s", w.s, i ? ", " : " ",
			    (each ? gt_word_thread : gt_word_group)(d->st, who, 28).s,
			    gt_word_percent(sum->total, whole).s);
	}
	if (sums.count > shown) {
		w = gt_word("%.280s, %s more", w.s, gt_word_number(sums.count - shown).s);
	}
	if (n != 0) {
		gt_details_add(d, w);
	}
	gt_set_fini(&sums);
	free(order);
}

const char *gt_word_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}
