/*
 * Files in memory.
 */
#include "mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"

static int read_all(struct gt_mapped *m, int fd)
{
	size_t cap = 0;

	m->read = true;
	for (;;) {
		ssize_t n;

		if (m->size == cap) {
			cap = GT_MAX(cap * 2, (size_t)1 << 18);
			m->data = gt_realloc(m->data, cap);
		}
		n = read(fd, (char *)m->data + m->size, cap - m->size);
		if (n < 0 && errno != EINTR) {
			return -1;
		}
		if (n == 0) {
			return 0;
		}
		m->size += n > 0 ? (size_t)n : 0;
	}
}

bool gt_mapped_fd(struct gt_mapped *m, int fd)
{
	struct stat st;

	*m = (struct gt_mapped){0};
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    lseek(fd, 0, SEEK_CUR) != 0) {
		return false;
	}
	m->size = (size_t)st.st_size;
	m->data = mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (m->data == MAP_FAILED) {
		*m = (struct gt_mapped){0};
		return false;
	}
	posix_madvise(m->data, m->size, POSIX_MADV_SEQUENTIAL);
	return true;
}

void gt_mapped_forget(const void *data, size_t size)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t start = GT_ROUND_UP((uintptr_t)data, page);
	const uintptr_t end = ((uintptr_t)data + size) / page * page;

	if (start < end) {
		madvise((void *)start, end - start, MADV_DONTNEED);
	}
}

int gt_mapped_open(struct gt_mapped *m, const char *path)
{
	const int fd = strcmp(path, "-") == 0 ? dup(0) : open(path, O_RDONLY | O_CLOEXEC);
	int error, r = 0;

	*m = (struct gt_mapped){0};
	if (fd < 0) {
		return -1;
	}
	if (!gt_mapped_fd(m, fd)) {
		r = read_all(m, fd);
	}
	error = errno;
	close(fd);
	if (r < 0) {
		gt_mapped_close(m);
	}
	errno = error;
	return r;
}

void gt_mapped_close(struct gt_mapped *m)
{
	if (m->read) {
		free(m->data);
	} else if (m->data != NULL) {
		munmap(m->data, m->size);
	}
	*m = (struct gt_mapped){0};
}
