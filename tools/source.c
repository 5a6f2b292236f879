/*
 * The file of a trace, read ahead of the generation that is looked at; by several readers in turn.
 */
#include <stdlib.h>
#include <string.h>

#include "reader_own.h"

enum { CHUNK = 1 << 18 };

void gt_source_take(struct gt_reader *r)
{
	struct gt_source *s = r->source;

	r->base = s->offset;
	r->at = 0;
	r->length = s->nrest;
	if (s->input == NULL) {
		r->bytes = s->rest;
		return;
	}
	if (r->cap < s->nrest) {
		r->cap = s->nrest + 4 * CHUNK;
		r->buffer = gt_realloc(r->buffer, r->cap);
	}
	if (s->nrest > 0) {
		memcpy(r->buffer, s->rest, s->nrest);
	}
	r->bytes = r->buffer;
}

void gt_source_leave(struct gt_reader *r)
{
	struct gt_source *s = r->source;

	s->offset = r->base + r->at;
	s->nrest = r->length - r->at;
	if (s->input == NULL) {
		s->rest = r->bytes + r->at;
		return;
	}
	if (s->cap < s->nrest) {
		s->cap = s->nrest;
		s->buffer = gt_realloc(s->buffer, s->cap);
	}
	if (s->nrest > 0) {
		memcpy(s->buffer, r->bytes + r->at, s->nrest);
	}
	s->rest = s->buffer;
}

ssize_t gt_source_want(struct gt_reader *r, size_t n, struct gt_error *e)
{
	struct gt_source *s = r->source;

	while (r->length - r->at < n && !s->eof) {
		ssize_t got;

		if (r->cap - r->length < CHUNK) {
			r->cap = GT_MAX(r->cap * 2, (size_t)4 * CHUNK);
			r->buffer = gt_realloc(r->buffer, r->cap);
			r->bytes = r->buffer;
		}
		got = gt_input_read(s->input, r->buffer + r->length, CHUNK, e);
		if (got < 0 && e->kind == GT_ERROR_READ) {
			return -1;
		}
		if (got < 0) { /* what came before may be whole generations */
			s->torn = *e;
			got = 0;
		}
		r->length += (size_t)got;
		s->eof = got == 0;
	}
	return (ssize_t)GT_MIN(n, r->length - r->at);
}

/*
 * A compressed file that could be unpacked in part only. Where it was cut off, what that means for
 * the trace is the better word, if it means something.
 */
static int torn(const struct gt_source *s, int n, struct gt_error *e)
{
	if (n == 0 || s->torn.kind != GT_ERROR_TRUNCATED) {
		*e = s->torn;
	}
	return -1;
}

/*
 * The sums of a compressed file come behind what they are of. So before bytes of it are believed,
 * or blamed, the frame that they are in is read to its end: -1 with *e where that finds damage.
 */
static int check_sum(struct gt_reader *r, int n, struct gt_error *e)
{
	enum { MOST = 1 << 30 }; /* no writer makes longer frames */
	struct gt_source *s = r->source;
	struct gt_error ignored;
	uint64_t read = 0;

	if (s->input == NULL || !gt_input_unpacks(s->input)) {
		return n;
	}
	if (n > 0) {
		gt_source_want(r, 1, &ignored);
	} else if (n < 0 && e->kind == GT_ERROR_INVALID) {
		for (; !s->eof && read < MOST; read += r->length) {
			r->at = r->length = 0;
			gt_source_want(r, 1, &ignored);
		}
	}
	if (s->torn.kind != GT_ERROR_INVALID) {
		return n;
	}
	*e = s->torn;
	return -1;
}

int gt_source_check(struct gt_reader *r, int n, struct gt_error *e)
{
	const struct gt_source *s = r->source;

	if (s->over) {
		return n;
	}
	n = check_sum(r, n, e);
	return n <= 0 && s->torn.kind != GT_ERROR_NONE ? torn(s, n, e) : n;
}
