/*
 * Debug information (DWARF), looked up by address: for sym_file.c alone.
 *
 * Nothing in it is believed: walks are bounded, and what makes no sense gives fewer frames.
 */
#pragma once

#include <elfutils/libdwfl.h>

#include "sym_file.h"

enum { GT_SYM_DEPTH_MAX = 127 }; /* inlined frames at one place */

struct gt_sym_dwarf;

/* NULL where the module has none. What it gives lives as long as it and the module. */
struct gt_sym_dwarf *gt_sym_dwarf_new(Dwfl_Module *module);
void gt_sym_dwarf_free(struct gt_sym_dwarf *d);

/* As gt_sym_file_find, by an address of the module. frames: room for GT_SYM_DEPTH_MAX + 1. */
unsigned gt_sym_dwarf_find(struct gt_sym_dwarf *d, Dwarf_Addr address, struct gt_sym_frame *frames);
