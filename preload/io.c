/*
 * What moves bytes, flushes them or locks files. On a descriptor that is known to be a socket it is
 * of class net, and a long one is a wait for the network.
 */
#include <stdarg.h>

#include "plain.h"
#include "sockets.h"

/* ask: there is a budget. */
GT_INLINE struct gt_thread *move_open_as(enum gt_class class, enum gt_call call, enum gt_reason as,
					 int fd, bool ask, void *frame)
{
	struct gt_thread *t = gt_class_on(class) ? gt_self(frame) : NULL;

	if (t && (!ask || gt_budget_call(&t->meter, call))) {
		gt_call_begin(t, call, as, fd, frame);
		return t;
	}
	return NULL;
}

/* Each of the two with constants: nothing is kept of which it is. */
GT_INLINE struct gt_thread *move_open(enum gt_class class, enum gt_call call, int fd, bool ask,
				      void *frame)
{
	return gt_socket_is(fd)
		       ? move_open_as(GT_CLASS_NET, call, GT_REASON_NETWORK, fd, ask, frame)
		       : move_open_as(class, call, 0, fd, ask, frame);
}

/* Whether the budget, which there is, leaves it out; false: not known. */
GT_INLINE bool move_refused(enum gt_class class, enum gt_call call, int fd)
{
	struct gt_tls *tls = &gt_tls;

	return gt_class_on(gt_socket_is(fd) ? GT_CLASS_NET : class) &&
	       tls->epoch == gt_load_relaxed(&gt_gate->epoch) && tls->busy == 0 &&
	       gt_budget_refuses(&tls->thread->meter, call);
}

#define MOVE(name, id, call, parameters, arguments, ask)                                   \
	static GT_NOINLINE ssize_t name parameters                                         \
	{                                                                                  \
		struct gt_thread *t = move_open((enum gt_class)GT_CLASS_OF_GT_CALL_##call, \
						GT_CALL_##call, fd, (ask), GT_FRAME());    \
		ssize_t r;                                                                 \
                                                                                           \
		if (!t) { /* as in plain.h */                                              \
			return GT_REAL(id) arguments;                                      \
		}                                                                          \
		r = GT_REAL(id) arguments;                                                 \
		gt_call_end(t, gt_result(r));                                              \
		return r;                                                                  \
	}

/*
 * These are what storms are made of most often, so what a budget leaves out of them has a way of
 * its own, without a frame: a third of the instructions. It begins where the others ask whether
 * there is a budget.
 */
#define MOVES(id, call, parameters, arguments)                                           \
	_Static_assert(GT_AS_OF_GT_CALL_##call == 0, "a system call, but of a socket");  \
	MOVE(id##_asked, id, call, parameters, arguments, true)                          \
	MOVE(id##_unasked, id, call, parameters, arguments, false)                       \
                                                                                         \
	static GT_NOINLINE ssize_t id##_budgeted parameters                              \
	{                                                                                \
		return gt_likely(move_refused((enum gt_class)GT_CLASS_OF_GT_CALL_##call, \
					      GT_CALL_##call, fd))                       \
			       ? GT_REAL(id) arguments                                   \
			       : id##_asked arguments;                                   \
	}                                                                                \
                                                                                         \
	ssize_t gt_hook_##id parameters                                                  \
	{                                                                                \
		return gt_unlikely(gt_budget_on) ? id##_budgeted arguments               \
						 : id##_unasked arguments;               \
	}

/* clang-format off */
MOVES(read, READ, (int fd, void *to, size_t n), (fd, to, n))
MOVES(__read_chk, READ, (int fd, void *to, size_t n, size_t room), (fd, to, n, room))
MOVES(write, WRITE, (int fd, const void *from, size_t n), (fd, from, n))
MOVES(readv, READV, (int fd, const struct iovec *v, int n), (fd, v, n))
MOVES(writev, WRITEV, (int fd, const struct iovec *v, int n), (fd, v, n))
MOVES(preadv2, PREADV2, (int fd, const struct iovec *v, int n, off_t at, int flags), (fd, v, n, at, flags))
MOVES(preadv64v2, PREADV2, (int fd, const struct iovec *v, int n, off64_t at, int flags), (fd, v, n, at, flags))
MOVES(pwritev2, PWRITEV2, (int fd, const struct iovec *v, int n, off_t at, int flags), (fd, v, n, at, flags))
MOVES(pwritev64v2, PWRITEV2, (int fd, const struct iovec *v, int n, off64_t at, int flags), (fd, v, n, at, flags))
MOVES(sendfile, SENDFILE, (int fd, int from, off_t *at, size_t n), (fd, from, at, n))
MOVES(sendfile64, SENDFILE, (int fd, int from, off64_t *at, size_t n), (fd, from, at, n))
#undef MOVES
#undef MOVE

GT_PLAIN(ssize_t, pread, PREAD, fd, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
GT_PLAIN(ssize_t, pread64, PREAD, fd, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at))
GT_PLAIN(ssize_t, __pread_chk, PREAD, fd, (int fd, void *to, size_t n, off_t at, size_t room), (fd, to, n, at, room))
GT_PLAIN(ssize_t, __pread64_chk, PREAD, fd, (int fd, void *to, size_t n, off64_t at, size_t room), (fd, to, n, at, room))
GT_PLAIN(ssize_t, pwrite, PWRITE, fd, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
GT_PLAIN(ssize_t, pwrite64, PWRITE, fd, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at))
GT_PLAIN(ssize_t, preadv, PREADV, fd, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
GT_PLAIN(ssize_t, preadv64, PREADV, fd, (int fd, const struct iovec *v, int n, off64_t at), (fd, v, n, at))
GT_PLAIN(ssize_t, pwritev, PWRITEV, fd, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
GT_PLAIN(ssize_t, pwritev64, PWRITEV, fd, (int fd, const struct iovec *v, int n, off64_t at), (fd, v, n, at))
GT_PLAIN(ssize_t, process_vm_readv, PROCESS_VM_READV, pid, (pid_t pid, const struct iovec *to, unsigned long n, const struct iovec *from, unsigned long m, unsigned long flags), (pid, to, n, from, m, flags))
GT_PLAIN(ssize_t, process_vm_writev, PROCESS_VM_WRITEV, pid, (pid_t pid, const struct iovec *from, unsigned long n, const struct iovec *to, unsigned long m, unsigned long flags), (pid, from, n, to, m, flags))
GT_PLAIN(int, eventfd_read, EVENTFD_READ, fd, (int fd, eventfd_t *to), (fd, to))
GT_PLAIN(int, eventfd_write, EVENTFD_WRITE, fd, (int fd, eventfd_t value), (fd, value))

GT_PLAIN(ssize_t, splice, SPLICE, fd, (int fd, off64_t *at, int to, off64_t *to_at, size_t n, unsigned flags), (fd, at, to, to_at, n, flags))
GT_PLAIN(ssize_t, tee, TEE, fd, (int fd, int to, size_t n, unsigned flags), (fd, to, n, flags))
GT_PLAIN(ssize_t, vmsplice, VMSPLICE, fd, (int fd, const struct iovec *v, size_t n, unsigned flags), (fd, v, n, flags))
GT_PLAIN(ssize_t, copy_file_range, COPY_FILE_RANGE, fd, (int fd, off64_t *at, int to, off64_t *to_at, size_t n, unsigned flags), (fd, at, to, to_at, n, flags))

GT_PLAIN(int, fsync, FSYNC, fd, (int fd), (fd))
GT_PLAIN(int, fdatasync, FDATASYNC, fd, (int fd), (fd))
GT_PLAIN(int, msync, MSYNC, GT_NO_ARG, (void *from, size_t n, int flags), (from, n, flags))
GT_PLAIN(int, sync_file_range, SYNC_FILE_RANGE, fd, (int fd, off64_t at, off64_t n, unsigned flags), (fd, at, n, flags))
GT_PLAIN(int, syncfs, SYNCFS, fd, (int fd), (fd))
GT_PLAIN(int, fallocate, FALLOCATE, fd, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n))
GT_PLAIN(int, fallocate64, FALLOCATE, fd, (int fd, int mode, off64_t at, off64_t n), (fd, mode, at, n))
GT_PLAIN_CODE(posix_fallocate, POSIX_FALLOCATE, fd, (int fd, off_t at, off_t n), (fd, at, n))
GT_PLAIN_CODE(posix_fallocate64, POSIX_FALLOCATE, fd, (int fd, off64_t at, off64_t n), (fd, at, n))
GT_PLAIN_CODE(posix_fadvise, POSIX_FADVISE, fd, (int fd, off_t at, off_t n, int advice), (fd, at, n, advice))
GT_PLAIN_CODE(posix_fadvise64, POSIX_FADVISE, fd, (int fd, off64_t at, off64_t n, int advice), (fd, at, n, advice))
GT_PLAIN(ssize_t, readahead, READAHEAD, fd, (int fd, off64_t at, size_t n), (fd, at, n))
GT_PLAIN(int, ftruncate, FTRUNCATE, fd, (int fd, off_t n), (fd, n))
GT_PLAIN(int, ftruncate64, FTRUNCATE, fd, (int fd, off64_t n), (fd, n))
GT_PLAIN(int, truncate, TRUNCATE, GT_NO_ARG, (const char *path, off_t n), (path, n))
GT_PLAIN(int, truncate64, TRUNCATE, GT_NO_ARG, (const char *path, off64_t n), (path, n))
GT_PLAIN(int, tcdrain, TCDRAIN, fd, (int fd), (fd))

GT_PLAIN(int, flock, FLOCK, fd, (int fd, int how), (fd, how))
GT_PLAIN(int, lockf, LOCKF, fd, (int fd, int how, off_t n), (fd, how, n))
GT_PLAIN(int, lockf64, LOCKF, fd, (int fd, int how, off64_t n), (fd, how, n))
/* clang-format on */

void gt_hook_sync(void)
{
	struct gt_thread *t = gt_call_open(GT_CALL_SYNC, GT_NO_ARG, GT_FRAME());

	GT_REAL(sync)();
	gt_call_close(t, 0);
}

static int fcntl_end(struct gt_thread *t, int fd, int command, int r)
{
	gt_call_close(t, gt_result(r));
	if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && r >= 0) {
		gt_socket_note(r, gt_socket_is(fd));
	}
	return r;
}

/* Which of the two: one that waits for a lock, and one that only asks or sets. */
static enum gt_call fcntl_call(int command)
{
	return command == F_SETLKW || command == F_OFD_SETLKW ? GT_CALL_FCNTL_SETLKW
							      : GT_CALL_FCNTL;
}

/* The third argument is read whether it is there or not, as glibc does. */
#define FCNTL(id)                                                                            \
	int gt_hook_##id(int fd, int command, ...)                                           \
	{                                                                                    \
		struct gt_thread *t = gt_call_open_any(fcntl_call(command), fd, GT_FRAME()); \
		va_list list;                                                                \
		void *argument;                                                              \
                                                                                             \
		va_start(list, command);                                                     \
		argument = va_arg(list, void *);                                             \
		va_end(list);                                                                \
		return fcntl_end(t, fd, command, GT_REAL(id)(fd, command, argument));        \
	}
FCNTL(fcntl)
FCNTL(fcntl64)
#undef FCNTL

#define GT_EXPORT_io(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
