/*
 * Source lines of one executable or library: its debug information, found and looked up.
 *
 * Stands on elfutils (libdw, libdwfl), which looks in the file itself, beside it, in
 * /usr/lib/debug by build id and by .gnu_debuglink, and asks debuginfod servers where
 * DEBUGINFOD_URLS names some, and only then. sym_none.c stands in where gtrace is built without it.
 */
#pragma once

#include "base/util.h"

struct gt_sym_frame {
	const char *func; /* NULL: not known */
	const char *file; /* NULL: not known; then line is 0 */
	uint64_t line;
	bool linkage; /* func was made of the linker's name, which is certain */
};

enum gt_sym_state {
	GT_SYM_LINES,   /* has debug information */
	GT_SYM_SYMBOLS, /* has symbols at most */
	GT_SYM_CHANGED, /* is another file now */
	GT_SYM_GONE,    /* cannot be read */
};

/* What is to be opened. */
struct gt_sym_request {
	const char *path;     /* may end in " (deleted)" */
	const char *build_id; /* in hexadecimal; "": unknown or none */
	uint64_t before; /* without a build id: seconds since 1970 when it was still that file */
	const char *debug_path; /* folders to look in, as elfutils takes them; NULL: its default */
};

struct gt_sym_file {
	enum gt_sym_state state;
	char reason[400];  /* why it is not GT_SYM_LINES, in words; "" */
	const char *debug; /* the file that the debug information is in; NULL: none */
	/* What was asked: different places, those with a line, frames of inlined functions there.
	 */
	size_t places, lines, inlined;
	struct gt_sym_inside *inside;
};

/* NULL, or the libraries that this gtrace was built without. */
const char *gt_sym_missing(void);

/* Never NULL; a file that is of no use has state, reason and no answers. */
struct gt_sym_file *gt_sym_file_open(const struct gt_sym_request *r);
void gt_sym_file_close(struct gt_sym_file *f);

/*
 * The functions around the instruction at this offset of the file: innermost inlined one first,
 * then the one that has the code; alone that one at its first instruction. 0: nothing is known.
 * *frames lives until the next call, what it points to until the file is closed.
 */
unsigned gt_sym_file_find(struct gt_sym_file *f, uint64_t offset,
			  const struct gt_sym_frame **frames);
