/*
 * The shared mapping: making it and handing it out.
 */
#include "shm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/sys.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { BACK_STEP = 1 << 18 };

/*
 * Backs [from, to) with pages. MADV_POPULATE_WRITE (Linux 5.14) allocates blocks as a write fault
 * would, but reports where the fault would raise SIGBUS; before it, the file is opened again by
 * path and allocated. No descriptor is kept.
 */
static int back(struct gt_trace *t, uint64_t from, uint64_t to)
{
	int r = gt_sys_madvise((char *)t + from, to - from, MADV_POPULATE_WRITE);
	int fd;

	if (r != -EINVAL) {
		return r;
	}
	fd = gt_sys_open(t->spool, O_RDWR, 0);
	if (fd < 0) {
		return fd;
	}
	r = gt_sys_fallocate(fd, (off_t)from, (off_t)(to - from));
	gt_sys_close(fd);
	return r;
}

/* UINT64_MAX: unlimited. */
static uint64_t limit_of(int resource)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	gt_syscall6(SYS_prlimit64, 0, resource, 0, (long)&limit, 0, 0);
	return limit.rlim_cur;
}

int gt_shm_map(const char *spool, uint64_t bytes, struct gt_trace **trace, const char **what)
{
	uint64_t first = GT_ROUND_UP(sizeof(struct gt_trace), BACK_STEP);
	struct gt_trace *t;
	void *p;
	int fd;
	int r;

	/* A program with little address space must not lose it to us. */
	bytes = GT_MIN(bytes, limit_of(RLIMIT_AS) / 16);
	bytes = GT_ROUND_UP(GT_MAX(bytes, first + (4u << 20)), BACK_STEP);
	*what = "creating ";
	fd = gt_sys_open(spool, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0) {
		return fd;
	}
	/* ftruncate beyond RLIMIT_FSIZE would raise SIGXFSZ in the program. */
	if (limit_of(RLIMIT_FSIZE) < bytes) {
		*what = "the file size limit (ulimit -f) is below GTRACE_BUFFERS for ";
		r = -EFBIG;
		goto fail;
	}
	*what = "sizing ";
	r = gt_sys_ftruncate(fd, (off_t)bytes);
	if (r < 0) {
		goto fail;
	}
	*what = "mapping ";
	r = gt_sys_map_file(&p, bytes, fd, 0, true);
	if (r < 0) {
		goto fail;
	}
	t = p;
	gt_sys_madvise(p, bytes, MADV_DONTFORK);
	gt_sys_madvise(p, bytes, MADV_DONTDUMP);
	*what = "finding room on the disk for ";
	r = gt_sys_madvise(p, first, MADV_POPULATE_WRITE);
	if (r == -EINVAL) {
		r = gt_sys_fallocate(fd, 0, (off_t)first);
	}
	if (r < 0) {
		gt_sys_unmap(p, bytes);
		goto fail;
	}
	gt_sys_close(fd);
	t->bytes = bytes;
	gt_store_relaxed(&t->brk, GT_ROUND_UP(sizeof(*t), (uint64_t)GT_REF_UNIT));
	gt_store_relaxed(&t->backed, first);
	*trace = t;
	return 0;
fail:
	gt_sys_close(fd);
	gt_sys_unlink(spool);
	return r == -EFAULT ? -ENOSPC : r;
}

void *gt_shm_alloc(size_t bytes)
{
	struct gt_trace *t = gt_trace;
	uint64_t n = GT_ROUND_UP((uint64_t)bytes, (uint64_t)GT_REF_UNIT);
	uint64_t at = gt_add_relaxed(&t->brk, n);
	uint64_t backed;

	if (at + n > t->bytes) {
		return NULL;
	}
	/*
	 * Acquire: partner is the exchange below. Two threads may back the same step; that is
	 * harmless. The mark only grows over what is backed without a gap, since each backs from
	 * the mark that it read.
	 */
	while ((backed = gt_load_acquire(&t->backed)) < at + n) {
		uint64_t to = GT_MIN(GT_ROUND_UP(at + n, (uint64_t)BACK_STEP), t->bytes);

		if (back(t, backed, to) < 0) {
			return NULL;
		}
		gt_cas_acq_rel(&t->backed, &backed, to);
	}
	return (char *)t + at;
}
