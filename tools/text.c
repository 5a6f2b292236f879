/*
 * Trace -> text. The way back is assemble.c.
 */
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/brief.h"
#include "base/varint.h"
#include "facts.h"
#include "quote.h"
#include "text_rows.h"

struct source {
	FILE *in;
	uint64_t at;   /* offset of the next byte */
	uint64_t item; /* of the event's first byte */
	const char *name;
	struct gt_error *e;
	bool failed;
};

static void fail(struct source *s, enum gt_error_kind kind, const char *what)
{
	if (!s->failed) {
		gt_error_set(s->e, kind, s->item, GT_NOWHERE, GT_NOWHERE, "%s%s%s",
			     s->name ? s->name : "", s->name ? ": " : "", what);
	}
	s->failed = true;
}

static int next_byte(struct source *s)
{
	int c = getc_unlocked(s->in);

	if (c != EOF) {
		s->at++;
	}
	return c;
}

static uint64_t number(struct source *s)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < GT_VARINT_MAX && !s->failed; i++) {
		int c = next_byte(s);

		if (c == EOF) {
			fail(s, GT_ERROR_TRUNCATED, "the file ends inside it");
			return 0;
		}
		if (i == GT_VARINT_MAX - 1 && c > 1) {
			break;
		}
		v |= (uint64_t)(c & 0x7f) << (7 * i);
		if (c < 0x80) {
			return v;
		}
	}
	fail(s, GT_ERROR_INVALID, "a number has more than 64 bits");
	return 0;
}

/* A length and that many bytes, which the caller frees. */
static uint8_t *data(struct source *s, uint64_t *length)
{
	uint8_t *bytes;

	*length = number(s);
	if (!s->failed && *length > GT_WIRE_BATCH_MAX) {
		fail(s, GT_ERROR_INVALID, "its data is longer than a batch may be");
	}
	if (s->failed) {
		return NULL;
	}
	bytes = gt_alloc(*length);
	for (uint64_t i = 0; i < *length && !s->failed; i++) {
		int c = next_byte(s);

		if (c == EOF) {
			fail(s, GT_ERROR_TRUNCATED, "the file ends inside its data");
		}
		bytes[i] = (uint8_t)c;
	}
	return bytes;
}

/* Comments that say what a batch of facts holds. A fact that cannot be read ends them. */
static void dump_facts(FILE *out, uint64_t m, const uint8_t *p, const uint8_t *end, uint64_t time)
{
	struct gt_brief said;

	if (end - p < 2 || p[0] != GT_FACT_MAGIC || p[1] != GT_FACT_VERSION) {
		return;
	}
	gt_brief_reset(&said);
	p += 2;
	while (p < end) {
		const struct gt_spec *const brief = gt_spec_fact(*p), *spec = brief;
		uint64_t v[GT_LEN(spec->args) + 1] = {0};
		unsigned n = spec ? spec->nargs + 1 : 0;
		uint8_t number = *p;

		p++;
		for (unsigned i = 0; i < n; i++) {
			int k = gt_varint_get(p, end, &v[i]);

			if (k <= 0) {
				spec = NULL;
				break;
			}
			p += k;
		}
		if (spec == NULL || !gt_brief_read(&said, m, &number, v + 1)) {
			fputs("# fact: cannot be read\n", out);
			return;
		}
		spec = gt_spec_fact(number);
		time += v[0];
		fprintf(out, "# %s time=%" PRIu64, spec->name, time);
		for (unsigned i = 0; i < spec->nargs; i++) {
			fprintf(out,
				spec->args[i].type == GT_ARG_addr ? " %s=0x%" PRIx64
								  : " %s=%" PRIu64,
				spec->args[i].name, v[i + 1]);
		}
		gt_fact_put_words(out, spec->number, v + 1);
		if (spec != brief) {
			fprintf(out, " (brief: %s)", brief->name);
		}
		fputc('\n', out);
	}
}

static void dump_event(struct source *s, FILE *out, const struct gt_spec *spec, bool facts)
{
	uint64_t args[8] = {0};
	uint64_t length = 0;

	fputs(spec->name, out);
	if (gt_text_is_timed(spec)) {
		fprintf(out, " dt=%" PRIu64, number(s));
	}
	for (unsigned i = 0; i < spec->nargs && !s->failed; i++) {
		args[i] = number(s);
		fprintf(out, " %s=%" PRIu64, spec->args[i].name, args[i]);
	}
	if (spec->number == GT_EV_STACK) {
		for (uint64_t i = 0; i < args[1] && !s->failed; i++) {
			for (unsigned k = 0; k < 4 && !s->failed; k++) {
				fprintf(out, "%s%s=%" PRIu64, k ? " " : "\n\t", gt_frame_fields[k],
					number(s));
			}
		}
	}
	if (gt_text_has_data(spec)) {
		uint8_t *bytes = data(s, &length);

		if (length > 0 && !s->failed) {
			fputs("\n\tdata=", out);
			gt_quote(out, bytes, length);
		}
		fputc('\n', out);
		if (facts && !s->failed && spec->number == GT_EV_EXPERIMENTAL_BATCH &&
		    args[0] == GT_FACT_EXPERIMENT) {
			dump_facts(out, args[2], bytes, bytes + length, args[3]);
		}
		free(bytes);
		return;
	}
	fputc('\n', out);
}

int gt_text_dump(FILE *in, FILE *out, bool facts, struct gt_error *e)
{
	struct source s = {.in = in, .e = e};
	char header[GT_WIRE_HEADER_SIZE + 1] = "";
	unsigned version;
	int c;

	if (fread(header, 1, GT_WIRE_HEADER_SIZE, in) != GT_WIRE_HEADER_SIZE ||
	    sscanf(header, "go 1.%2u trace", &version) != 1) {
		return gt_error_set(e, GT_ERROR_READ, 0, GT_NOWHERE, GT_NOWHERE,
				    ferror(in) ? "cannot read" : "not a Go execution trace");
	}
	s.at = GT_WIRE_HEADER_SIZE;
	fprintf(out, "Trace Go1.%u\n", version);
	while (!s.failed) {
		const struct gt_spec *spec;

		s.item = s.at;
		s.name = NULL;
		c = next_byte(&s);
		if (c == EOF) {
			break;
		}
		spec = gt_spec_event((unsigned)c);
		if (spec == NULL) {
			char text[60];

			snprintf(text, sizeof(text), "found byte %d, which is no event type", c);
			fail(&s, GT_ERROR_INVALID, text);
			break;
		}
		s.name = spec->name;
		dump_event(&s, out, spec, facts);
	}
	return s.failed ? -1 : 0;
}
