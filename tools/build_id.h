/*
 * The build id of a file, if it is still the one that was mapped. For recover.c.
 */
#pragma once

#include "base/util.h"

enum { GT_BUILD_ID_HEX = 2 * 64 + 1 };

/*
 * Writes it in hexadecimal, ended by a zero. False: the file at that path has another device or
 * inode, is no ELF file of 64 bits, or has none.
 */
bool gt_build_id(const char *path, unsigned major, unsigned minor, uint64_t inode,
		 char hex[GT_BUILD_ID_HEX]);
