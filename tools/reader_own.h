/*
 * A reader from inside, and what it shares with others of the same file. For reader.c, and
 * source.c, which reads ahead.
 */
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include "input.h"
#include "mapped.h"
#include "reader.h"

/* What the readers of one file have in common. */
struct gt_source {
	pthread_mutex_t lock; /* of all that follows but the version */
	unsigned readers;
	unsigned version;
	struct gt_input *input; /* NULL: memory */
	bool eof;
	struct gt_error torn; /* why the input ended early; or none */
	bool over;            /* an error was told to one of the readers */
	bool failed;          /* before 1.26: the error below comes after the generation begun */
	struct gt_error error;
	uint64_t generations; /* given to one of them */
	const uint8_t *rest;  /* what is read, but belongs to no generation yet */
	size_t nrest;
	uint64_t offset; /* of it, in the file */
	uint8_t *buffer; /* holds the rest of a file that is not memory */
	size_t cap;
	struct gt_mapped file; /* the memory, where it is a file */
};

struct gt_reader {
	struct gt_source *source;
	const uint8_t *bytes; /* the buffer, or the caller's memory */
	uint8_t *buffer;
	size_t cap;
	size_t length; /* of what is in bytes */
	size_t at;     /* what of it is used */
	uint64_t base; /* file offset of bytes[0] */
	struct gt_generation generation;
	struct gt_batch *batches;
	size_t nbatches, batches_cap;
};

/* Begins with what the reader of the generation before has left, */
void gt_source_take(struct gt_reader *r);
/* and leaves what the one of the next begins with. */
void gt_source_leave(struct gt_reader *r);
/* Wants n unused bytes; returns how many there are (fewer at the end), or -1 with *e. */
ssize_t gt_source_want(struct gt_reader *r, size_t n, struct gt_error *e);
/*
 * What n and *e, of the search for a generation, mean where the file is compressed: it may be
 * damaged or cut off, and that is the better word then.
 */
int gt_source_check(struct gt_reader *r, int n, struct gt_error *e);
