/*
 * Names of global variables by their addresses in the traced process: from the mappings that a
 * trace names, and the files that were mapped, if they are still there.
 *
 * The trace says where the code of a file was mapped; its data lies at a fixed distance. A file of
 * another build id than the trace's is not looked at. Symbols are those of the file's own tables,
 * or of /usr/lib/debug by build id.
 */
#pragma once

#include "base/util.h"

struct gt_globals;

struct gt_globals *gt_globals_create(void);
void gt_globals_destroy(struct gt_globals *globals);
/* A mapping, as the fact says it; one that is known is no news. */
void gt_globals_map(struct gt_globals *globals, uint64_t start, uint64_t bytes, uint64_t offset,
		    const char *file, const char *build_id);
/*
 * "table", "cache+0x78", or without a symbol "memcached+0x3ade0", the place in the file's own
 * address space; NULL: no global. Lives as long as globals.
 */
const char *gt_globals_name(struct gt_globals *globals, uint64_t address);
