/*
 * What `gtrace stat --bytes` prints: where the bytes of the file are.
 */
#pragma once

#include "bytes.h"
#include "stat_view.h"

/* Of stat, the fields that tell of the file and the terminal are used; model is not. */
void gt_stat_bytes_text(const struct gt_stat *stat, const struct gt_bytes *b, FILE *out);
/* One object in a line; keys: docs/stat.md. */
void gt_stat_bytes_json(const struct gt_stat *stat, const struct gt_bytes *b, FILE *out);
