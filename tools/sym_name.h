/*
 * Names of functions as people write them, for sym_file.c and symbolize.c.
 */
#pragma once

#include "base/util.h"

/*
 * A name as the linker knows it, of C++ or Rust (v0 and legacy): without parameters, since a frame
 * has its file and line, and without the remark that a compiler made it out of a part of the
 * function. The caller frees it. NULL: it is not mangled.
 */
char *gt_sym_demangle(const char *name, size_t length);

/* Length of a C name without what a compiler appends to the copies that it makes: ".part.0". */
size_t gt_sym_plain_length(const char *name, size_t length);
