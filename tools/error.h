/*
 * What is wrong with a trace, and where.
 *
 * Filled by the one that notices, printed by the one that was asked (a cmd_*.c); nothing in
 * between prints or exits. The first error counts: after one, a reader is only good for closing.
 */
#pragma once

#include "base/util.h"

enum gt_error_kind {
	GT_ERROR_NONE,
	GT_ERROR_READ,      /* the file cannot be opened or read, or is no trace at all */
	GT_ERROR_TRUNCATED, /* the file ends inside a generation; what was before it is good */
	GT_ERROR_INVALID,   /* the bytes or the events contradict the format */
};

#define GT_NOWHERE UINT64_MAX /* of offset, generation, m: not known or not applicable */

struct gt_error {
	enum gt_error_kind kind;
	uint64_t offset;     /* in the file, of the first byte of the thing that is wrong */
	uint64_t generation; /* its number as it stands in the file */
	uint64_t m;          /* the stream in which it stands; UINT64_MAX also for "no thread" */
	char event[120];     /* the event in text form, or "" */
	char message[1000];  /* what was found, and what was expected */
};

/* Fills e and returns -1, the value by which the callers report it. */
GT_COLD GT_PRINTF(6, 7) int gt_error_set(struct gt_error *e, enum gt_error_kind kind,
					 uint64_t offset, uint64_t generation, uint64_t m,
					 const char *format, ...);
/* One line without its end: "generation 3, M 17, offset 4711: GoStart g=1 g_seq=2: message". */
void gt_error_text(const struct gt_error *e, char *text, size_t size);

/* Memory that is there or ends the process with a message: a reader cannot go on without. */
void *gt_alloc(size_t bytes);
void *gt_realloc(void *old, size_t bytes);
/* Makes room for one more element of an array of capacity *cap that holds n. */
void *gt_grow(void *array, size_t n, size_t *cap, size_t element);
