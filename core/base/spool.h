/*
 * The head of a spool file: what is known of a trace that is being written, or whose process died.
 *
 * The spool FILE.spool lies beside FILE while it is written, and a clean end removes it. What
 * follows this head is the tracer's own (core/trace.h).
 */
#pragma once

#include <stdatomic.h>

#include "base/util.h"

#define GT_SPOOL_MAGIC   "gtrace spool\0\0\0"
#define GT_SPOOL_VERSION 1
#define GT_SPOOL_SUFFIX  ".spool"

struct gt_spool_head {
	char magic[16];
	uint32_t version;
	uint32_t pid; /* of the process that writes it */
	/* The generation that is being written; 0: none (the file is whole, or recording broke
	 * off). */
	_Atomic uint64_t gen;
	/* Bytes of FILE that are whole generations, and how many these are. */
	_Atomic uint64_t written;
	_Atomic uint64_t generations;
};
