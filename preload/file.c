/*
 * Files by name, and descriptors: open, close, duplicate, and what asks about them.
 */
#include <stdarg.h>

#include "plain.h"
#include "sockets.h"

/* What open has returned is no socket, whatever had its number before. */
static int opened(struct gt_thread *t, int fd)
{
	gt_call_close(t, gt_result(fd));
	gt_socket_note(fd, false);
	return fd;
}

/* The mode is there if, and only if, the flags say that a file may be made. */
static bool has_mode(int flags)
{
	return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

#define MODE(flags)                                  \
	mode_t mode = 0;                             \
                                                     \
	do {                                         \
		va_list list;                        \
                                                     \
		if (has_mode(flags)) {               \
			va_start(list, flags);       \
			mode = va_arg(list, mode_t); \
			va_end(list);                \
		}                                    \
	} while (0)

#define OPEN(id)                                                                         \
	int gt_hook_##id(const char *path, int flags, ...)                               \
	{                                                                                \
		struct gt_thread *t = gt_call_open(GT_CALL_OPEN, GT_NO_ARG, GT_FRAME()); \
		MODE(flags);                                                             \
		return opened(t, GT_REAL(id)(path, flags, mode));                        \
	}
OPEN(open)
OPEN(open64)
#undef OPEN

#define OPENAT(id)                                                                          \
	int gt_hook_##id(int fd, const char *path, int flags, ...)                          \
	{                                                                                   \
		struct gt_thread *t = gt_call_open(GT_CALL_OPENAT, gt_arg(fd), GT_FRAME()); \
		MODE(flags);                                                                \
		return opened(t, GT_REAL(id)(fd, path, flags, mode));                       \
	}
OPENAT(openat)
OPENAT(openat64)
#undef OPENAT

#define OPENS(id, call, arg, parameters, arguments)                                    \
	int gt_hook_##id parameters                                                    \
	{                                                                              \
		struct gt_thread *t = gt_call_open(GT_CALL_##call, (arg), GT_FRAME()); \
                                                                                       \
		return opened(t, GT_REAL(id) arguments);                               \
	}
/* clang-format off */
OPENS(__open_2, OPEN, GT_NO_ARG, (const char *path, int flags), (path, flags))
OPENS(__open64_2, OPEN, GT_NO_ARG, (const char *path, int flags), (path, flags))
OPENS(__openat_2, OPENAT, gt_arg(fd), (int fd, const char *path, int flags), (fd, path, flags))
OPENS(__openat64_2, OPENAT, gt_arg(fd), (int fd, const char *path, int flags), (fd, path, flags))
OPENS(creat, CREAT, GT_NO_ARG, (const char *path, mode_t mode), (path, mode))
OPENS(creat64, CREAT, GT_NO_ARG, (const char *path, mode_t mode), (path, mode))
OPENS(open_by_handle_at, OPEN_BY_HANDLE_AT, gt_arg(fd), (int fd, struct file_handle *file, int flags), (fd, file, flags))
#undef OPENS

/* Forgotten before: once it is closed, another thread may have got the number for a socket. */
#define CLOSE(id)                                                                       \
	int gt_hook_##id(int fd)                                                        \
	{                                                                               \
		struct gt_thread *t = gt_call_open(GT_CALL_CLOSE, fd, GT_FRAME());      \
		int r;                                                                  \
                                                                                        \
		gt_socket_note(fd, false);                                              \
		r = GT_REAL(id)(fd);                                                    \
		gt_call_close(t, gt_result(r));                                         \
		return r;                                                               \
	}
CLOSE(close)
#undef CLOSE

int gt_hook_close_range(unsigned first, unsigned last, int flags)
{
	struct gt_thread *t = gt_call_open(GT_CALL_CLOSE_RANGE, first, GT_FRAME());
	int r;

	/* With a flag it sets another or leaves all open. */
	if (flags == 0) {
		gt_socket_close_range(first, last);
	}
	r = GT_REAL(close_range)(first, last, flags);
	gt_call_close(t, gt_result(r));
	return r;
}

void gt_hook_closefrom(int first)
{
	struct gt_thread *t = gt_call_open(GT_CALL_CLOSEFROM, gt_arg(first), GT_FRAME());

	gt_socket_close_range((unsigned)GT_MAX(first, 0), ~0u);
	GT_REAL(closefrom)(first);
	gt_call_close(t, 0);
}

#define DUPLICATES(id, call, parameters, arguments)                                  \
	int gt_hook_##id parameters                                                  \
	{                                                                            \
		struct gt_thread *t = gt_call_open(GT_CALL_##call, fd, GT_FRAME());  \
		int r = GT_REAL(id) arguments;                                       \
                                                                                     \
		gt_call_close(t, gt_result(r));                                      \
		gt_socket_note(r, gt_socket_is(fd));                                 \
		return r;                                                            \
	}
DUPLICATES(dup, DUP, (int fd), (fd))
DUPLICATES(dup2, DUP2, (int fd, int to), (fd, to))
DUPLICATES(dup3, DUP3, (int fd, int to, int flags), (fd, to, flags))
#undef DUPLICATES

GT_PLAIN(int, stat, STAT, GT_NO_ARG, (const char *path, struct stat *to), (path, to))
GT_PLAIN(int, stat64, STAT, GT_NO_ARG, (const char *path, struct stat64 *to), (path, to))
GT_PLAIN(int, __xstat, STAT, GT_NO_ARG, (int version, const char *path, struct stat *to), (version, path, to))
GT_PLAIN(int, __xstat64, STAT, GT_NO_ARG, (int version, const char *path, struct stat64 *to), (version, path, to))
GT_PLAIN(int, lstat, LSTAT, GT_NO_ARG, (const char *path, struct stat *to), (path, to))
GT_PLAIN(int, lstat64, LSTAT, GT_NO_ARG, (const char *path, struct stat64 *to), (path, to))
GT_PLAIN(int, __lxstat, LSTAT, GT_NO_ARG, (int version, const char *path, struct stat *to), (version, path, to))
GT_PLAIN(int, __lxstat64, LSTAT, GT_NO_ARG, (int version, const char *path, struct stat64 *to), (version, path, to))
GT_PLAIN(int, fstat, FSTAT, fd, (int fd, struct stat *to), (fd, to))
GT_PLAIN(int, fstat64, FSTAT, fd, (int fd, struct stat64 *to), (fd, to))
GT_PLAIN(int, __fxstat, FSTAT, fd, (int version, int fd, struct stat *to), (version, fd, to))
GT_PLAIN(int, __fxstat64, FSTAT, fd, (int version, int fd, struct stat64 *to), (version, fd, to))
GT_PLAIN(int, fstatat, FSTATAT, gt_arg(fd), (int fd, const char *path, struct stat *to, int flags), (fd, path, to, flags))
GT_PLAIN(int, fstatat64, FSTATAT, gt_arg(fd), (int fd, const char *path, struct stat64 *to, int flags), (fd, path, to, flags))
GT_PLAIN(int, __fxstatat, FSTATAT, gt_arg(fd), (int version, int fd, const char *path, struct stat *to, int flags), (version, fd, path, to, flags))
GT_PLAIN(int, __fxstatat64, FSTATAT, gt_arg(fd), (int version, int fd, const char *path, struct stat64 *to, int flags), (version, fd, path, to, flags))
GT_PLAIN(int, statx, STATX, gt_arg(fd), (int fd, const char *restrict path, int flags, unsigned mask, struct statx *restrict to), (fd, path, flags, mask, to))
GT_PLAIN(int, access, ACCESS, GT_NO_ARG, (const char *path, int mode), (path, mode))
GT_PLAIN(int, eaccess, ACCESS, GT_NO_ARG, (const char *path, int mode), (path, mode))
GT_PLAIN(int, euidaccess, ACCESS, GT_NO_ARG, (const char *path, int mode), (path, mode))
GT_PLAIN(int, faccessat, FACCESSAT, gt_arg(fd), (int fd, const char *path, int mode, int flags), (fd, path, mode, flags))
GT_PLAIN(int, rename, RENAME, GT_NO_ARG, (const char *from, const char *to), (from, to))
GT_PLAIN(int, renameat, RENAMEAT, gt_arg(fd), (int fd, const char *from, int to_fd, const char *to), (fd, from, to_fd, to))
GT_PLAIN(int, renameat2, RENAMEAT, gt_arg(fd), (int fd, const char *from, int to_fd, const char *to, unsigned flags), (fd, from, to_fd, to, flags))
GT_PLAIN(int, unlink, UNLINK, GT_NO_ARG, (const char *path), (path))
GT_PLAIN(int, unlinkat, UNLINKAT, gt_arg(fd), (int fd, const char *path, int flags), (fd, path, flags))
GT_PLAIN(int, remove, REMOVE, GT_NO_ARG, (const char *path), (path))
GT_PLAIN(int, mkdir, MKDIR, GT_NO_ARG, (const char *path, mode_t mode), (path, mode))
GT_PLAIN(int, mkdirat, MKDIRAT, gt_arg(fd), (int fd, const char *path, mode_t mode), (fd, path, mode))
GT_PLAIN(int, rmdir, RMDIR, GT_NO_ARG, (const char *path), (path))
GT_PLAIN(int, link, LINK, GT_NO_ARG, (const char *from, const char *to), (from, to))
GT_PLAIN(int, linkat, LINKAT, gt_arg(fd), (int fd, const char *from, int to_fd, const char *to, int flags), (fd, from, to_fd, to, flags))
GT_PLAIN(int, symlink, SYMLINK, GT_NO_ARG, (const char *what, const char *path), (what, path))
GT_PLAIN(int, symlinkat, SYMLINKAT, gt_arg(fd), (const char *what, int fd, const char *path), (what, fd, path))
GT_PLAIN(ssize_t, readlink, READLINK, GT_NO_ARG, (const char *restrict path, char *restrict to, size_t n), (path, to, n))
GT_PLAIN(ssize_t, __readlink_chk, READLINK, GT_NO_ARG, (const char *restrict path, char *restrict to, size_t n, size_t room), (path, to, n, room))
GT_PLAIN(ssize_t, readlinkat, READLINKAT, gt_arg(fd), (int fd, const char *restrict path, char *restrict to, size_t n), (fd, path, to, n))
GT_PLAIN(ssize_t, __readlinkat_chk, READLINKAT, gt_arg(fd), (int fd, const char *restrict path, char *restrict to, size_t n, size_t room), (fd, path, to, n, room))
GT_PLAIN(int, statfs, STATFS, GT_NO_ARG, (const char *path, struct statfs *to), (path, to))
GT_PLAIN(int, statfs64, STATFS, GT_NO_ARG, (const char *path, struct statfs64 *to), (path, to))
GT_PLAIN(int, fstatfs, FSTATFS, fd, (int fd, struct statfs *to), (fd, to))
GT_PLAIN(int, fstatfs64, FSTATFS, fd, (int fd, struct statfs64 *to), (fd, to))
GT_PLAIN(int, statvfs, STATFS, GT_NO_ARG, (const char *restrict path, struct statvfs *restrict to), (path, to))
GT_PLAIN(int, statvfs64, STATFS, GT_NO_ARG, (const char *restrict path, struct statvfs64 *restrict to), (path, to))
GT_PLAIN(int, fstatvfs, FSTATFS, fd, (int fd, struct statvfs *to), (fd, to))
GT_PLAIN(int, fstatvfs64, FSTATFS, fd, (int fd, struct statvfs64 *to), (fd, to))
GT_PLAIN(ssize_t, getdents64, GETDENTS, fd, (int fd, void *to, size_t n), (fd, to, n))
/* clang-format on */

#define GT_EXPORT_file(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
