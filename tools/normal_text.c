/*
 * Names of threads and objects in the text of normal.c.
 */
#include "normal_text.h"

#include <inttypes.h>
#include <stdlib.h>

#include "error.h"

int gt_normal_compare(const char *x, const char *y)
{
	for (;;) {
		char *xe, *ye;
		unsigned long i, k;

		if ((*x == 'x') != (*y == 'x')) {
			return *x == 'x' ? 1 : -1;
		}
		i = strtoul(x + (*x == 'x'), &xe, 10);
		k = strtoul(y + (*y == 'x'), &ye, 10);
		if (i != k) {
			return i < k ? -1 : 1;
		}
		if (*xe == '\0' || *ye == '\0') {
			return *xe == '\0' ? (*ye == '\0' ? 0 : -1) : 1;
		}
		x = xe + 1;
		y = ye + 1;
	}
}

static unsigned number_of(struct gt_normal_objects *o, struct gt_normal_object x)
{
	for (size_t i = 0; i < o->n; i++) {
		if (o->array[i].kind == x.kind && o->array[i].address == x.address &&
		    o->array[i].epoch == x.epoch) {
			return o->array[i].number;
		}
	}
	x.number = ++o->counts[x.kind];
	o->array = gt_grow(o->array, o->n, &o->cap, sizeof(*o->array));
	o->array[o->n++] = x;
	return x.number;
}

/* Names out of the file are printed without control characters, so the marks are certain. */
void gt_normal_mark(FILE *out, const struct gt_normal_object *object)
{
	fprintf(out, "\1%" PRIu64 ":%" PRIu64 ":%" PRIu64 "\2", object->kind, object->address,
		object->epoch);
}

void gt_normal_put(FILE *out, const char *lines, struct gt_normal_objects *objects)
{
	while (*lines != '\0') {
		struct gt_normal_object x = {0};
		const char *kind;
		char *end;

		if (*lines != '\1') {
			fputc(*lines++, out);
			continue;
		}
		x.kind = strtoull(lines + 1, &end, 10);
		x.address = strtoull(end + 1, &end, 10);
		x.epoch = strtoull(end + 1, &end, 10);
		lines = end + 1;
		kind = gt_object_text(x.kind);
		x.kind = kind ? x.kind : 0;
		fprintf(out, "%s#%u", kind ? kind : "object", number_of(objects, x));
	}
}
