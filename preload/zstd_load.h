/*
 * libzstd of the system, for compressed output (core/zstd_out.h).
 */
#pragma once

#include "zstd_out.h"

/*
 * Loads it, privately. In the constructor, before a trace starts: the loader allocates. Where that
 * does not work it is said, and traces are written plain.
 */
void gt_zstd_load(unsigned level);
