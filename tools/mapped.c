/*
 * Files in memory.
 */
#include "mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "input.h"

/*
 * What is mapped now, for gt_mapped_at. [any thread] A slot is taken by its address, which is set
 * last and cleared first; what finds none has no name.
 */
static struct {
	_Atomic uintptr_t start; /* 0: free, 1: being filled */
	size_t size;
	char name[PATH_MAX];
} watched[8];

const char *gt_mapped_at(const void *address)
{
	const uintptr_t at = (uintptr_t)address;

	for (size_t i = 0; i < GT_LEN(watched); i++) {
		const uintptr_t start = atomic_load(&watched[i].start);

		if (start > 1 && at >= start && at - start < watched[i].size) {
			return watched[i].name;
		}
	}
	return NULL;
}

static void watch(const struct gt_mapped *m, int fd)
{
	for (size_t i = 0; i < GT_LEN(watched); i++) {
		uintptr_t none = 0;

		if (atomic_compare_exchange_strong(&watched[i].start, &none, 1)) {
			char link[32];
			ssize_t n;

			snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
			n = readlink(link, watched[i].name, sizeof(watched[i].name) - 1);
			watched[i].name[n > 0 ? n : 0] = '\0';
			watched[i].size = m->size;
			atomic_store(&watched[i].start, (uintptr_t)m->data);
			return;
		}
	}
}

static void unwatch(const struct gt_mapped *m)
{
	for (size_t i = 0; i < GT_LEN(watched); i++) {
		if (atomic_load(&watched[i].start) == (uintptr_t)m->data) {
			atomic_store(&watched[i].start, 0);
		}
	}
}

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
	watch(m, fd);
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

static const char *scratch_folder(void)
{
	const char *folder = getenv("TMPDIR");

	return folder != NULL && *folder != '\0' ? folder : "/tmp";
}

/* A file that is gone when it is closed. */
static int nameless(void)
{
	const char *folder = scratch_folder();
	char name[PATH_MAX];
	int fd;

	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 &&
	    snprintf(name, sizeof(name), "%s/gtrace.XXXXXX", folder) < (int)sizeof(name)) {
		fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0) {
			unlink(name);
		}
	}
	return fd;
}

static int write_all(int fd, const char *from, size_t size)
{
	while (size > 0) {
		const ssize_t n = write(fd, from, size);

		if (n < 0 && errno != EINTR) {
			return -1;
		}
		from += GT_MAX(n, 0);
		size -= (size_t)GT_MAX(n, 0);
	}
	return 0;
}

/* As far as it goes. -1 with errno where not even that can be tried. */
static int unpack_to(int fd, struct gt_input *in, struct gt_error *torn)
{
	enum { CHUNK = 1 << 18 };
	char *buffer = gt_alloc(CHUNK);
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = gt_input_read(in, buffer, CHUNK, torn)) > 0) {
		r = write_all(fd, buffer, (size_t)n);
	}
	free(buffer);
	return torn->kind == GT_ERROR_READ ? -1 : r;
}

/* In the place of what is packed. */
static int unpack(struct gt_mapped *m)
{
	struct gt_mapped plain = {0};
	struct gt_error torn = {0};
	const int fd = nameless();
	struct gt_input *in;
	int r = -1;

	if (fd >= 0) {
		in = gt_input_open(-1, m->data, m->size);
		r = unpack_to(fd, in, &torn);
		gt_input_close(in);
		if (r == 0 && lseek(fd, 0, SEEK_END) > 0) {
			r = lseek(fd, 0, SEEK_SET) == 0 && gt_mapped_fd(&plain, fd) ? 0 : -1;
		}
	}
	if (r < 0 && torn.kind != GT_ERROR_READ) {
		gt_error_set(&torn, GT_ERROR_READ, GT_NOWHERE, GT_NOWHERE, GT_NOWHERE,
			     "cannot unpack it into a file in %s (TMPDIR): %s", scratch_folder(),
			     strerror(errno));
	}
	if (fd >= 0) {
		close(fd);
	}
	gt_mapped_close(m);
	*m = plain;
	m->torn = torn;
	if (r < 0) {
		errno = EIO; /* not what it was of TMPDIR: the file itself is there */
	}
	return r;
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
	return r == 0 && gt_input_is_packed(m->data, m->size) ? unpack(m) : r;
}

void gt_mapped_close(struct gt_mapped *m)
{
	if (m->read) {
		free(m->data);
	} else if (m->data != NULL) {
		unwatch(m);
		munmap(m->data, m->size);
	}
	*m = (struct gt_mapped){0};
}
