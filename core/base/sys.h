/*
 * The only edge to the kernel.
 *
 * Contract of every function here: a raw system call, never one through libc, so that no hook is
 * entered, no cancellation point is made and errno is never touched. Results are 0 or a value >= 0,
 * or -errno. Safe in any thread (the advancer has no libc thread state at all), in signal handlers,
 * and between vfork and exec. Pointers are not checked. EINTR is retried where it means nothing.
 */
#pragma once

#include <signal.h>
#include <sys/types.h>
#include <time.h>

#include "base/util.h"

struct stat;
struct iovec;

/*
 * -errno instead of the call, where a test says so (tests/faults/inject.c); 0: make it. In any
 * other build this is nothing.
 */
#ifdef GT_FAULTS
long gt_fault(long n, long b);
#define GT_FAULT(n, b) gt_fault(n, b)
#else
#define GT_FAULT(n, b) 0L
#endif

#if defined(__x86_64__)
GT_INLINE long gt_syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	long r = GT_FAULT(n, b);
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;

	if (gt_unlikely(r != 0)) {
		return r;
	}
	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return r;
}
#elif defined(__aarch64__)
GT_INLINE long gt_syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	long r = GT_FAULT(n, b);
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	if (gt_unlikely(r != 0)) {
		return r;
	}
	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return x0;
}
#else
#error "gtrace knows x86-64 and aarch64"
#endif

/* Memory. map: anonymous and private; map_file: shared, read-write, of an open descriptor. */
int gt_sys_map(void **p, size_t bytes);
int gt_sys_map_file(void **p, size_t bytes, int fd, off_t offset, bool writable);
int gt_sys_unmap(void *p, size_t bytes);
int gt_sys_madvise(void *p, size_t bytes, int advice);

/* Files. open adds O_CLOEXEC. */
int gt_sys_open(const char *path, int flags, mode_t mode);
int gt_sys_close(int fd);
ssize_t gt_sys_read(int fd, void *to, size_t bytes);
ssize_t gt_sys_pread(int fd, void *to, size_t bytes, off_t offset);
/* All of it or an error; a short write is continued. */
int gt_sys_write_all(int fd, const void *from, size_t bytes);
/* The same for n pieces; v is changed. */
int gt_sys_writev_all(int fd, struct iovec *v, int n);
int gt_sys_ftruncate(int fd, off_t bytes);
/* Where the next write or read begins. */
int gt_sys_seek(int fd, off_t offset);
/* The next write goes there, and not to the end: O_APPEND is taken off the open file. */
int gt_sys_write_from(int fd, off_t offset);
int gt_sys_fallocate(int fd, off_t offset, off_t bytes);
int gt_sys_fstat(int fd, struct stat *st);
int gt_sys_unlink(const char *path);
/* The owner alone; the group stays. A link is not followed. */
int gt_sys_chown(const char *path, uid_t uid);
int gt_sys_rename(const char *from, const char *to);
int gt_sys_readlink(const char *path, char *to, size_t bytes);
int gt_sys_getcwd(char *to, size_t bytes);

/* Threads and processes. */
pid_t gt_sys_tid(void);
pid_t gt_sys_pid(void);
/* Waits while *word == value, at most ns (UINT64_MAX: for ever). 0, -EAGAIN, -EINTR, -ETIMEDOUT. */
int gt_sys_futex_wait(const void *word, uint32_t value, uint64_t ns);
/* The call as it is, with the operation's flags and an absolute or relative time as that says. */
int gt_sys_futex(const void *word, int op, uint32_t value, const struct timespec *time,
		 uint32_t bitset);
int gt_sys_futex_wake(const void *word, int count);
/* A full barrier in every running thread of the process; it is to be registered before. */
int gt_sys_membarrier_register(void);
int gt_sys_membarrier(void);
void gt_sys_yield(void);
void gt_sys_sleep(uint64_t ns);
/* The set of signals blocked in this thread, as the kernel's 64 bits. */
int gt_sys_block_signals(uint64_t set, uint64_t *old);
int gt_sys_restore_signals(uint64_t set);
/* Takes one pending signal of a blocked number away; it is then never delivered. */
void gt_sys_discard_signal(int number);
/* The signal stack of this thread; ss_flags has SS_ONSTACK while it runs there. */
int gt_sys_sigaltstack(stack_t *old);
/* Ordinary scheduling for this thread. */
void gt_sys_sched_other(void);
/* Processors in the affinity mask of a thread (0: this one), at least 1. */
unsigned gt_sys_cpus(pid_t tid);
_Noreturn void gt_sys_abort(void);
_Noreturn void gt_sys_exit_thread(int code);

/*
 * Standard error of the process, opened anew: for a thread that has a descriptor table of its own,
 * where 2 is no descriptor or another file. -errno where it cannot be opened (a socket).
 */
int gt_sys_open_stderr(void);

int gt_sys_clock(clockid_t clock, struct timespec *ts);
