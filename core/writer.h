/*
 * The output file: pieces in order, gathered into few system calls; compressed, if that is wanted.
 *
 * Used only by whoever holds gt_trace.x_advance. The advancer has a descriptor table of its own
 * (advancer.c), so it keeps the file open where the program can neither close nor inherit it; any
 * other thread (the end of the process, a program with a single thread) opens the file by path and
 * closes it again.
 */
#pragma once

#include "base/util.h"

struct gt_buf;

/*
 * Creates the file with its header. old: an older trace, or an empty file, is replaced. 0 or
 * -errno; -EEXIST where something else is there.
 */
int gt_writer_create(const char *path, bool old);
/* Before the first piece. keep: the descriptor may stay open (the advancer). 0 or -errno. */
int gt_writer_begin(bool keep);
/* A piece; the memory must stay as it is until the next flush. */
void gt_writer_put(const void *from, size_t bytes);
/* A batch in a buffer, with its facts; the buffer goes back to the pool at the next flush. */
void gt_writer_put_buf(struct gt_buf *b);
/* Writes what was put. 0 or the first -errno since begin. */
int gt_writer_flush(void);
/* The same, and ends the frame of a compressed file: what is in it is whole. */
int gt_writer_sync(void);
/* The same, and marks the end of the generation. last: of the file as well. */
int gt_writer_end_generation(bool last);
/*
 * A batch more for the last generation: it comes before the mark of its end, which was the last
 * that gt_writer_end_generation wrote. For a file that ends there; gt_writer_begin need not have
 * come before. 0 or -errno; then the file is as it was.
 */
int gt_writer_amend(const void *batch, size_t bytes);
/* Bytes of the file, as far as it is written. */
uint64_t gt_writer_bytes(void);
/* Closes the file, unless it is kept. */
void gt_writer_end(void);
/* Closes it even so: the descriptor table goes with its thread. */
void gt_writer_close(void);
/* In a child after fork: the file is the parent's. */
void gt_writer_forget(void);
/* After an error: cuts the file back to its whole generations, unless gt_writer_lost. */
void gt_writer_cut(uint64_t bytes);
/* Whether it failed as the file of that name is not what it left: not its own to cut or remove. */
bool gt_writer_lost(void);
