/*
 * The only edge to the kernel: raw system calls.
 */
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define SYS(name, a, b, c, d, e, f) \
	gt_syscall6(SYS_##name, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

static int mapped(void **p, long r)
{
	if (r < 0 && r > -4096) {
		return (int)r;
	}
	*p = (void *)r;
	return 0;
}

int gt_sys_map(void **p, size_t bytes)
{
	return mapped(
		p, SYS(mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

int gt_sys_map_file(void **p, size_t bytes, int fd, off_t offset, bool writable)
{
	int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	int flags = writable ? MAP_SHARED : MAP_PRIVATE;

	return mapped(p, SYS(mmap, 0, bytes, prot, flags | MAP_NORESERVE, fd, offset));
}

int gt_sys_unmap(void *p, size_t bytes)
{
	return (int)SYS(munmap, p, bytes, 0, 0, 0, 0);
}

int gt_sys_madvise(void *p, size_t bytes, int advice)
{
	return (int)SYS(madvise, p, bytes, advice, 0, 0, 0);
}

int gt_sys_open(const char *path, int flags, mode_t mode)
{
	long r;

	do {
		r = SYS(openat, AT_FDCWD, path, flags | O_CLOEXEC, mode, 0, 0);
	} while (r == -EINTR);
	return (int)r;
}

int gt_sys_close(int fd)
{
	return (int)SYS(close, fd, 0, 0, 0, 0, 0);
}

ssize_t gt_sys_read(int fd, void *to, size_t bytes)
{
	long r;

	do {
		r = SYS(read, fd, to, bytes, 0, 0, 0);
	} while (r == -EINTR);
	return r;
}

ssize_t gt_sys_pread(int fd, void *to, size_t bytes, off_t offset)
{
	long r;

	do {
		r = SYS(pread64, fd, to, bytes, offset, 0, 0);
	} while (r == -EINTR);
	return r;
}

int gt_sys_write_all(int fd, const void *from, size_t bytes)
{
	struct iovec v = {(void *)(uintptr_t)from, bytes};

	return gt_sys_writev_all(fd, &v, 1);
}

int gt_sys_writev_all(int fd, struct iovec *v, int n)
{
	while (n > 0) {
		long r = SYS(writev, fd, v, GT_MIN(n, 1024), 0, 0, 0);

		if (r == -EINTR) {
			continue;
		}
		if (r < 0) {
			return (int)r;
		}
		if (r == 0 && v->iov_len != 0) {
			return -EIO;
		}
		while (n > 0 && (size_t)r >= v->iov_len) {
			r -= (long)v->iov_len;
			v++;
			n--;
		}
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + r;
			v->iov_len -= (size_t)r;
		}
	}
	return 0;
}

int gt_sys_ftruncate(int fd, off_t bytes)
{
	return (int)SYS(ftruncate, fd, bytes, 0, 0, 0, 0);
}

int gt_sys_seek(int fd, off_t offset)
{
	long r = SYS(lseek, fd, offset, SEEK_SET, 0, 0, 0);

	return r < 0 ? (int)r : 0;
}

int gt_sys_write_from(int fd, off_t offset)
{
	int r = (int)SYS(fcntl, fd, F_SETFL, 0, 0, 0, 0);

	return r < 0 ? r : gt_sys_seek(fd, offset);
}

int gt_sys_fallocate(int fd, off_t offset, off_t bytes)
{
	long r;

	do {
		r = SYS(fallocate, fd, 0, offset, bytes, 0, 0);
	} while (r == -EINTR);
	return (int)r;
}

int gt_sys_fstat(int fd, struct stat *st)
{
	return (int)SYS(newfstatat, fd, "", st, AT_EMPTY_PATH, 0, 0);
}

int gt_sys_unlink(const char *path)
{
	return (int)SYS(unlinkat, AT_FDCWD, path, 0, 0, 0, 0);
}

int gt_sys_chown(const char *path, uid_t uid)
{
	return (int)SYS(fchownat, AT_FDCWD, path, uid, -1, AT_SYMLINK_NOFOLLOW, 0);
}

int gt_sys_rename(const char *from, const char *to)
{
	return (int)SYS(renameat2, AT_FDCWD, from, AT_FDCWD, to, 0, 0);
}

int gt_sys_readlink(const char *path, char *to, size_t bytes)
{
	return (int)SYS(readlinkat, AT_FDCWD, path, to, bytes, 0, 0);
}

int gt_sys_getcwd(char *to, size_t bytes)
{
	return (int)SYS(getcwd, to, bytes, 0, 0, 0, 0);
}

pid_t gt_sys_tid(void)
{
	return (pid_t)SYS(gettid, 0, 0, 0, 0, 0, 0);
}

pid_t gt_sys_pid(void)
{
	return (pid_t)SYS(getpid, 0, 0, 0, 0, 0, 0);
}

int gt_sys_futex_wait(const void *word, uint32_t value, uint64_t ns)
{
	struct timespec ts = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

	return (int)SYS(futex, word, FUTEX_WAIT_PRIVATE, value, ns == UINT64_MAX ? NULL : &ts, 0,
			0);
}

int gt_sys_futex(const void *word, int op, uint32_t value, const struct timespec *time,
		 uint32_t bitset)
{
	return (int)SYS(futex, word, op, value, time, 0, bitset);
}

int gt_sys_futex_wake(const void *word, int count)
{
	return (int)SYS(futex, word, FUTEX_WAKE_PRIVATE, count, 0, 0, 0);
}

int gt_sys_membarrier_register(void)
{
	return (int)SYS(membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0, 0, 0, 0);
}

int gt_sys_membarrier(void)
{
	return (int)SYS(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0, 0, 0, 0);
}

void gt_sys_yield(void)
{
	SYS(sched_yield, 0, 0, 0, 0, 0, 0);
}

void gt_sys_sleep(uint64_t ns)
{
	struct timespec ts = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

	while (SYS(nanosleep, &ts, &ts, 0, 0, 0, 0) == -EINTR) {
	}
}

int gt_sys_block_signals(uint64_t set, uint64_t *old)
{
	return (int)SYS(rt_sigprocmask, SIG_BLOCK, &set, old, sizeof(set), 0, 0);
}

int gt_sys_restore_signals(uint64_t set)
{
	return (int)SYS(rt_sigprocmask, SIG_SETMASK, &set, NULL, sizeof(set), 0, 0);
}

void gt_sys_discard_signal(int number)
{
	uint64_t set = UINT64_C(1) << (number - 1);
	struct timespec none = {0, 0};

	SYS(rt_sigtimedwait, &set, NULL, &none, sizeof(set), 0, 0);
}

int gt_sys_sigaltstack(stack_t *old)
{
	return (int)SYS(sigaltstack, NULL, old, 0, 0, 0, 0);
}

void gt_sys_sched_other(void)
{
	const struct sched_param none = {0};

	SYS(sched_setscheduler, 0, SCHED_OTHER, &none, 0, 0, 0);
}

unsigned gt_sys_cpus(pid_t tid)
{
	uint64_t mask[128];
	long r = SYS(sched_getaffinity, tid, sizeof(mask), mask, 0, 0, 0);
	unsigned n = 0;

	for (long i = 0; i < r / (long)sizeof(mask[0]); i++) {
		n += (unsigned)__builtin_popcountll(mask[i]);
	}
	return GT_MAX(n, 1u);
}

_Noreturn void gt_sys_abort(void)
{
	uint64_t set = UINT64_C(1) << (SIGABRT - 1);

	SYS(rt_sigprocmask, SIG_UNBLOCK, &set, NULL, sizeof(set), 0, 0);
	SYS(tgkill, gt_sys_pid(), gt_sys_tid(), SIGABRT, 0, 0, 0);
	for (;;) {
		SYS(exit_group, 134, 0, 0, 0, 0, 0);
	}
}

_Noreturn void gt_sys_exit_thread(int code)
{
	for (;;) {
		SYS(exit, code, 0, 0, 0, 0, 0);
	}
}

int gt_sys_open_stderr(void)
{
	char path[32] = "/proc/";
	char digits[12];
	char *to = path + 6;
	int n = 0;

	for (pid_t pid = gt_sys_pid(); pid; pid /= 10) {
		digits[n++] = (char)('0' + pid % 10);
	}
	while (n) {
		*to++ = digits[--n];
	}
	memcpy(to, "/fd/2", 6);
	return gt_sys_open(path, O_WRONLY | O_APPEND | O_NOCTTY, 0);
}

int gt_sys_clock(clockid_t clock, struct timespec *ts)
{
	return (int)SYS(clock_gettime, clock, ts, 0, 0, 0, 0);
}
