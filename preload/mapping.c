/*
 * The address space: class mem, off unless it is asked for.
 */
#include <stdarg.h>

#include "plain.h"
#include "rights.h"

/* An address is nothing that a trace has a use for: whether there was one. */
static int64_t address_result(const void *r)
{
	return r == MAP_FAILED ? -(int64_t)errno : 0;
}

/* clang-format off */
GT_PLAIN_AS(void *, mmap, MMAP, gt_arg(fd), (void *at, size_t n, int prot, int flags, int fd, off_t offset), (at, n, prot, flags, fd, offset), address_result(r))
GT_PLAIN_AS(void *, mmap64, MMAP, gt_arg(fd), (void *at, size_t n, int prot, int flags, int fd, off64_t offset), (at, n, prot, flags, fd, offset), address_result(r))
GT_PLAIN(int, munmap, MUNMAP, GT_NO_ARG, (void *at, size_t n), (at, n))
GT_PLAIN(int, mprotect, MPROTECT, GT_NO_ARG, (void *at, size_t n, int prot), (at, n, prot))
GT_PLAIN(int, madvise, MADVISE, GT_NO_ARG, (void *at, size_t n, int advice), (at, n, advice))
GT_PLAIN(int, mlock, MLOCK, GT_NO_ARG, (const void *at, size_t n), (at, n))
GT_PLAIN(int, mlock2, MLOCK, GT_NO_ARG, (const void *at, size_t n, unsigned flags), (at, n, flags))
GT_PLAIN(int, munlock, MUNLOCK, GT_NO_ARG, (const void *at, size_t n), (at, n))
GT_PLAIN(int, munlockall, MUNLOCKALL, GT_NO_ARG, (void), ())
/* clang-format on */

/* It would fill our mapping with pages, 1 GiB by default, and count it to the limit. */
int gt_hook_mlockall(int flags)
{
	struct gt_thread *t;
	int r;

	gt_rights_make_room(0);
	t = gt_call_open(GT_CALL_MLOCKALL, GT_NO_ARG, GT_FRAME());
	r = GT_REAL(mlockall)(flags);
	gt_call_close(t, gt_result(r));
	return r;
}

/* The fifth argument is read whether it is there or not; only MREMAP_FIXED makes use of it. */
void *gt_hook_mremap(void *at, size_t n, size_t want, int flags, ...)
{
	struct gt_thread *t = gt_call_open(GT_CALL_MREMAP, GT_NO_ARG, GT_FRAME());
	va_list list;
	void *to;
	void *r;

	va_start(list, flags);
	to = va_arg(list, void *);
	va_end(list);
	r = GT_REAL(mremap)(at, n, want, flags, to);
	gt_call_close(t, address_result(r));
	return r;
}

#define GT_EXPORT_mapping(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
