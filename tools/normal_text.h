/*
 * What normal.c's text names by numbers of its own: threads, and objects. For normal.c alone.
 */
#pragma once

#include <stdio.h>

#include "base/spec.h"

struct gt_normal_object {
	uint64_t kind, address, epoch; /* the three identify it */
	unsigned number;
};

/* Objects seen in the text so far. Few: this is for small programs. */
struct gt_normal_objects {
	struct gt_normal_object *array;
	size_t n, cap;
	unsigned counts[GT_OBJECT_END];
};

/* A place for the object's name in a line, until it is known in which order lines are printed. */
void gt_normal_mark(FILE *out, const struct gt_normal_object *object);
/* Prints lines and names the objects in them, "mutex#1". */
void gt_normal_put(FILE *out, const char *lines, struct gt_normal_objects *objects);
/* The order of names of threads, in which 1.2 is before 1.10: as strcmp. */
int gt_normal_compare(const char *x, const char *y);
