/*
 * Errors as values and as text, and memory that does not fail quietly.
 */
#include "error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int gt_error_set(struct gt_error *e, enum gt_error_kind kind, uint64_t offset, uint64_t generation,
		 uint64_t m, const char *format, ...)
{
	va_list args;

	*e = (struct gt_error){.kind = kind, .offset = offset, .generation = generation, .m = m};
	va_start(args, format);
	vsnprintf(e->message, sizeof(e->message), format, args);
	va_end(args);
	return -1;
}

void gt_error_text(const struct gt_error *e, char *text, size_t size)
{
	char where[120] = "";
	size_t n = 0;

	if (e->generation != GT_NOWHERE) {
		n += (size_t)snprintf(where + n, sizeof(where) - n, "generation %" PRIu64 ", ",
				      e->generation);
	}
	if (e->m != GT_NOWHERE) {
		n += (size_t)snprintf(where + n, sizeof(where) - n, "M %" PRIu64 ", ", e->m);
	} else if (e->event[0] != '\0') {
		n += (size_t)snprintf(where + n, sizeof(where) - n, "no M, ");
	}
	if (e->offset != GT_NOWHERE) {
		n += (size_t)snprintf(where + n, sizeof(where) - n, "offset %" PRIu64 ", ",
				      e->offset);
	}
	if (n >= 2) {
		memcpy(where + n - 2, ": ", 2);
	}
	snprintf(text, size, "%s%s%s%s", where, e->event, e->event[0] != '\0' ? ": " : "",
		 e->message);
	/* Names out of the trace may hold anything; the text is one line. */
	for (char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			*c = '?';
		}
	}
}

static _Noreturn void out_of_memory(size_t bytes)
{
	fprintf(stderr, "gtrace: no memory for %zu bytes\n", bytes);
	abort();
}

void *gt_alloc(size_t bytes)
{
	void *p = calloc(1, bytes ? bytes : 1);

	if (p == NULL) {
		out_of_memory(bytes);
	}
	return p;
}

void *gt_realloc(void *old, size_t bytes)
{
	void *p = realloc(old, bytes ? bytes : 1);

	if (p == NULL) {
		out_of_memory(bytes);
	}
	return p;
}

void *gt_grow(void *array, size_t n, size_t *cap, size_t element)
{
	if (n < *cap) {
		return array;
	}
	*cap = *cap ? *cap * 2 : 64;
	if (*cap > SIZE_MAX / element) {
		out_of_memory(SIZE_MAX);
	}
	return gt_realloc(array, *cap * element);
}
