/*
 * gtrace export --to collapsed: a line for each stack, outermost frame first, and what it weighs.
 *
 *	main;serve;take;[mutex] 1250300
 *
 * The form that flamegraph.pl, inferno and speedscope read. The last frame says what was waited for
 * or called.
 */
#include "export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "span_text.h"

/* A line in the making. */
struct line {
	char *text;
	size_t size, cap;
};

static void put(struct line *l, const char *text, size_t n)
{
	if (l->cap - l->size <= n) {
		l->cap = GT_MAX(l->cap * 2, l->size + n + 1);
		l->text = gt_realloc(l->text, l->cap);
	}
	memcpy(l->text + l->size, text, n);
	l->size += n;
}

/* What separates frames and lines cannot stand in a name, nor what is no UTF-8. */
static void put_frame(struct line *l, const char *before, const char *name, const char *after)
{
	if (l->size > 0) {
		put(l, ";", 1);
	}
	put(l, before, strlen(before));
	while (*name != '\0') {
		const size_t n = gt_utf8_length(name);

		if (n == 1) {
			put(l, *name == ';' ? ":" : (unsigned char)*name < ' ' ? "?" : name, 1);
		} else if (n > 1) {
			put(l, name, n);
		} else {
			put(l, "\xef\xbf\xbd", 3); /* U+FFFD */
		}
		name += n ? n : 1;
	}
	put(l, after, strlen(after));
}

static void put_stack(struct line *l, const struct gt_profile *p, const struct gt_profile_key *key)
{
	struct gt_span_words words;
	struct gt_call_name call;
	const char *what = gt_profile_what(p, key, &call);
	size_t n;
	const struct gt_span_frame *frames = gt_spans_stack(p->spans, key->stack, &n);

	l->size = 0;
	if (n == 0) {
		put_frame(l, "", gt_profile_no_stack(p), "");
	}
	while (n-- > 0) {
		put_frame(l, "", gt_span_frame_name(p->spans, &frames[n], &words), "");
	}
	if (what != NULL && *what != '\0') {
		put_frame(l, "[", what, "]");
	}
}

int gt_export_collapsed(const struct gt_export *x, struct gt_error *e)
{
	struct gt_set lines = gt_set_of(sizeof(uint64_t));
	struct line line = {0};
	struct gt_profile p;
	const int n = gt_profile_read(&p, x->path, x->weight, &x->window, e);

	for (size_t i = 0; i < p.samples.count; i++) {
		const struct gt_profile_key *key = gt_set_key(&p.samples, i, NULL);
		const struct gt_profile_sum *sum = gt_set_value(&p.samples, i);
		uint64_t *weight;

		if (gt_profile_shows(&p, key, x->system)) {
			put_stack(&line, &p, key);
			weight = gt_set_get(&lines, line.text, line.size);
			*weight += x->weight->kind == GT_SPAN_EVENT ? sum->count : sum->ns;
		}
	}
	for (size_t i = 0; i < lines.count; i++) {
		size_t size;
		const char *text = gt_set_key(&lines, i, &size);
		const uint64_t *weight = gt_set_value(&lines, i);

		if (*weight > 0) {
			fwrite(text, 1, size, x->out);
			fprintf(x->out, " %" PRIu64 "\n", *weight);
		}
	}
	free(line.text);
	gt_set_fini(&lines);
	gt_profile_fini(&p);
	return n;
}
