/*
 * Where the bytes of a trace are: by kind of event, fact and table entry, and by field of each.
 *
 * Stands on reader and cursor alone, so that one generation is in memory; what the events mean, and
 * whether they may happen, is not looked at. For `gtrace stat --bytes`.
 */
#pragma once

#include "cursor.h"

/* What a batch holds. */
enum gt_bytes_class {
	GT_BYTES_EVENTS,
	GT_BYTES_FACTS,
	GT_BYTES_STACKS,
	GT_BYTES_STRINGS,
	GT_BYTES_SAMPLES,
	GT_BYTES_CLOCK,
	GT_BYTES_OTHERS, /* of experiments that are not read */
	GT_BYTES_CLASSES,
};

enum { GT_BYTES_FIELDS = 2 + GT_EVENT_ARGS };

/* Events, facts or entries of one kind. The fields of an event: its type, its time, arguments. */
struct gt_bytes_kind {
	enum gt_bytes_class class;
	const char *name; /* NULL: there is no such kind */
	const char *fields[GT_BYTES_FIELDS];
	uint64_t count;
	uint64_t bytes[GT_BYTES_FIELDS];
};

enum { GT_BYTES_FACT = 256, GT_BYTES_STACK = 512, GT_BYTES_STRING, GT_BYTES_KINDS };

struct gt_bytes {
	unsigned version; /* as gt_reader_version */
	uint64_t generations;
	uint64_t size;   /* of what was read */
	uint64_t around; /* of that, the header of the file and the ends of generations */
	struct {
		uint64_t count, heads, payload;
	} batches[GT_BYTES_CLASSES];
	/* Events by number, facts by number + GT_BYTES_FACT, then the two tables. */
	struct gt_bytes_kind kinds[GT_BYTES_KINDS];
};

/* Reads a whole file: 0, or -1 with *e and what could be read until then. */
int gt_bytes_read(struct gt_bytes *b, struct gt_reader *r, struct gt_error *e);
uint64_t gt_bytes_of_kind(const struct gt_bytes_kind *kind);
/* How many events, facts or entries there are, and what bytes the batches of a class have in all.
 */
uint64_t gt_bytes_count(const struct gt_bytes *b, enum gt_bytes_class class);
uint64_t gt_bytes_of_class(const struct gt_bytes *b, enum gt_bytes_class class);
