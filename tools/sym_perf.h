/*
 * The map of code made at run time: /tmp/perf-PID.map, which Java's agents, node --perf-basic-prof,
 * python -X perf and other compilers write for Linux' perf. For symbolize.c.
 *
 * Lines "start size name" in hexadecimal. Code moves and addresses are used again: where several
 * lines cover a place, the last in the file counts.
 */
#pragma once

#include "reader.h"

struct gt_sym_perf;

struct gt_sym_perf_frame {
	struct gt_text func;
	struct gt_text file; /* length 0: the line does not say */
	uint64_t line;
};

/*
 * Reads a map: path as asked for by the user, or NULL for the usual one of that process, which is
 * believed only if it belongs to the owner of the trace or to root, and was written to since the
 * trace began (seconds since 1970). NULL with the reason in why; "" where there is simply none.
 */
struct gt_sym_perf *gt_sym_perf_open(const char *path, uint64_t process, uint64_t since,
				     unsigned owner, char *why, size_t size);
void gt_sym_perf_close(struct gt_sym_perf *p);

bool gt_sym_perf_find(const struct gt_sym_perf *p, uint64_t pc, struct gt_sym_perf_frame *frame);
