/*
 * A trace that is written compressed: a frame of zstd for each generation, and behind them the
 * table of all frames (docs/adr/0013). The first frame is the stored header.
 *
 *	file = gt_pack_open(file, level);     write the plain trace there
 *	gt_pack_close(file)                   the file below stays open
 */
#pragma once

#include <stdio.h>

#include "base/util.h"

enum { GT_PACK_USUAL = 3, GT_PACK_MAX = 19 };

/* For --zstd of commands that write a trace. */
#define GT_PACK_OPTION                                          \
	{                                                       \
		"zstd", optional_argument, NULL, GT_PACK_LETTER \
	}
enum { GT_PACK_LETTER = 0x300 };

/* The level of --zstd or --zstd=TEXT: 0 if it is none. */
unsigned gt_pack_level(const char *text);
/* Whether a file of that name is to be compressed if nothing else is said. */
bool gt_pack_is_named(const char *path);
/* NULL with errno: ENOSYS where gtrace was built without libzstd. */
FILE *gt_pack_open(FILE *below, unsigned level);
/* Writes what is left: 0, or -1 with errno. */
int gt_pack_close(FILE *file);
