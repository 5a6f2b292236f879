/*
 * What tracing costs a server, by turns in one process: a preload that stands before a tracer's and
 * sends each call into the kernel either on to it or straight into libc, as a word of memory says
 * that scripts/bench-turns shares with it.
 *
 * Two starts of a server differ by some percent, for where its pages happen to lie and what the
 * machine does meanwhile; two turns of some ms beside each other do not.
 *
 * BENCH_TURNS: the file of that memory. The first line is the word; each other one is a call: how
 * many came by, then its name. Without the file all calls go on to the tracer.
 */
#include <dlfcn.h>
#include <linux/fcntl.h> /* not <fcntl.h>, where open64 has an ellipsis */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/*
 * The calls: CALL(type, name, parameters, arguments). Those of the servers that are measured, by
 * the names under which they know them.
 */
/* clang-format off */
#define CALLS \
	CALL(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n)) \
	CALL(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n)) \
	CALL(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n)) \
	CALL(ssize_t, pread64, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at)) \
	CALL(ssize_t, sendfile64, (int to, int from, off64_t *at, size_t n), (to, from, at, n)) \
	CALL(ssize_t, recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags)) \
	CALL(ssize_t, send, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags)) \
	CALL(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags)) \
	CALL(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags)) \
	CALL(int, epoll_wait, (int fd, struct epoll_event *to, int n, int ms), (fd, to, n, ms)) \
	CALL(int, open64, (const char *path, int flags, mode_t mode), (path, flags, mode)) \
	CALL(int, fstat64, (int fd, struct stat64 *to), (fd, to)) \
	CALL(int, close, (int fd), (fd))
/* clang-format on */

enum call {
#define CALL(type, name, parameters, arguments) CALL_##name,
	CALLS
#undef CALL
		N_CALLS
};

struct line {
	_Atomic uint64_t n; /* of the first one: not 0, straight into libc */
	char name[56];
};
_Static_assert(sizeof(struct line) == 64, "read by scripts/bench-turns");

static struct line nowhere[1 + N_CALLS];
static struct line *lines = nowhere;

/* The same function behind the tracer, and in libc. */
static void *find(const char *name, bool straight)
{
	void *libc = straight ? dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD) : RTLD_NEXT;
	void *found = libc ? dlsym(libc, name) : NULL;

	if (!found) {
		fprintf(stderr, "bench-turns: no %s behind it\n", name);
		abort();
	}
	return found;
}

#define CALL(type, name, parameters, arguments)                                                \
	type name parameters                                                                   \
	{                                                                                      \
		static type(*_Atomic way[2]) parameters;                                       \
		bool straight = atomic_load_explicit(&lines->n, memory_order_relaxed);         \
		type(*next) parameters =                                                       \
			atomic_load_explicit(&way[straight], memory_order_relaxed);            \
                                                                                               \
		if (__builtin_expect(!next, 0)) {                                              \
			*(void **)&next = find(#name, straight);                               \
			atomic_store_explicit(&way[straight], next, memory_order_relaxed);     \
		}                                                                              \
		atomic_fetch_add_explicit(&lines[1 + CALL_##name].n, 1, memory_order_relaxed); \
		return next arguments;                                                         \
	}
CALLS
#undef CALL

__attribute__((constructor)) static void begin(void)
{
	static const char *const names[] = {
#define CALL(type, name, parameters, arguments) #name,
		CALLS
#undef CALL
	};
	const char *path = getenv("BENCH_TURNS");
	long fd = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
	void *shared = MAP_FAILED;

	if (fd >= 0) {
		shared =
			mmap(NULL, sizeof(nowhere), PROT_READ | PROT_WRITE, MAP_SHARED, (int)fd, 0);
		syscall(SYS_close, fd);
	}
	if (shared == MAP_FAILED) {
		return;
	}
	lines = shared;
	for (int i = 0; i < N_CALLS; i++) {
		snprintf(lines[1 + i].name, sizeof(lines->name), "%s", names[i]);
	}
}
