/*
 * The rows of the benchmark: what each loop does, with how many threads, and where they run.
 *
 * rows.c owns the loops, bench.c times them. Neither knows that gtrace exists.
 */
#pragma once

#include <stdint.h>

/* Where a row's threads run. */
enum place {
	PLACE_ANY,    /* where the kernel puts them */
	PLACE_PIN,    /* all on one processor: the switches between them are part of the op */
	PLACE_SPREAD, /* one processor each, in turn: left to the kernel they often share one */
};

/* How the n ops of a loop are given to the row's threads. */
enum op {
	OP_DIVIDED, /* n ops in all: each thread does its part */
	OP_EACH,    /* n each: wall time is that of one thread's op (or of one op done together), */
		    /* cpu time and bytes are those of all threads */
};

enum { THREADS_MAX = 4 };

struct row {
	const char *name;
	const char *doc;
	/* Does n ops as thread `me` of row->threads; every thread of the row runs it at once. */
	void (*body)(const struct row *row, unsigned me, uint64_t n);
	unsigned threads;
	enum place place;
	enum op op;
	unsigned depth; /* frames between the thread's start routine and the loop */
};

/*
 * Seconds that a loop says its ops have taken, where it does other work between them; 0: all of it
 * is theirs. Set to 0 before the loop.
 */
extern double rows_own_time;

extern const struct row rows[];
extern const unsigned rows_len;
