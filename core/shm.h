/*
 * The shared mapping: all state that finishing a trace needs, addressed by offsets.
 *
 * It is a mapping of the spool file beside the output, so that it outlives a killed process. The
 * file is as long as GTRACE_BUFFERS and sparse; memory is handed out from its start and never given
 * back to the kernel (buffers, tables and thread records have free lists of their own). Blocks are
 * backed before they are handed out, so that a full disk is an error here and never a SIGBUS later.
 */
#pragma once

#include "trace.h"

#define GT_REF_UNIT 64

GT_INLINE void *gt_ref_ptr(uint32_t ref)
{
	return (char *)gt_trace + (uint64_t)ref * GT_REF_UNIT;
}

GT_INLINE uint32_t gt_ptr_ref(const void *p)
{
	return (uint32_t)((uint64_t)((const char *)p - (const char *)gt_trace) / GT_REF_UNIT);
}

/*
 * Maps a new spool file of the given length; *trace is its zeroed start. 0 or -errno; what: the
 * step that failed, for the message.
 */
int gt_shm_map(const char *spool, uint64_t bytes, struct gt_trace **trace, const char **what);

/* Writes into the head of a new spool what it is and where what is (spool.c). */
void gt_spool_describe(struct gt_spool_head *head);
/* Keeps where code is mapped, which a dead process cannot be asked any more. With x_advance. */
void gt_spool_keep_maps(void);
/* Gives their blocks back to the disk: recording is over. */
void gt_spool_drop_maps(void);

/* Before anybody else uses it, or in the only thread that did. */
void gt_shm_unmap(struct gt_trace *t);
/*
 * Gives back what is above the given length and not in use, since the program needs the room or
 * limits it; recording goes on in what is left. Any thread, with its guard set.
 */
void gt_shm_shrink(uint64_t bytes);
/* In a child of fork, which has no mapping: a private copy of it at the same place. */
bool gt_shm_copy(void);
void gt_shm_uncopy(void);

/*
 * Zeroed memory, aligned to 64 bytes; NULL where the limit or the disk is exhausted. Any thread;
 * may make one system call, on the average once in 256 KiB.
 */
void *gt_shm_alloc(size_t bytes);
/*
 * Blocks for what lies in the part of struct gt_trace that has none at first; what is there stays.
 * False: the disk has none left. Any thread; one system call.
 */
bool gt_shm_back(const void *from, size_t bytes);
