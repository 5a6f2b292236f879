/*
 * Names of functions and variables, as people are shown them.
 */
#pragma once

#include "base/util.h"

/* A linker's name of C++ or Rust without what says nothing; NULL: it is none. To be freed. */
char *gt_name_plain(const char *name, size_t length);
/* A function that a language's library puts around people's own; by its name, mangled or not. */
bool gt_name_is_plumbing(const char *name);
