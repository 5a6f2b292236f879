/*
 * Declarations of everything that is hooked: the headers of libc, and what none of them declares.
 * For hook.h alone.
 */
#pragma once

#include <aio.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

/* What a program built with _FORTIFY_SOURCE calls; the last argument is the room that there is. */
ssize_t __read_chk(int fd, void *to, size_t n, size_t room);
ssize_t __pread_chk(int fd, void *to, size_t n, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *to, size_t n, off64_t at, size_t room);
ssize_t __recv_chk(int fd, void *to, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *restrict to, size_t n, size_t room, int flags,
		       __SOCKADDR_ARG from, socklen_t *restrict length);
ssize_t __readlink_chk(const char *restrict path, char *restrict to, size_t n, size_t room);
ssize_t __readlinkat_chk(int fd, const char *restrict path, char *restrict to, size_t n,
			 size_t room);
int __poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *within, const sigset_t *mask,
		size_t room);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int fd, const char *path, int flags);
int __openat64_2(int fd, const char *path, int flags);

/* What a failed assertion calls; assert.h declares them only where there is one. */
void __assert_fail(const char *what, const char *file, unsigned line, const char *function);
void __assert_perror_fail(int error, const char *file, unsigned line, const char *function);
void __assert(const char *what, const char *file, int line);

/* What programs linked before glibc 2.33 call for stat and its relatives. */
int __xstat(int version, const char *path, struct stat *to);
int __lxstat(int version, const char *path, struct stat *to);
int __fxstat(int version, int fd, struct stat *to);
int __fxstatat(int version, int fd, const char *path, struct stat *to, int flags);
int __xstat64(int version, const char *path, struct stat64 *to);
int __lxstat64(int version, const char *path, struct stat64 *to);
int __fxstat64(int version, int fd, struct stat64 *to);
int __fxstatat64(int version, int fd, const char *path, struct stat64 *to, int flags);

/* Of newer glibcs than the headers may be. */
int close_range(unsigned first, unsigned last, int flags);
void closefrom(int first);
int execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags);
int epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *within,
		 const sigset_t *mask);

/* Declared by libcap, and of newer glibcs than the headers may be. */
int capset(void *head, const void *data);
pid_t _Fork(void);

/* sigpause has three names, and is deprecated; it is hooked all the same. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
int __sigpause(int signal_or_mask, int is_signal);
int __xpg_sigpause(int signal);
