/*
 * The compressor of output files.
 */
#pragma once

#include <stdio.h>

#include "base/util.h"

/*
 * Writes data to out as a gzip file; as it is, where gtrace was built without zlib (pprof reads
 * both). An error of writing stays in out.
 */
void gt_gzip_write(const void *data, size_t size, FILE *out);
