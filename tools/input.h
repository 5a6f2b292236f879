/*
 * The bytes of a trace's file, one after another: as they are, or unpacked where zstd has packed
 * them (docs/adr/0013). For reader.c, and for what reads a file as a stream.
 *
 * Memory is bounded by zstd's window: a frame that wants more than 128 MiB is refused.
 */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "error.h"

struct gt_input;

/* Whether what begins so is packed. */
bool gt_input_is_packed(const void *head, size_t size);
/* Whether the file of that name is; false if it cannot be read. */
bool gt_input_file_is_packed(const char *path);

/* The bytes at data, then those that fd gives (-1: no more), which is the input's from now on. */
struct gt_input *gt_input_open(int fd, const void *data, size_t size);
/*
 * As read(2), but never interrupted: 0 at the end, -1 with *e. GT_ERROR_TRUNCATED and
 * GT_ERROR_INVALID come after all bytes that could be unpacked; then the input is at its end.
 */
ssize_t gt_input_read(struct gt_input *in, void *to, size_t size, struct gt_error *e);
/* Once something was read: whether it is packed. */
bool gt_input_unpacks(const struct gt_input *in);
/* Bytes of the file that are used so far. */
uint64_t gt_input_at(const struct gt_input *in);
/* Of a packed file, once something was read: its descriptor, the input's; -1: it was read whole. */
int gt_input_file(const struct gt_input *in);
/* Goes on with the frame at that place in it, before which so many bytes are unpacked. */
void gt_input_go(struct gt_input *in, uint64_t at, uint64_t gives);
void gt_input_close(struct gt_input *in);

/* The same as a stream to read, which closes the input; *e is set where a read fails. */
FILE *gt_input_stream(struct gt_input *in, struct gt_error *e);
