/*
 * Which descriptors are sockets, as far as the hooks have seen: for read, write and their
 * relatives, which are "network" there. A bit each, written by net.c and by the hooks that close
 * and duplicate; a wrong one costs nothing but the word. Any thread.
 */
#pragma once

#include "base/atomic.h"
#include "base/util.h"

enum { GT_SOCKETS = 65536 };

extern GT_HIDDEN _Atomic uint64_t gt_sockets[GT_SOCKETS / 64];

/* The calling thread lives in its parent's memory, whose descriptors are not its own (vfork). */
extern GT_HIDDEN GT_TLS uint32_t gt_vforks;

GT_INLINE bool gt_socket_is(int fd)
{
	return (unsigned)fd < GT_SOCKETS &&
	       gt_load_relaxed(&gt_sockets[(unsigned)fd / 64]) >> ((unsigned)fd % 64) & 1;
}

/* fd is a socket, or is none. Relaxed: two threads that open and close one descriptor have raced.
 */
void gt_socket_set(int fd, bool is);

GT_INLINE void gt_socket_note(int fd, bool is)
{
	if (gt_unlikely(gt_socket_is(fd) != is) && (unsigned)fd < GT_SOCKETS) {
		gt_socket_set(fd, is);
	}
}

/* None of first to last is a socket. */
void gt_socket_close_range(unsigned first, unsigned last);
