/*
 * syscall(): any call into the kernel, by its number.
 *
 * The number decides whether it is a wait for a futex (futex.c), a call that is traced by its own
 * name, one that is traced as "syscall" with its number, or none of our business. Six registers are
 * always passed on, as glibc's own function does: how many the program gave cannot be known. It is
 * no cancellation point.
 */
#include "syscall.h"

#include <linux/sched.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include "base/sys.h"

#include "hook.h"
#include "rights.h"
#include "root.h"
#include "sockets.h"

/*
 * Neither traced nor looked at, and without a frame of ours between the program and the kernel:
 * what returns twice, on another stack or never; and what does nothing but read or set a number of
 * the calling thread or process, which takes less time than an event of it would.
 */
#define STRAIGHT 255
/* The same, unless it makes a process that goes on here with a copy of the memory. */
#define CLONE 254

struct way {
	uint8_t call; /* enum gt_call, STRAIGHT or CLONE; 0: GT_CALL_SYSCALL */
	uint8_t fd;   /* the first argument is a descriptor */
};

#define AS(name, CALL)    [SYS_##name] = {GT_CALL_##CALL, 0}
#define AS_FD(name, CALL) [SYS_##name] = {GT_CALL_##CALL, 1}
#define PASS(name)        [SYS_##name] = {STRAIGHT, 0}
/* clang-format off */
__attribute__((used)) static const struct way ways[512] = {
	[SYS_clone] = {CLONE, 0}, PASS(clone3), PASS(rt_sigreturn), PASS(exit),
	PASS(gettid), PASS(getpid), PASS(getppid), PASS(getpgid), PASS(getsid),
	PASS(getuid), PASS(geteuid), PASS(getgid), PASS(getegid), PASS(getcpu),
	PASS(clock_gettime), PASS(clock_getres), PASS(gettimeofday),
	PASS(rt_sigprocmask), PASS(rt_sigaction), PASS(sigaltstack),
	PASS(set_robust_list), PASS(get_robust_list), PASS(set_tid_address), PASS(rseq),
	AS_FD(read, READ), AS_FD(write, WRITE), AS_FD(pread64, PREAD), AS_FD(pwrite64, PWRITE),
	AS_FD(readv, READV), AS_FD(writev, WRITEV), AS_FD(preadv, PREADV), AS_FD(pwritev, PWRITEV),
	AS_FD(preadv2, PREADV2), AS_FD(pwritev2, PWRITEV2),
	AS_FD(fsync, FSYNC), AS_FD(fdatasync, FDATASYNC), AS_FD(flock, FLOCK),
	AS_FD(sendfile, SENDFILE), AS_FD(splice, SPLICE), AS_FD(tee, TEE),
	AS_FD(copy_file_range, COPY_FILE_RANGE), AS_FD(fallocate, FALLOCATE),
	AS_FD(getdents64, GETDENTS), AS(openat, OPENAT), AS_FD(close, CLOSE), AS_FD(fstat, FSTAT),
	AS(statx, STATX), AS(close_range, CLOSE_RANGE),
	AS_FD(sendto, SENDTO), AS_FD(sendmsg, SENDMSG), AS_FD(sendmmsg, SENDMMSG),
	AS_FD(recvfrom, RECVFROM), AS_FD(recvmsg, RECVMSG), AS_FD(recvmmsg, RECVMMSG),
	AS_FD(accept, ACCEPT), AS_FD(accept4, ACCEPT4), AS_FD(connect, CONNECT),
	AS_FD(epoll_pwait, EPOLL_PWAIT), AS(ppoll, PPOLL), AS(pselect6, PSELECT),
	AS_FD(io_uring_enter, IO_URING_ENTER),
	AS(nanosleep, NANOSLEEP), AS(clock_nanosleep, CLOCK_NANOSLEEP),
	AS(wait4, WAIT4), AS(waitid, WAITID), AS(rt_sigtimedwait, SIGTIMEDWAIT),
	AS(rt_sigsuspend, SIGSUSPEND),
	AS_FD(ioctl, IOCTL), AS(getrandom, GETRANDOM),
	AS(mmap, MMAP), AS(munmap, MUNMAP), AS(mprotect, MPROTECT), AS(madvise, MADVISE),
	AS(mremap, MREMAP),
#ifdef SYS_epoll_pwait2
	AS_FD(epoll_pwait2, EPOLL_PWAIT2),
#endif
#ifdef __x86_64__ /* what younger architectures do without */
	PASS(vfork), PASS(time), PASS(getpgrp),
	AS(open, OPEN), AS(creat, CREAT), AS(stat, STAT), AS(lstat, LSTAT), AS(access, ACCESS),
	AS_FD(epoll_wait, EPOLL_WAIT), AS(poll, POLL), AS(select, SELECT), AS(pause, PAUSE),
#endif
};
/* clang-format on */
#undef AS
#undef AS_FD
#undef PASS

/* The program's own pointer, out of the register that it came in. */
static void *pointer(long bits)
{
	return (void *)(uintptr_t)bits;
}

long gt_six_real(const struct gt_six *s)
{
	return GT_REAL(syscall)(s->number, s->a, s->b, s->c, s->d, s->e, s->f);
}

/* What follows for the descriptors that are known to be sockets. */
static void note(const struct gt_six *s, long r)
{
	switch (s->number) {
	case SYS_close:
		gt_socket_note((int)s->a, false);
		break;
	case SYS_close_range:
		if (r == 0) {
			gt_socket_close_range((unsigned)s->a, (unsigned)s->b);
		}
		break;
	case SYS_socket:
	case SYS_accept:
	case SYS_accept4:
		gt_socket_note((int)r, true);
		break;
	default:
		break;
	}
}

static long traced(const struct gt_six *s, void *frame)
{
	struct way way =
		(unsigned long)s->number < GT_LEN(ways) ? ways[s->number] : (struct way){0};
	enum gt_call call = way.call ? (enum gt_call)way.call : GT_CALL_SYSCALL;
	int64_t arg = way.fd ? (int)s->a : way.call ? -1 : s->number;
	struct gt_thread *t;
	long r;

	if (way.call == STRAIGHT) {
		return gt_six_real(s); /* before the pointer was there */
	}
	t = way.fd && gt_socket_is((int)s->a)
		    ? gt_call_open_as(gt_calls[call].class, call, GT_REASON_NETWORK, arg, frame)
		    : gt_call_open_any(call, arg, frame);
	r = gt_six_real(s);
	gt_call_close(t, gt_result(r));
	note(s, r);
	return r;
}

/* A process with a copy of our memory, which comes back here: the child forgets the trace. */
static long forked(const struct gt_six *s)
{
	long r = gt_six_real(s);

	if (r == 0) {
		gt_root_in_child();
	}
	return r;
}

/* The environment stays as it is: what the path is relative to is not known. */
static long exec_at(const struct gt_six *s)
{
	enum gt_exec how = gt_exec_begin(NULL);
	long r = gt_six_real(s);

	gt_exec_failed(how);
	return r;
}

static long yield(const struct gt_six *s, void *frame)
{
	struct gt_thread *t = gt_self_to_call(GT_CLASS_SLEEP, GT_CALL_SCHED_YIELD, frame);
	long r;

	if (t) {
		gt_yield_begin(t);
	}
	r = gt_six_real(s);
	if (t) {
		gt_yield_end(t, frame);
	}
	return r;
}

static long seccomp(const struct gt_six *s, void *frame)
{
	long r;

	gt_rights_before_seccomp((unsigned)s->a, (unsigned)s->b, pointer(s->c));
	r = traced(s, frame);
	gt_rights_after_seccomp((unsigned)s->a, r);
	return r;
}

/* To a thread: to this one? */
static long signalled(const struct gt_six *s, pid_t tid, int number, void *frame)
{
	if (number && gt_trace_mine() && tid == gt_sys_tid()) {
		gt_root_before_signal(number);
	}
	return traced(s, frame);
}

/* All numbers but the straight ones. Only reads what the program may not have given. */
__attribute__((used)) static long looked_at(long number, ...)
{
	struct gt_six s = {.number = number};
	va_list list;

	va_start(list, number);
	s.a = va_arg(list, long);
	s.b = va_arg(list, long);
	s.c = va_arg(list, long);
	s.d = va_arg(list, long);
	s.e = va_arg(list, long);
	s.f = va_arg(list, long);
	va_end(list);
	if (gt_futex_is(number)) {
		return gt_futex(&s, GT_FRAME());
	}
	switch (number) {
	case SYS_sched_yield:
		return yield(&s, GT_FRAME());
	case SYS_exit_group:
		gt_root_finish();
		return gt_six_real(&s);
	case SYS_clone:
#ifdef SYS_fork
	case SYS_fork:
#endif
		return forked(&s);
	case SYS_seccomp:
		return seccomp(&s, GT_FRAME());
	case SYS_execveat:
		return exec_at(&s);
	/* Those of libc do the same, and are no cancellation points. */
	case SYS_execve:
		return gt_hook_execve(pointer(s.a), pointer(s.b), pointer(s.c));
	case SYS_prctl:
		return gt_hook_prctl((int)s.a, s.b, s.c, s.d, s.e);
	case SYS_unshare:
		return gt_hook_unshare((int)s.a);
	case SYS_setns:
		return gt_hook_setns((int)s.a, (int)s.b);
	case SYS_chroot:
		return gt_hook_chroot(pointer(s.a));
	case SYS_setrlimit:
		return gt_hook_setrlimit((__rlimit_resource_t)s.a, pointer(s.b));
	case SYS_prlimit64:
		return gt_hook_prlimit64((pid_t)s.a, (enum __rlimit_resource)s.b, pointer(s.c),
					 pointer(s.d));
	case SYS_capset:
		return gt_hook_capset(pointer(s.a), pointer(s.b));
	case SYS_kill:
		return gt_hook_kill((pid_t)s.a, (int)s.b);
	case SYS_tgkill:
		return signalled(&s, (pid_t)s.b, (int)s.c, GT_FRAME());
	case SYS_tkill:
		return signalled(&s, (pid_t)s.a, (int)s.b, GT_FRAME());
	default:
		return traced(&s, GT_FRAME());
	}
}

#ifdef __x86_64__
/*
 * In assembly, because no compiler promises to leave the stack alone: the seventh argument lies in
 * the frame of a caller that has perhaps not given it, and is to be neither moved nor written.
 */
__attribute__((used)) static __typeof__(syscall) **const real = &gt_real.syscall;

__attribute__((naked)) long gt_hook_syscall(GT_UNUSED long number, ...)
{
	__asm__("cmpq $512, %rdi\n\t"
		"jae looked_at\n\t"
		"leaq ways(%rip), %rax\n\t"
		"movzbl (%rax,%rdi,2), %eax\n\t"
		"cmpl $254, %eax\n\t"
		"jb looked_at\n\t"
		"ja 1f\n\t"
		/* A clone: with our memory, or with a stack of its own? */
		"testl $0x100, %esi\n\t"
		"jnz 1f\n\t"
		"testq %rdx, %rdx\n\t"
		"jz looked_at\n\t"
		"1: movq real(%rip), %rax\n\t"
		"movq (%rax), %r11\n\t"
		/* Not resolved yet: too early for anything that returns twice. */
		"testq %r11, %r11\n\t"
		"jz looked_at\n\t"
		/* No vector registers are given. */
		"xorl %eax, %eax\n\t"
		"jmp *%r11");
}
_Static_assert(GT_LEN(ways) == 512 && sizeof(ways[0]) == 2 && STRAIGHT == 255 && CLONE == 254 &&
		       CLONE_VM == 0x100,
	       "as above");
_Static_assert(GT_CALL_END <= CLONE, "calls have numbers of their own");
#else
#error "syscall() is written for x86-64"
#endif

#define GT_EXPORT_syscall(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
