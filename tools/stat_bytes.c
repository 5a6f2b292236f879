/*
 * The views of where the bytes of a trace are.
 */
#include "stat_bytes.h"

#include <inttypes.h>
#include <stdlib.h>

#include "json.h"
#include "stat_format.h"

static const struct {
	const char *key, *text;
} classes[GT_BYTES_CLASSES] = {
	[GT_BYTES_EVENTS] = {"events", "events"},
	[GT_BYTES_FACTS] = {"facts", "facts"},
	[GT_BYTES_STACKS] = {"stacks", "stacks"},
	[GT_BYTES_STRINGS] = {"strings", "strings"},
	[GT_BYTES_SAMPLES] = {"samples", "CPU samples"},
	[GT_BYTES_CLOCK] = {"clock", "clock"},
	[GT_BYTES_OTHERS] = {"others", "others"},
};

/* What an event takes, by what is counted. */
struct each {
	double events;           /* events alone, with the heads of their batches */
	double with_facts;       /* and the bytes of the facts */
	double facts_counted;    /* the same over events and facts */
	double whole;            /* all of the file over events, */
	double whole_of_counted; /* and over events and facts */
};

static double over(uint64_t bytes, uint64_t n)
{
	return n ? (double)bytes / (double)n : 0;
}

static struct each each_of(const struct gt_bytes *b)
{
	const uint64_t events = gt_bytes_count(b, GT_BYTES_EVENTS);
	const uint64_t facts = gt_bytes_count(b, GT_BYTES_FACTS);
	const uint64_t of_events = gt_bytes_of_class(b, GT_BYTES_EVENTS);
	const uint64_t both = of_events + gt_bytes_of_class(b, GT_BYTES_FACTS);

	return (struct each){
		.events = over(of_events, events),
		.with_facts = over(both, events),
		.facts_counted = over(both, events + facts),
		.whole = over(b->size, events),
		.whole_of_counted = over(b->size, events + facts),
	};
}

/* --- Text ------------------------------------------------------------------------------------- */

enum {
	WIDE_NAME = 22,
	WIDE_COUNT = 12,
	WIDE_BYTES = 14,
	WIDE_SHARE = 10,
	WIDE_EACH = 8,
	WIDE_ROW = WIDE_NAME + WIDE_COUNT + WIDE_BYTES + WIDE_SHARE + WIDE_EACH,
};

static struct gt_word decimal(double value)
{
	return gt_word(value >= 99.95 ? "%.0f" : value >= 9.995 ? "%.1f" : "%.2f", value);
}

static int by_bytes(const void *a, const void *b)
{
	const uint64_t x = gt_bytes_of_kind(*(const struct gt_bytes_kind *const *)a);
	const uint64_t y = gt_bytes_of_kind(*(const struct gt_bytes_kind *const *)b);

	return (x < y) - (x > y);
}

/* "1.87 time · 2 stack" behind the row, and below where that is too long. A type is one byte. */
static void put_fields(const struct gt_stat *st, const struct gt_bytes_kind *kind, FILE *out)
{
	const char *const sep = st->utf8 ? " · " : "; ";
	size_t at = WIDE_ROW;

	fputs("  ", out);
	for (size_t i = 1; i < GT_BYTES_FIELDS && kind->fields[i] != NULL; i++) {
		const bool whole = kind->bytes[i] % kind->count == 0;
		const struct gt_word w =
			gt_word("%s %s",
				whole ? gt_word("%" PRIu64, kind->bytes[i] / kind->count).s
				      : decimal(over(kind->bytes[i], kind->count)).s,
				kind->fields[i]);
		const size_t n = gt_word_columns(st, w.s) + gt_word_columns(st, sep);

		if (at + n > GT_COLUMNS) {
			fputc('\n', out);
			gt_stat_fill(out, WIDE_ROW + 2);
			at = WIDE_ROW;
		} else if (i > 1) {
			fputs(sep, out);
		}
		fputs(w.s, out);
		at += n;
	}
	fputc('\n', out);
}

static void put_heads(const struct gt_stat *st, const char *title, FILE *out)
{
	gt_stat_title(st, out, WIDE_NAME, title);
	gt_stat_right(st, out, WIDE_COUNT, gt_word("number"));
	gt_stat_right(st, out, WIDE_BYTES, gt_word("bytes"));
	gt_stat_right(st, out, WIDE_SHARE, gt_word("share"));
	gt_stat_right(st, out, WIDE_EACH, gt_word("each"));
	fputs("  of that\n", out);
}

static void put_row(const struct gt_stat *st, const char *name, uint64_t count, uint64_t bytes,
		    uint64_t whole, FILE *out)
{
	gt_stat_left(st, out, WIDE_NAME, gt_word("  %s", name));
	gt_stat_right(st, out, WIDE_COUNT, gt_word_number(count));
	gt_stat_right(st, out, WIDE_BYTES, gt_word_number(bytes));
	gt_stat_right(st, out, WIDE_SHARE, gt_word_percent(bytes, whole));
	gt_stat_right(st, out, WIDE_EACH, decimal(over(bytes, count)));
}

static void put_kinds(const struct gt_stat *st, const struct gt_bytes *b, const char *title,
		      enum gt_bytes_class first, enum gt_bytes_class last, FILE *out)
{
	const struct gt_bytes_kind *kinds[GT_BYTES_KINDS];
	size_t n = 0;

	for (size_t i = 0; i < GT_BYTES_KINDS; i++) {
		if (b->kinds[i].class >= first && b->kinds[i].class <= last &&
		    b->kinds[i].count != 0) {
			kinds[n++] = &b->kinds[i];
		}
	}
	if (n == 0) {
		return;
	}
	qsort(kinds, n, sizeof(*kinds), by_bytes);
	put_heads(st, title, out);
	for (size_t i = 0; i < n; i++) {
		const uint64_t sum = gt_bytes_of_kind(kinds[i]);

		put_row(st, kinds[i]->name, kinds[i]->count, sum, b->size, out);
		put_fields(st, kinds[i], out);
	}
}

static void put_batches(const struct gt_stat *st, const struct gt_bytes *b, FILE *out)
{
	put_heads(st, "Batches", out);
	for (unsigned i = 0; i < GT_BYTES_CLASSES; i++) {
		const uint64_t sum = gt_bytes_of_class(b, i), count = b->batches[i].count;

		if (count == 0) {
			continue;
		}
		put_row(st, classes[i].text, count, sum, b->size, out);
		fprintf(out, "  %s header\n", decimal(over(b->batches[i].heads, count)).s);
	}
	fprintf(out, "  %s bytes are around the batches\n", gt_word_number(b->around).s);
}

void gt_stat_bytes_text(const struct gt_stat *st, const struct gt_bytes *b, FILE *out)
{
	const struct each each = each_of(b);
	const uint64_t facts = gt_bytes_count(b, GT_BYTES_FACTS);
	const char *const dot = st->utf8 ? "·" : "-";

	gt_stat_style(st, out, "1");
	fputs(st->path, out);
	gt_stat_style(st, out, "0");
	fprintf(out, "  %s bytes %s %s generation%s %s Go 1.%u\n", gt_word_number(b->size).s, dot,
		gt_word_number(b->generations).s, gt_word_plural(b->generations), dot, b->version);
	gt_stat_problem(st, out);
	fprintf(out, "%s events, of %s bytes each",
		gt_word_number(gt_bytes_count(b, GT_BYTES_EVENTS)).s, decimal(each.events).s);
	if (facts != 0) {
		fprintf(out, "; %s with their %s facts", decimal(each.with_facts).s,
			gt_word_number(facts).s);
	}
	fprintf(out, "; %s with tables and all\n", decimal(each.whole).s);
	if (facts != 0) {
		fprintf(out,
			"If facts are counted as events: %s bytes each, %s with tables and all\n",
			decimal(each.facts_counted).s, decimal(each.whole_of_counted).s);
	}
	put_kinds(st, b, "Events", GT_BYTES_EVENTS, GT_BYTES_EVENTS, out);
	put_kinds(st, b, "Facts", GT_BYTES_FACTS, GT_BYTES_FACTS, out);
	put_kinds(st, b, "Tables", GT_BYTES_STACKS, GT_BYTES_STRINGS, out);
	put_batches(st, b, out);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void put_each(struct gt_json *j, const char *name, double value)
{
	gt_json_word(j, name, gt_word("%.4f", value).s);
}

static void put_kind(struct gt_json *j, const struct gt_bytes_kind *kind)
{
	gt_json_begin(j, '{');
	gt_json_string(j, "holds", classes[kind->class].key);
	gt_json_string(j, "name", kind->name);
	gt_json_number(j, "count", kind->count);
	gt_json_number(j, "bytes", gt_bytes_of_kind(kind));
	gt_json_key(j, "fields");
	gt_json_begin(j, '[');
	for (size_t i = 0; i < GT_BYTES_FIELDS && kind->fields[i] != NULL; i++) {
		gt_json_begin(j, '{');
		gt_json_string(j, "name", kind->fields[i]);
		gt_json_number(j, "bytes", kind->bytes[i]);
		gt_json_end(j, '}');
	}
	gt_json_end(j, ']');
	gt_json_end(j, '}');
}

void gt_stat_bytes_json(const struct gt_stat *st, const struct gt_bytes *b, FILE *out)
{
	const struct each each = each_of(b);
	struct gt_json j = {.out = out};

	gt_json_begin(&j, '{');
	gt_json_string(&j, "file", st->path);
	gt_json_string(&j, "format", gt_word("1.%u", b->version).s);
	gt_json_boolean(&j, "truncated", st->truncated);
	gt_json_string(&j, "problem", st->problem);
	gt_json_number(&j, "generations", b->generations);
	gt_json_number(&j, "bytes", b->size);
	gt_json_number(&j, "around", b->around);
	gt_json_number(&j, "events", gt_bytes_count(b, GT_BYTES_EVENTS));
	gt_json_number(&j, "facts", gt_bytes_count(b, GT_BYTES_FACTS));
	gt_json_key(&j, "each");
	gt_json_begin(&j, '{');
	put_each(&j, "events", each.events);
	put_each(&j, "with_facts", each.with_facts);
	put_each(&j, "facts_counted", each.facts_counted);
	put_each(&j, "whole", each.whole);
	put_each(&j, "whole_of_counted", each.whole_of_counted);
	gt_json_end(&j, '}');
	gt_json_key(&j, "batches");
	gt_json_begin(&j, '[');
	for (unsigned i = 0; i < GT_BYTES_CLASSES; i++) {
		if (b->batches[i].count != 0) {
			gt_json_begin(&j, '{');
			gt_json_string(&j, "holds", classes[i].key);
			gt_json_number(&j, "count", b->batches[i].count);
			gt_json_number(&j, "headers", b->batches[i].heads);
			gt_json_number(&j, "payload", b->batches[i].payload);
			gt_json_end(&j, '}');
		}
	}
	gt_json_end(&j, ']');
	gt_json_key(&j, "kinds");
	gt_json_begin(&j, '[');
	for (size_t i = 0; i < GT_BYTES_KINDS; i++) {
		if (b->kinds[i].count != 0) {
			put_kind(&j, &b->kinds[i]);
		}
	}
	gt_json_end(&j, ']');
	gt_json_end(&j, '}');
	fputc('\n', out);
}
