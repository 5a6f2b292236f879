/*
 * The shared mapping: making it and handing it out.
 */
#include "shm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/sys.h"

#include "loaded.h"
#include "newfile.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum {
	BACK_STEP = 1 << 18,
	FILL_STEP = 1 << 16,
	SHORT = 5 * FILL_STEP,    /* bytes that a short program takes: buffers, chunks of tables */
	LEAST = 4 << 20,          /* bytes behind the start with which recording makes sense */
	VALGRIND_MOST = 64 << 20, /* at a process's end it looks for pointers in all of it */
};

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

/* For a child of fork, which cannot look into the mapping for them. [start] */
static void *mapped;
static uint64_t mapped_bytes;
static char mapped_path[GT_PATH_MAX];

/*
 * Of the start, whole pages that get blocks later: the places of Ps behind the first ones, 0.2 ms
 * of each process's start that few need (gt_shm_back).
 */
enum {
	PLACES = offsetof(struct gt_trace, procs) + offsetof(struct gt_procs, proc),
	HOLE = (PLACES + GT_PROCS_FIRST * sizeof(struct gt_proc) + GT_PAGE - 1) / GT_PAGE * GT_PAGE,
	HOLE_END = (PLACES + GT_PROCS_MAX * sizeof(struct gt_proc)) / GT_PAGE * GT_PAGE,
};

/*
 * Blocks for [from, to) of a new file, by writing zeros: an error where a later store into the
 * mapping would raise SIGBUS, and 30 times faster than having each page faulted in (ext4).
 */
static int fill(int fd, uint64_t from, uint64_t to)
{
	static const char zeros[FILL_STEP];
	int r = gt_sys_seek(fd, (off_t)from);

	while (from < to && r == 0) {
		uint64_t n = GT_MIN(to - from, (uint64_t)sizeof(zeros));

		r = gt_sys_write_all(fd, zeros, n);
		from += n;
	}
	return r;
}

/* The new spool, whole, at *p; first: bytes of it that are backed, but for the hole. */
static int make(int fd, uint64_t bytes, uint64_t first, void **p, const char **what)
{
	struct gt_trace *t;
	int r;

	if (limit_of(RLIMIT_FSIZE) < bytes) {
		*what = "the file size limit (ulimit -f) is too low for ";
		return -EFBIG;
	}
	*what = "sizing ";
	r = gt_sys_ftruncate(fd, (off_t)bytes);
	if (r < 0) {
		return r;
	}
	*what = "finding room on the disk for ";
	r = fill(fd, 0, HOLE);
	r = r < 0 ? r : fill(fd, HOLE_END, first);
	if (r < 0) {
		return r;
	}
	*what = "mapping ";
	r = gt_sys_map_file(p, bytes, fd, 0, true);
	if (r < 0) {
		return r;
	}
	gt_sys_madvise(*p, bytes, MADV_DONTFORK);
	gt_sys_madvise(*p, bytes, MADV_DONTDUMP);
	/* A page that is backed later is a hole until then, and the kernel would read holes ahead:
	 * as much as it reads of this disk, which may be 8 MiB. */
	gt_sys_madvise(*p, bytes, MADV_RANDOM);
	t = *p;
	gt_spool_describe(&t->head);
	t->head.pid = (uint32_t)gt_sys_pid();
	gt_store_relaxed(&t->bytes, bytes);
	gt_store_relaxed(&t->brk, GT_ROUND_UP(sizeof(*t), (uint64_t)GT_REF_UNIT));
	gt_store_relaxed(&t->backed, first);
	return 0;
}

int gt_shm_map(const char *spool, uint64_t bytes, struct gt_trace **trace, const char **what)
{
	uint64_t first = GT_ROUND_UP(sizeof(struct gt_trace) + SHORT, (uint64_t)FILL_STEP);
	void *p = NULL;
	int fd;
	int r;

	/*
	 * A program with little address space must not lose it to us. And a file cannot be longer
	 * than allowed: ftruncate beyond that would raise SIGXFSZ in the program.
	 */
	bytes = GT_MIN(bytes, limit_of(RLIMIT_AS) / 16);
	bytes = GT_MIN(bytes, limit_of(RLIMIT_FSIZE) / BACK_STEP * BACK_STEP);
	if (gt_loaded_valgrind()) {
		bytes = GT_MIN(bytes, (uint64_t)VALGRIND_MOST);
	}
	bytes = GT_ROUND_UP(GT_MAX(bytes, first + LEAST), BACK_STEP);
	/* Whole before it has its name; where that cannot be, named first. */
	for (int named = 0;; named = 1) {
		*what = "creating ";
		fd = named ? gt_sys_open(spool, O_RDWR | O_CREAT | O_EXCL, 0600)
			   : gt_newfile_open(spool, 0600);
		r = fd < 0 ? fd : make(fd, bytes, first, &p, what);
		if (r == 0 && !named) {
			*what = "creating ";
			r = gt_newfile_name(fd, spool);
		}
		if (fd >= 0) {
			gt_sys_close(fd);
		}
		if (r == 0) {
			break;
		}
		if (p) {
			gt_sys_unmap(p, bytes);
			p = NULL;
		}
		if (fd >= 0 && named) {
			gt_sys_unlink(spool);
		}
		if (r == -EEXIST || named) {
			return r;
		}
	}
	*trace = mapped = p;
	mapped_bytes = bytes;
	memcpy(mapped_path, spool, strlen(spool) + 1);
	return 0;
}

void *gt_shm_alloc(size_t bytes)
{
	struct gt_trace *t = gt_trace;
	uint64_t n = GT_ROUND_UP((uint64_t)bytes, (uint64_t)GT_REF_UNIT);
	/* Sequentially consistent, with the load after it; partner: gt_shm_shrink. */
	uint64_t at = gt_add_seq(&t->brk, n);
	uint64_t end = gt_load_seq(&t->bytes);
	uint64_t backed;

	if (at + n > end) {
		return NULL;
	}
	/*
	 * Acquire: partner is the exchange below. Two threads may back the same step; that is
	 * harmless. The mark only grows over what is backed without a gap, since each backs from
	 * the mark that it read.
	 */
	while ((backed = gt_load_acquire(&t->backed)) < at + n) {
		uint64_t to = GT_MIN(GT_ROUND_UP(at + n, (uint64_t)BACK_STEP), end);

		if (back(t, backed, to) < 0) {
			return NULL;
		}
		gt_cas_acq_rel(&t->backed, &backed, to);
	}
	return (char *)t + at;
}

bool gt_shm_back(const void *from, size_t bytes)
{
	uint64_t at = (uint64_t)((const char *)from - (const char *)gt_trace);

	return back(gt_trace, at / GT_PAGE * GT_PAGE, GT_ROUND_UP(at + bytes, (uint64_t)GT_PAGE)) ==
	       0;
}

void gt_shm_unmap(struct gt_trace *t)
{
	gt_sys_unmap(t, gt_load_relaxed(&t->bytes));
}

void gt_shm_shrink(uint64_t bytes)
{
	struct gt_trace *t = gt_trace;
	uint64_t old;
	uint64_t used;

	/* One at a time; whoever holds this lock takes no memory. */
	gt_lock_take(&t->threads_lock);
	old = gt_load_relaxed(&t->bytes);
	bytes = GT_MAX(bytes, gt_load_acquire(&t->backed) + LEAST);
	bytes = GT_ROUND_UP(bytes, (uint64_t)BACK_STEP);
	if (bytes < old) {
		/*
		 * Either the thread that takes memory sees the new length, or we see that it took:
		 * both store, then load.
		 */
		gt_store_seq(&t->bytes, bytes);
		used = GT_ROUND_UP(gt_load_seq(&t->brk), (uint64_t)BACK_STEP);
		bytes = GT_MAX(bytes, used);
		if (bytes < old) {
			gt_sys_unmap((char *)t + bytes, old - bytes);
			mapped_bytes = bytes;
		}
		gt_store_seq(&t->bytes, GT_MIN(bytes, old));
	}
	gt_lock_drop(&t->threads_lock);
}

static bool map_copy(int fd, int kind)
{
	long r = gt_syscall6(SYS_mmap, (long)mapped, (long)mapped_bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED_NOREPLACE | kind, fd, 0);

	/* Kernels before 4.17 take the address for a wish. */
	if (r > 0 && r != (long)mapped) {
		gt_sys_unmap((void *)r, mapped_bytes);
	}
	return r == (long)mapped;
}

bool gt_shm_copy(void)
{
	int fd = gt_sys_open(mapped_path, O_RDONLY, 0);
	bool copied;

	if (gt_loaded_valgrind()) {
		/* In its books the parent's mapping is still there, and so the place taken. */
		gt_sys_unmap(mapped, mapped_bytes);
	}
	copied = fd >= 0 && map_copy(fd, 0);
	if (fd >= 0) {
		gt_sys_close(fd);
	}
	/* Zeros where the file is out of reach: nothing is listed then, and no lock is held. */
	return copied || map_copy(-1, MAP_ANONYMOUS);
}

void gt_shm_uncopy(void)
{
	gt_sys_unmap(mapped, mapped_bytes);
}
