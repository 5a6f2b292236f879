/*
 * How far a command has come, on standard error, for who sits at a terminal and waits for more than
 * a second: one line, which is gone when the command goes on to print.
 *
 *	gt_progress_begin("verify", path);
 *	read the trace: reader.c calls gt_progress_at
 *	gt_progress_end();
 *
 * Where standard error is no terminal nothing happens, ever. There is one line, so there is one
 * state, of the process; only the thread that reads calls gt_progress_at.
 */
#pragma once

#include "base/util.h"

/* Of the command that reads the trace at path; "-" is standard input. */
void gt_progress_begin(const char *command, const char *path);
/* So many bytes of it are read. */
void gt_progress_at(uint64_t bytes);
/* To be called before anything else is printed; does nothing where nothing has begun. */
void gt_progress_end(void);
