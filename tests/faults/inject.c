/*
 * The library's own system calls, failing one after the other: for the library of
 * tests/faults/sweep and tests/faults/killed.
 *
 * FAULT_AT=N makes the Nth call that can fail do so; FAULT_STAY=1 all from there on of its kind.
 * With FAULT_KILL=1 the process is killed before it instead.
 * The error is one that this call meets in the field. A line in FAULT_LOG, "NAME PID", says which
 * it was and whose, and is how sweep knows that N was not beyond the last one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/atomic.h"
#include "base/sys.h"

extern char **environ;

/* Calls that fail in the field, and how. Others (getpid, rt_sigprocmask, ...) cannot. */
static const struct {
	const char *name;
	int error;
	uint16_t number;
} calls[] = {
	{"mmap", ENOMEM, SYS_mmap},
	{"munmap", ENOMEM, SYS_munmap},
	{"madvise", ENOMEM, SYS_madvise},
	{"openat", EMFILE, SYS_openat},
	{"read", EIO, SYS_read},
	{"pread64", EIO, SYS_pread64},
	{"writev", ENOSPC, SYS_writev},
	{"ftruncate", EFBIG, SYS_ftruncate},
	{"fallocate", ENOSPC, SYS_fallocate},
	{"newfstatat", EACCES, SYS_newfstatat},
	{"unlinkat", EROFS, SYS_unlinkat},
	{"linkat", EPERM, SYS_linkat},
	{"renameat2", EROFS, SYS_renameat2},
	{"readlinkat", EACCES, SYS_readlinkat},
	{"getcwd", ENOENT, SYS_getcwd},
	{"futex", EINTR, SYS_futex},
	{"prlimit64", EPERM, SYS_prlimit64},
	{"clone", EAGAIN, SYS_clone},
	{"close_range", ENOSYS, SYS_close_range},
	{"sched_setscheduler", EPERM, SYS_sched_setscheduler},
	{"sched_getaffinity", EPERM, SYS_sched_getaffinity},
};

static _Atomic uint32_t count;
static _Atomic uint32_t failing; /* index of the call that fails from now on, plus one */

static const char *setting(const char *name)
{
	size_t n = strlen(name);

	for (char **e = environ; e && *e; e++) {
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=') {
			return *e + n + 1;
		}
	}
	return NULL;
}

static uint32_t number_of(const char *s)
{
	uint32_t n = 0;

	while (s && *s >= '0' && *s <= '9') {
		n = n * 10 + (uint32_t)(*s++ - '0');
	}
	return n;
}

/* The kernel itself, past gt_fault. */
static long call(long n, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return r;
}

/* A line, written at once: children of fork count and fail on their own. */
static void tell(const char *name)
{
	const char *log = setting("FAULT_LOG");
	long fd = log ? call(SYS_openat, AT_FDCWD, (long)log,
			     O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)
		      : -1;
	char line[64];
	char *end = line + sizeof(line);
	char *at = end;

	if (fd < 0) {
		return;
	}
	*--at = '\n';
	for (long pid = call(SYS_getpid, 0, 0, 0, 0); pid > 0; pid /= 10) {
		*--at = (char)('0' + pid % 10);
	}
	*--at = ' ';
	at -= strlen(name);
	memcpy(at, name, strlen(name));
	call(SYS_write, fd, (long)at, end - at, 0);
	call(SYS_close, fd, 0, 0, 0);
}

long gt_fault(long n, long b)
{
	static uint32_t at = UINT32_MAX;
	static bool stay;

	if (at == UINT32_MAX) {
		at = number_of(setting("FAULT_AT"));
		stay = setting("FAULT_STAY") != NULL;
	}
	/* No kernel refuses to wake; and it may be the program's own unlock (preload/mutex.c). */
	if (n == SYS_futex && (b & FUTEX_CMD_MASK) == FUTEX_WAKE && !setting("FAULT_KILL")) {
		return 0;
	}
	for (uint32_t i = 0; i < GT_LEN(calls); i++) {
		/* Nothing interrupts for ever; but a filter refuses for ever. */
		int error = stay && n == SYS_futex ? EPERM : calls[i].error;

		if (calls[i].number != n) {
			continue;
		}
		if (gt_add_relaxed(&count, 1) + 1 == at) {
			tell(calls[i].name);
			if (setting("FAULT_KILL")) {
				call(SYS_kill, call(SYS_getpid, 0, 0, 0, 0), SIGKILL, 0, 0);
			}
			gt_store_relaxed(&failing, stay ? i + 1 : 0);
			return -error;
		}
		if (gt_load_relaxed(&failing) == i + 1) {
			return -error;
		}
	}
	return 0;
}
