/*
 * The text form of a trace: the file's own sequence of events, one a line, and back.
 *
 * It is the form of Go's internal/trace/raw, byte for byte: a line "Trace Go1.26", then what
 * `go tool trace -d=wire` prints. Beyond it the assembler takes three things that only tests need:
 *
 *	size=auto		in an EventBatch: as many bytes as follow until the next batch
 *	Bytes data="\x00..."	bytes as they stand, for what no event can say
 *	Cut bytes=N		drops the last N bytes written so far
 */
#pragma once

#include <stdio.h>

#include "error.h"

/* Trace -> text. With facts, gtrace's own facts follow their batch as comments. */
int gt_text_dump(FILE *in, FILE *out, bool facts, struct gt_error *e);
/* Text -> trace, all of it or nothing. Messages name the line; whether out took it, out says. */
int gt_text_assemble(FILE *in, FILE *out, struct gt_error *e);
