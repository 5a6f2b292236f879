/*
 * Names, files and lines for the frames of traces: what gtrace symbolize and gtrace run do.
 *
 * The facts Mapping of a generation say which file's code a frame's pc lies in; that file's debug
 * information (sym_file.h), or for code made at run time a map (sym_perf.h), says the rest. Only
 * the tables of strings and stacks change; all ids stay, and a trace done again stays as it is.
 *
 * Inlined functions become frames. A pc means one frame in a generation, and in a profile of the
 * whole file, so they need pcs of their own: the real one, plus in its highest byte how deep the
 * function is inlined into the one that has the code (GT_PC_DEPTH of reader.h).
 */
#pragma once

#include <signal.h>
#include <stdio.h>

#include "error.h"
#include "sym_file.h"

struct gt_symbolize_options {
	const char *debug_path; /* where elfutils looks; NULL: its own folders */
	const char *perf_map;   /* NULL: the usual one of the process */
	/* Not 0: leave off. NULL: there is nothing that wants to stop it. */
	const volatile sig_atomic_t *stop;
};

/* What was done in all traces so far. Places are pcs, each counted once in its file. */
struct gt_symbolize_sum {
	size_t generations;
	bool mappings;   /* some generation said where its code was from */
	size_t jit;      /* places in code made at run time, those named in the map */
	size_t jit_lost; /* those that were not, each counted once a generation */
	char perf[200];  /* why there is no map, where one was to be had; "" */
};

struct gt_symbolizer;

struct gt_symbolizer *gt_symbolizer_new(const struct gt_symbolize_options *o);
void gt_symbolizer_free(struct gt_symbolizer *s);

/*
 * Writes the trace of that name ("-": standard input) with better frames: 0, or -1 with *e. After
 * GT_ERROR_TRUNCATED all whole generations are written, and behind them the rest of the file as it
 * was. Where out cannot be written, the kind is GT_ERROR_NONE and the reason is in errno; so it is,
 * with EINTR, after a stop.
 */
int gt_symbolize(struct gt_symbolizer *s, const char *path, FILE *out, struct gt_error *e);

const struct gt_symbolize_sum *gt_symbolizer_sum(const struct gt_symbolizer *s);
/* The i-th file whose code was in a trace; NULL: no more. */
const struct gt_sym_file *gt_symbolizer_file(const struct gt_symbolizer *s, size_t i,
					     const char **path);
