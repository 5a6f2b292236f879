/*
 * The frames of a compressed trace, by the table at its end (docs/adr/0013; zstd's
 * contrib/seekable_format/zstd_seekable_compression_format.md 0.1.0).
 *
 * Each frame but the first, which has the trace's header, begins between two batches.
 */
#pragma once

#include "base/util.h"

struct gt_frame_at {
	uint64_t at;    /* in the file */
	uint64_t size;  /* there */
	uint64_t gives; /* bytes of the trace before it */
};

struct gt_frames {
	int fd; /* the caller's; it is read by pread */
	size_t count;
	struct gt_frame_at *frames;
};

/* False: the file has no table, or one that is not of it. */
bool gt_frames_open(struct gt_frames *f, int fd);
void gt_frames_close(struct gt_frames *f);
/* Its first bytes, unpacked: how many, at most size. 0: they cannot be unpacked. */
size_t gt_frames_head(const struct gt_frames *f, size_t frame, void *to, size_t size);
