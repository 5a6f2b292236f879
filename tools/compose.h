/*
 * A trace, written: header, generations, their tables and their batches. For the commands that make
 * a trace out of traces (symbolize, convert, cut, merge, recover).
 *
 *	struct gt_compose *c = gt_compose_new(out.file, 26);
 *	while (gt_reader_next(reader, &g, &error) > 0) {
 *		struct gt_compose_head head = gt_compose_head_of(g);
 *
 *		gt_compose_begin(c, &head);
 *		gt_compose_tables(c, g);	or strings and stacks one by one
 *		gt_compose_batches(c, g);	or batches, or events one by one
 *		if (gt_compose_end(c) < 0) { cannot write: errno }
 *	}
 *	gt_compose_free(c);
 *
 * Between begin and end all may come in any order, but for two things: what is given an id of its
 * own (_as) comes before what gets the next free one; and what is written of one M keeps its order.
 * What cannot be written is remembered: gt_compose_end tells it, and nothing needs to be asked
 * before.
 *
 * It writes what it is told. Whether that is a valid trace is its caller's affair (merge.h judges);
 * only what cannot be in a file at all is cut: a string of more than 1,024 bytes, a stack of more
 * than 128 frames.
 *
 * tools/assemble.c does not stand on it, because it must be able to write what is wrong.
 */
#pragma once

#include <stdio.h>

#include "cursor.h"

struct gt_compose;

/* What a generation begins with. */
struct gt_compose_head {
	uint64_t number;
	uint64_t frequency; /* ticks a second; times below and in batches are ticks */
	uint64_t ticks;     /* when it begins */
	/* All clocks at one moment; versions before 1.25 have no place for them. */
	bool has_snapshot; /* false: the trace clock stands for all */
	uint64_t snapshot_ticks;
	uint64_t snapshot_mono; /* ns */
	uint64_t snapshot_sec, snapshot_nsec;
};

/* The head of a generation that was read. */
struct gt_compose_head gt_compose_head_of(const struct gt_generation *g);
/* The first tick of a generation that is not before ns: the inverse of gt_generation_ns. */
uint64_t gt_compose_ticks(const struct gt_generation *g, uint64_t ns);

/* Writes the header; version: 22, 23, 25 or 26. The file stays the caller's. */
struct gt_compose *gt_compose_new(FILE *file, unsigned version);
void gt_compose_free(struct gt_compose *c);
/* Bytes as they are, between generations: whole ones out of a file of the same version. */
void gt_compose_bytes(struct gt_compose *c, const void *bytes, size_t size);

void gt_compose_begin(struct gt_compose *c, const struct gt_compose_head *head);
/*
 * The streams of events of a generation that was read come in its order, whatever is written first:
 * readers go by it where times are equal.
 */
void gt_compose_streams(struct gt_compose *c, const struct gt_generation *g);
/* The generation is complete: 0, or -1 with errno where anything so far could not be written. */
int gt_compose_end(struct gt_compose *c);

/* The id of a string in this generation, the same for the same bytes; 0 for none. */
uint64_t gt_compose_string(struct gt_compose *c, const void *text, size_t length);
/* A string that has its id already. */
void gt_compose_string_as(struct gt_compose *c, uint64_t id, const void *text, size_t length);

struct gt_compose_frame {
	uint64_t pc;
	uint64_t func, file; /* ids of strings */
	uint64_t line;
};

/* The id of a stack in this generation, innermost frame first; 0 for none. */
uint64_t gt_compose_stack(struct gt_compose *c, const struct gt_compose_frame *frames, size_t n);
void gt_compose_stack_as(struct gt_compose *c, uint64_t id, const struct gt_compose_frame *frames,
			 size_t n);
/* All strings and stacks of a generation, with their ids. */
void gt_compose_tables(struct gt_compose *c, const struct gt_generation *g);

/* A batch with its bytes as they are (of events, of facts, of an experiment). */
void gt_compose_batch(struct gt_compose *c, const struct gt_batch *b);
/* All batches of a generation but its tables; CPU samples too. */
void gt_compose_batches(struct gt_compose *c, const struct gt_generation *g);
/* The same without those of events. */
void gt_compose_besides(struct gt_compose *c, const struct gt_generation *g);
/*
 * An event of an M, or a fact in its name (GT_NO_M: in nobody's). args as spec says. One that is
 * earlier than the one before it in its stream gets the time of that.
 */
void gt_compose_event(struct gt_compose *c, uint64_t m, uint64_t ticks, const struct gt_spec *spec,
		      const uint64_t *args);
/* A CPU sample; its time is ticks, and G 0 stands for none. */
void gt_compose_sample(struct gt_compose *c, const struct gt_sample *s);
