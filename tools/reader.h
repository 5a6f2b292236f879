/*
 * The file of a trace: bytes -> generations -> batches and tables.
 *
 * A generation is the unit in which a trace is read, because its strings, stacks and clock stand
 * anywhere in it. The reader holds one generation at a time, so memory is bounded by the largest
 * one. It knows the headers of Go 1.22, 1.23, 1.25 and 1.26, and decides nothing about events:
 * that is cursor (bytes -> events) and order (may this event happen now?). Most callers want
 * merge.h, which puts the three together.
 *
 * Of a compressed file all offsets are those in the plain trace.
 *
 * Ownership: everything reachable from a struct gt_generation belongs to the reader and lives
 * until the next gt_reader_next or gt_reader_close.
 */
#pragma once

#include "base/wire.h"
#include "error.h"
#include "idmap.h"

/* Bytes of the file, not ended by a zero and not necessarily UTF-8. */
struct gt_text {
	const char *data;
	size_t length;
};

/*
 * The frame of an inlined function has the pc of the code and, in the bits above it, its depth
 * (docs/adr/0009).
 */
enum { GT_PC_SHIFT = 56 };
#define GT_PC_REAL(pc)  ((pc) & (((uint64_t)1 << GT_PC_SHIFT) - 1))
#define GT_PC_DEPTH(pc) ((pc) >> GT_PC_SHIFT)

/* One frame; within a generation the first definition of a pc counts, as in Go's reader. */
struct gt_frame {
	uint64_t pc;
	uint64_t line;
	struct gt_text func;
	struct gt_text file;
	uint64_t func_id, file_id;
	uint64_t offset;
};

/* Innermost frame first. frames[i] is the place in gt_generation.frames. */
struct gt_stack {
	uint64_t id;
	uint64_t offset;
	size_t first; /* in gt_generation.stack_frames */
	uint32_t nframes;
	bool checked; /* by tools/strict.c: the frames are complete */
};

struct gt_string {
	uint64_t id;
	struct gt_text text;
};

/* The payload of a batch; `next` chains the batches of one stream in the order of the file. */
struct gt_batch {
	uint64_t m;
	uint64_t time;   /* ticks */
	uint64_t offset; /* in the file, of data[0] */
	const uint8_t *data;
	size_t size;
	size_t at; /* in the reader's buffer, while data may still move */
	uint8_t experiment;
	uint8_t head; /* bytes of its header */
	const struct gt_batch *next;
};

/* All batches of one M. */
struct gt_stream {
	uint64_t m;
	struct gt_batch *first, *last;
};

struct gt_sample {
	uint64_t time; /* ns */
	uint64_t m, p, g, stack;
	uint64_t offset;
};

/*
 * id -> place + 1 in a table. Ids that are small for their number, as writers give them, are looked
 * up in an array: an event's reference then costs one load from 4 bytes an id.
 */
struct gt_index {
	struct gt_idmap map;
	uint64_t max; /* largest id in the map */
	uint32_t *dense;
	size_t dense_count, dense_cap; /* ids below dense_count are looked up there alone */
};

GT_INLINE size_t gt_index_get(const struct gt_index *index, uint64_t id)
{
	return id < index->dense_count ? index->dense[id] : gt_idmap_get(&index->map, id);
}

struct gt_streams {
	struct gt_idmap by_m; /* M -> index + 1 in array */
	struct gt_stream *array;
	size_t count, cap;
};

struct gt_generation {
	uint64_t number;    /* as in the file */
	uint64_t index;     /* 1, 2, ... in the file */
	uint64_t offset;    /* of its first batch */
	uint64_t size;      /* bytes, the end byte included */
	const uint8_t *end; /* of these bytes in memory */
	bool cut;           /* 1.22 to 1.25: the file ends inside a batch that may belong to it */

	uint64_t frequency; /* ticks a second */
	double ns_per_tick;
	uint64_t start; /* ns: the smallest time of a batch */
	bool has_snapshot;
	uint64_t snapshot_time;               /* ns of the trace clock ... */
	uint64_t snapshot_mono;               /* ... when CLOCK_MONOTONIC was this, */
	uint64_t snapshot_sec, snapshot_nsec; /* and the wall clock this */
	uint64_t sync_offset;

	const struct gt_batch *batches; /* all of them, in the order of the file */
	size_t nbatches;
	struct gt_streams streams; /* of events, in the order of first appearance */
	struct gt_streams facts;   /* gtrace's own, by the M in whose name they were written */
	size_t experiments;        /* other experimental batches, which nobody reads, */
	struct gt_streams others;  /* by M */

	struct gt_sample *samples; /* by time */
	size_t nsamples, samples_cap;

	struct gt_index string_ids;
	struct gt_string *strings;
	size_t nstrings, strings_cap;
	struct gt_index stack_ids;
	struct gt_stack *stacks;
	size_t nstacks, stacks_cap;
	uint32_t *stack_frames;
	size_t nstack_frames, stack_frames_cap;
	struct gt_idmap pcs;
	struct gt_frame *frames;
	size_t nframes, frames_cap;
};

struct gt_reader;

/* "-" is standard input; what is compressed is unpacked (input.h). NULL on error. */
struct gt_reader *gt_reader_open(const char *path, struct gt_error *e);
/* The same from memory, not compressed; it stays the caller's and must outlive the reader. */
struct gt_reader *gt_reader_open_memory(const void *data, size_t size, struct gt_error *e);
/*
 * Another reader of the same file: each generation goes to the one of them that asks first, so that
 * several threads can read at once, one of each reader. An error is told to one of them; to the
 * others the file then ends. All are to be closed.
 */
struct gt_reader *gt_reader_share(struct gt_reader *r);
void gt_reader_close(struct gt_reader *r);

/*
 * Before the first generation: passes over those that end before the moment, but for the last of
 * them. False: none is passed over, as that is not possible (compressed without a table of its
 * frames; before 1.26), or there is none. For traces of which each generation says all that its
 * reader needs (GT_ABOUT_AGAIN): nothing is known of what is passed over, not whether it is valid.
 */
bool gt_reader_seek(struct gt_reader *r, uint64_t ticks);

/* The next generation: 1 and *g, 0 at a clean end, -1 with *e. */
int gt_reader_next(struct gt_reader *r, struct gt_generation **g, struct gt_error *e);
/* 22, 23, 25 or 26: the header's Go version. */
unsigned gt_reader_version(const struct gt_reader *r);
/* Bytes of the file read and used so far. */
uint64_t gt_reader_offset(const struct gt_reader *r);

/* NULL where the id is not in the table. Id 0 is the empty string and the empty stack. */
GT_INLINE const struct gt_text *gt_generation_string(const struct gt_generation *g, uint64_t id)
{
	static const struct gt_text empty = {"", 0};
	size_t i;

	if (id == 0) {
		return &empty;
	}
	i = gt_index_get(&g->string_ids, id);
	return i ? &g->strings[i - 1].text : NULL;
}

GT_INLINE struct gt_stack *gt_generation_stack(const struct gt_generation *g, uint64_t id)
{
	static struct gt_stack empty = {.checked = true};
	size_t i;

	if (id == 0) {
		return &empty;
	}
	i = gt_index_get(&g->stack_ids, id);
	return i ? &g->stacks[i - 1] : NULL;
}

/* Frame i of a stack, 0 being the innermost; i < stack->nframes. */
GT_INLINE const struct gt_frame *gt_stack_frame(const struct gt_generation *g,
						const struct gt_stack *stack, unsigned i)
{
	return &g->frames[g->stack_frames[stack->first + i]];
}

/* Ticks to ns exactly as Go's reader does it: a product of doubles, truncated. */
GT_INLINE uint64_t gt_generation_ns(const struct gt_generation *g, uint64_t ticks)
{
	double ns = (double)ticks * g->ns_per_tick;

	/* What a conversion out of range gives in Go on amd64; undefined in C. */
	return ns < 9223372036854775808.0 ? (uint64_t)(int64_t)ns : (uint64_t)1 << 63;
}
