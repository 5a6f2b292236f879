/*
 * Quoted strings as in Go's text form of traces (strconv.Quote and Unquote).
 */
#pragma once

#include <stdio.h>

#include "base/util.h"

/* Prints bytes in double quotes: what is printable as it is, the rest escaped. */
void gt_quote(FILE *out, const void *data, size_t length);
/*
 * Reads a quoted string at text, decoded into out, which has room for strlen(text) bytes.
 * Returns where it ends in text and sets *length; NULL if it is not one.
 */
const char *gt_unquote(const char *text, void *out, size_t *length);
