/*
 * Text -> trace: the inverse of text.c, and whatever else a test wants to be in a file.
 */
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/varint.h"
#include "quote.h"
#include "text_rows.h"

struct assembler {
	FILE *in;
	struct gt_error *e;
	char *line;
	size_t line_cap;
	unsigned number; /* of the line */
	uint8_t *out;
	size_t n, cap;
	bool sizing;    /* a batch with size=auto is open: */
	size_t size_at; /* where its size belongs */
};

#define WRONG(a, ...)                                                                             \
	(gt_error_set((a)->e, GT_ERROR_INVALID, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE, __VA_ARGS__), \
	 add_line_number(a))

static int add_line_number(const struct assembler *a)
{
	char text[sizeof(a->e->message)];

	snprintf(text, sizeof(text), "line %u: %.900s", a->number, a->e->message);
	memcpy(a->e->message, text, sizeof(text));
	return -1;
}

static void put(struct assembler *a, const void *bytes, size_t n)
{
	if (a->cap - a->n < n) {
		a->cap = GT_MAX(a->cap * 2, a->n + n + 4096);
		a->out = gt_realloc(a->out, a->cap);
	}
	memcpy(a->out + a->n, bytes, n);
	a->n += n;
}

static void put_number(struct assembler *a, uint64_t v)
{
	uint8_t bytes[GT_VARINT_MAX];

	put(a, bytes, (size_t)(gt_varint_put(bytes, v) - bytes));
}

/* The batch whose size was left to us is complete. */
static void close_size(struct assembler *a)
{
	uint8_t bytes[GT_VARINT_MAX];
	size_t n;

	if (!a->sizing) {
		return;
	}
	a->sizing = false;
	n = (size_t)(gt_varint_put(bytes, a->n - a->size_at) - bytes);
	put(a, bytes, n); /* room; then in its place */
	memmove(a->out + a->size_at + n, a->out + a->size_at, a->n - n - a->size_at);
	memcpy(a->out + a->size_at, bytes, n);
}

/* Cuts the next word from *rest, "" at the end or a comment. */
static char *word(char **rest)
{
	char *w = *rest;

	while (isspace((unsigned char)*w)) {
		w++;
	}
	*rest = w;
	while (**rest != '\0' && **rest != '#' && !isspace((unsigned char)**rest)) {
		(*rest)++;
	}
	if (**rest == '#' || **rest == '\0') {
		**rest = '\0';
	} else {
		*(*rest)++ = '\0';
	}
	return w;
}

/* The next line that is not empty; its first word is cut off. NULL at the end. */
static char *next_line(struct assembler *a, char **rest)
{
	while (getline(&a->line, &a->line_cap, a->in) > 0) {
		char *w;

		a->number++;
		*rest = a->line;
		w = word(rest);
		if (*w != '\0') {
			return w;
		}
	}
	return NULL;
}

static int parse_number(struct assembler *a, const char *text, uint64_t *v)
{
	char *end;

	errno = 0;
	*v = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0) {
		return WRONG(a, "found \"%s\"; expected a number of at most 64 bits", text);
	}
	return 0;
}

/* The value in "name=value"; w is that word. */
static const char *argument(struct assembler *a, const char *w, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(w, name, n) != 0 || w[n] != '=') {
		WRONG(a, "found \"%s\"; expected %s=", w, name);
		return NULL;
	}
	return w + n + 1;
}

static int put_argument(struct assembler *a, const char *w, const char *name, uint64_t *v)
{
	const char *text = argument(a, w, name);

	if (text == NULL || parse_number(a, text, v) < 0) {
		return -1;
	}
	put_number(a, *v);
	return 0;
}

/*
 * The data of an event: on the next line, or missing, as Go's writer leaves out empty data. *pushed
 * is then the first word of the line that is the next event's.
 */
static int put_data(struct assembler *a, bool counted, char *rest, char **pushed,
		    char **pushed_rest)
{
	uint8_t *bytes;
	size_t length = 0;
	char *p = rest;

	while (isspace((unsigned char)*p)) {
		p++;
	}
	if (*p == '\0' || *p == '#') {
		/* Quoted text may hold anything, so the line is not cut into words. */
		ssize_t n = getline(&a->line, &a->line_cap, a->in);

		a->number++;
		for (p = a->line; n > 0 && isspace((unsigned char)*p); p++) {
		}
		if (n <= 0 || strncmp(p, "data=", 5) != 0) {
			put_number(a, 0);
			if (n > 0) {
				*pushed_rest = a->line;
				*pushed = word(pushed_rest);
			}
			return 0;
		}
	}
	if (strncmp(p, "data=", 5) != 0) {
		return WRONG(a, "expected data=\"...\"");
	}
	p += 5;
	bytes = gt_alloc(strlen(p) + 4);
	if (gt_unquote(p, bytes, &length) == NULL) {
		free(bytes);
		return WRONG(a, "the data is not a quoted string");
	}
	if (counted) {
		put_number(a, length);
	}
	put(a, bytes, length);
	free(bytes);
	return 0;
}

static int nothing_more(struct assembler *a, char *rest)
{
	const char *w = word(&rest);

	return *w == '\0' ? 0 : WRONG(a, "found \"%s\" after the last argument", w);
}

static int put_frames(struct assembler *a, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		char *rest = NULL;
		char *w = next_line(a, &rest);

		for (unsigned k = 0; k < 4; k++) {
			uint64_t v;

			if (w == NULL || put_argument(a, w, gt_frame_fields[k], &v) < 0) {
				return w == NULL ? WRONG(a, "the text ends inside a stack") : -1;
			}
			w = word(&rest);
		}
		if (*w != '\0') {
			return WRONG(a, "found \"%s\" after the last argument of a frame", w);
		}
	}
	return 0;
}

static int put_event(struct assembler *a, const struct gt_spec *spec, char *rest, char **pushed,
		     char **pushed_rest)
{
	uint64_t v = 0;

	if (spec->number == GT_EV_EVENT_BATCH || spec->number == GT_EV_EXPERIMENTAL_BATCH ||
	    spec->number == GT_EV_END_OF_GENERATION) {
		close_size(a);
	}
	put(a, &spec->number, 1);
	if (gt_text_is_timed(spec) && put_argument(a, word(&rest), "dt", &v) < 0) {
		return -1;
	}
	for (unsigned i = 0; i < spec->nargs; i++) {
		char *w = word(&rest);

		if (spec->number == GT_EV_EVENT_BATCH && strcmp(w, "size=auto") == 0) {
			a->sizing = true;
			a->size_at = a->n;
		} else if (put_argument(a, w, spec->args[i].name, &v) < 0) {
			return -1;
		}
	}
	if (gt_text_has_data(spec)) {
		return put_data(a, true, rest, pushed, pushed_rest);
	}
	if (nothing_more(a, rest) < 0) {
		return -1;
	}
	return spec->number == GT_EV_STACK ? put_frames(a, v) : 0;
}

static int put_line(struct assembler *a, char *w, char *rest, char **pushed, char **pushed_rest)
{
	const struct gt_spec *spec = gt_spec_by_name(w, strlen(w));
	const char *text;
	uint64_t v;

	if (spec != NULL) {
		return put_event(a, spec, rest, pushed, pushed_rest);
	}
	if (strcmp(w, "Bytes") == 0) {
		return put_data(a, false, rest, pushed, pushed_rest);
	}
	if (strcmp(w, "Cut") == 0) {
		close_size(a);
		text = argument(a, word(&rest), "bytes");
		if (text == NULL || parse_number(a, text, &v) < 0) {
			return -1;
		}
		if (v > a->n) {
			return WRONG(a, "cuts more than there is: %zu bytes", a->n);
		}
		a->n -= v;
		return 0;
	}
	return WRONG(a, "\"%s\" is no event", w);
}

static int assemble(struct assembler *a)
{
	char *rest = NULL, *pushed = NULL, *pushed_rest = NULL, *end;
	char *w = next_line(a, &rest);
	char header[GT_WIRE_HEADER_SIZE];
	unsigned long version;

	if (w == NULL || strcmp(w, "Trace") != 0) {
		return WRONG(a, "expected \"Trace Go1.NN\" first");
	}
	w = word(&rest);
	version = strncmp(w, "Go1.", 4) == 0 ? strtoul(w + 4, &end, 10) : 100;
	if (version > 99 || *end != '\0') {
		return WRONG(a, "found \"%s\"; expected Go1.NN", w);
	}
	memcpy(header, GT_WIRE_HEADER, GT_WIRE_HEADER_SIZE);
	header[5] = (char)('0' + version / 10);
	header[6] = (char)('0' + version % 10);
	put(a, header, sizeof(header));
	for (;;) {
		if (pushed != NULL) {
			w = pushed;
			rest = pushed_rest;
			pushed = NULL;
			if (*w == '\0') {
				continue;
			}
		} else if ((w = next_line(a, &rest)) == NULL) {
			break;
		}
		if (put_line(a, w, rest, &pushed, &pushed_rest) < 0) {
			return -1;
		}
	}
	close_size(a);
	return 0;
}

int gt_text_assemble(FILE *in, FILE *out, struct gt_error *e)
{
	struct assembler a = {.in = in, .e = e};
	int status = assemble(&a);

	if (status == 0) {
		fwrite(a.out, 1, a.n, out);
	}
	free(a.out);
	free(a.line);
	return status;
}
