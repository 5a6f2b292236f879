/*
 * Seccomp: what a program that restricts its own system calls leaves to us.
 *
 * A filter is a small program, and we are handed it as the kernel is: so it is asked, for each
 * system call that we make, what it would do. If it kills nothing of ours that its threads make,
 * and somebody is still allowed to write the file, recording goes on. Else the trace is finished
 * before the filter is in force, and after it no call is made that the program did not make itself.
 *
 * The advancer is a thread of its own: a filter without TSYNC is not its affair.
 */
#include "seccomp.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "advancer.h"
#include "budget.h"
#include "fence.h"
#include "hook.h"
#include "root.h"

#include "base/sys.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* --- The calls that we make ------------------------------------------------------------------- */

/*
 * Who makes it: any thread of the program in a hook; whoever writes the file (the advancer, where
 * there is one); whoever starts the advancer, and itself as it begins; a trace that starts. FENCE:
 * who advances, and does without it where it must (fence.h).
 */
enum maker { THREAD, WRITER, ADVANCER, START, FENCE, MAKERS };

/* A pointer and a descriptor: no filter can look behind the one or know the other. */
#define P  0x7f0000001000u
#define FD 5

static const struct call {
	uint64_t args[6];
	uint16_t number;
	uint8_t maker;
} calls[] = {
#define CALL(maker, name, ...)                   \
	{                                        \
		{__VA_ARGS__}, SYS_##name, maker \
	}
	CALL(THREAD, futex, P, FUTEX_WAIT_PRIVATE, 1, P),
	CALL(THREAD, futex, P, FUTEX_WAKE_PRIVATE, 1),
	CALL(THREAD, madvise, P, 1 << 18, MADV_POPULATE_WRITE),
	CALL(THREAD, sched_yield, 0),
	CALL(THREAD, nanosleep, P, P),
	CALL(THREAD, getpid, 0),
	CALL(THREAD, gettid, 0),
	CALL(THREAD, rt_sigprocmask, SIG_BLOCK, P, P, 8),
	CALL(THREAD, rt_sigprocmask, SIG_SETMASK, P, 0, 8),
	CALL(THREAD, sigaltstack, 0, P),
	CALL(THREAD, clock_gettime, CLOCK_MONOTONIC, P),
	CALL(THREAD, clock_gettime, CLOCK_THREAD_CPUTIME_ID, P),
	CALL(WRITER, openat, (uint64_t)AT_FDCWD, P, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC),
	CALL(WRITER, openat, (uint64_t)AT_FDCWD, P, O_RDONLY | O_CLOEXEC),
	CALL(WRITER, newfstatat, FD, P, P, AT_EMPTY_PATH),
	CALL(WRITER, pread64, FD, P, 64, 0),
	CALL(WRITER, mmap, 0, 1 << 16, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, FD, 0),
	CALL(WRITER, munmap, P, 1 << 16),
	CALL(WRITER, writev, FD, P, 4),
	CALL(WRITER, ftruncate, FD, 1 << 16),
	CALL(WRITER, madvise, P, 1 << 15, MADV_REMOVE),
	CALL(WRITER, close, FD),
	CALL(WRITER, clock_gettime, CLOCK_REALTIME, P),
	CALL(WRITER, clock_gettime, CLOCK_PROCESS_CPUTIME_ID, P),
	CALL(WRITER, sched_getaffinity, 100, 1024, P),
	CALL(WRITER, unlinkat, (uint64_t)AT_FDCWD, P, 0),
	CALL(ADVANCER, mmap, 0, 1 << 18, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	     (uint64_t)-1, 0),
	CALL(ADVANCER, clone,
	     CLONE_VM | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS,
	     P, 0, 0, P),
	CALL(ADVANCER, close_range, 0, ~0u, CLOSE_RANGE_UNSHARE),
	CALL(ADVANCER, sched_setscheduler, 0, SCHED_OTHER, P),
	CALL(ADVANCER, openat, (uint64_t)AT_FDCWD, P, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	CALL(ADVANCER, read, FD, P, 1024),
	CALL(ADVANCER, exit, 0),
	CALL(FENCE, membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED),
	CALL(START, membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED),
	CALL(START, prlimit64, 0, 9, 0, P),
	CALL(START, openat, (uint64_t)AT_FDCWD, P, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
	CALL(START, openat, (uint64_t)AT_FDCWD, P, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644),
	CALL(START, openat, (uint64_t)AT_FDCWD, P, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600),
	CALL(START, openat, (uint64_t)AT_FDCWD, P, O_RDWR | O_TMPFILE | O_CLOEXEC, 0644),
	CALL(START, linkat, (uint64_t)AT_FDCWD, P, (uint64_t)AT_FDCWD, P, AT_SYMLINK_FOLLOW),
	CALL(START, ftruncate, FD, 1 << 30),
	CALL(START, mmap, 0, 1 << 30, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, FD, 0),
	CALL(START, madvise, P, GT_PAGE, MADV_WIPEONFORK),
	CALL(START, madvise, P, 1 << 30, MADV_DONTFORK),
	CALL(START, madvise, P, 1 << 30, MADV_DONTDUMP),
	CALL(START, madvise, P, 1 << 30, MADV_RANDOM),
	CALL(START, lseek, FD, 1 << 16, SEEK_SET),
	CALL(START, writev, FD, P, 1),
	CALL(START, close, FD),
	CALL(START, unlinkat, (uint64_t)AT_FDCWD, P, 0),
	CALL(START, getcwd, P, 1024),
#undef CALL
};

/* --- What a filter says ----------------------------------------------------------------------- */

/*
 * Runs a filter on one call, as the kernel does (net/core/filter.c; seccomp allows the instructions
 * below and no other). Jumps only lead forward, so it ends.
 */
static uint32_t ask(const struct sock_filter *f, unsigned n, const struct seccomp_data *data)
{
	uint32_t m[BPF_MEMWORDS] = {0};
	uint32_t a = 0;
	uint32_t x = 0;

	for (uint64_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &f[pc];
		uint32_t v = BPF_SRC(i->code) == BPF_X ? x : i->k;
		bool yes = false;

		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
		case BPF_LDX:
			switch (BPF_MODE(i->code)) {
			case BPF_IMM:
				v = i->k;
				break;
			case BPF_MEM:
				v = m[i->k % BPF_MEMWORDS];
				break;
			case BPF_LEN:
				v = sizeof(*data);
				break;
			case BPF_ABS:
				if (i->k % 4 || i->k > sizeof(*data) - 4) {
					return SECCOMP_RET_KILL_PROCESS;
				}
				/* Half of a 64-bit argument may be asked for: no word of its own.
				 */
				memcpy(&v, (const char *)data + i->k, sizeof(v));
				break;
			default:
				return SECCOMP_RET_KILL_PROCESS;
			}
			*(BPF_CLASS(i->code) == BPF_LD ? &a : &x) = v;
			break;
		case BPF_ST:
			m[i->k % BPF_MEMWORDS] = a;
			break;
		case BPF_STX:
			m[i->k % BPF_MEMWORDS] = x;
			break;
		case BPF_MISC:
			*(BPF_MISCOP(i->code) == BPF_TAX ? &x : &a) =
				BPF_MISCOP(i->code) == BPF_TAX ? a : x;
			break;
		case BPF_ALU:
			switch (BPF_OP(i->code)) {
			case BPF_ADD:
				a += v;
				break;
			case BPF_SUB:
				a -= v;
				break;
			case BPF_MUL:
				a *= v;
				break;
			case BPF_DIV:
				if (v == 0) {
					return SECCOMP_RET_KILL_THREAD;
				}
				a /= v;
				break;
			case BPF_AND:
				a &= v;
				break;
			case BPF_OR:
				a |= v;
				break;
			case BPF_XOR:
				a ^= v;
				break;
			case BPF_LSH:
				a <<= v & 31;
				break;
			case BPF_RSH:
				a >>= v & 31;
				break;
			case BPF_NEG:
				a = -a;
				break;
			default:
				return SECCOMP_RET_KILL_PROCESS;
			}
			break;
		case BPF_JMP:
			switch (BPF_OP(i->code)) {
			case BPF_JA:
				pc += i->k;
				continue;
			case BPF_JEQ:
				yes = a == v;
				break;
			case BPF_JGT:
				yes = a > v;
				break;
			case BPF_JGE:
				yes = a >= v;
				break;
			case BPF_JSET:
				yes = a & v;
				break;
			default:
				return SECCOMP_RET_KILL_PROCESS;
			}
			pc += yes ? i->jt : i->jf;
			break;
		default: /* BPF_RET */
			return (BPF_RVAL(i->code) == BPF_A ? a : i->k) & SECCOMP_RET_ACTION_FULL;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

/* What a filter does to the worst treated of a maker's calls. */
enum mercy { ALLOWS, REFUSES, KILLS };

static enum mercy mercy_on(enum maker maker, const struct sock_filter *f, unsigned n)
{
	enum mercy worst = ALLOWS;

	for (size_t i = 0; i < GT_LEN(calls) && worst != KILLS; i++) {
		struct seccomp_data data = {.nr = calls[i].number, .arch = ARCH};

		if (calls[i].maker != maker) {
			continue;
		}
		/* Any address in our code: no filter that is known looks at it. */
		data.instruction_pointer = (uintptr_t)ask;
		for (int j = 0; j < 6; j++) {
			data.args[j] = calls[i].args[j];
		}
		switch (ask(f, n, &data)) {
		case SECCOMP_RET_ALLOW:
		case SECCOMP_RET_LOG:
			break;
		case SECCOMP_RET_ERRNO:
			worst = REFUSES;
			break;
		default: /* kills, raises SIGSYS, asks somebody else */
			worst = KILLS;
			break;
		}
	}
	return worst;
}

/* --- What follows from it --------------------------------------------------------------------- */

static bool on;

bool gt_seccomp_on(void)
{
	return on;
}

void gt_seccomp_done(void)
{
	on = true;
	if (gt_trace_mine()) {
		gt_about(GT_ABOUT_SECCOMP, 1);
	}
}

static void finish(void)
{
	/* Also where the trace has ended before, and a look has not: it may read a clock. */
	gt_budget_free_stop();
	if (gt_trace_mine()) {
		gt_say("the program forbids itself system calls that a trace needs, which ends "
		       "here",
		       "", 0);
		gt_trace_ends(GT_BROKEN_SECCOMP);
		gt_root_finish();
		gt_advancer_await_end();
	}
	gt_root_leave();
}

void gt_seccomp_before_strict(void)
{
	/* It forbids the clock's counter as well. Also in a child that we have not seen begin. */
	gt_budget_free_stop();
	if (gt_root_here()) {
		finish();
	}
}

static void decide(const struct sock_filter *f, unsigned n, bool all_threads)
{
	enum mercy mercy[MAKERS];
	bool mine = gt_trace_mine();
	bool advancer = mine && gt_advancer_there() && !all_threads;

	for (unsigned i = 0; i < MAKERS; i++) {
		mercy[i] = mercy_on(i, f, n);
	}
	if (mercy[THREAD] == KILLS || (!advancer && mercy[WRITER] != ALLOWS) ||
	    (all_threads && mine && gt_advancer_there() && mercy[ADVANCER] == KILLS)) {
		finish();
		return;
	}
	if (mercy[WRITER] == KILLS) {
		/* Of this thread's messages; the advancer's are not concerned. */
		gt_say_nothing();
	}
	if (mine && mercy[ADVANCER] == KILLS) {
		gt_advancer_forbid();
	}
	if (mercy[START] == KILLS || mercy[WRITER] == KILLS) {
		gt_root_unfollow();
	}
	if (mercy[FENCE] != ALLOWS) {
		gt_fence_forbid();
	}
}

void gt_seccomp_before_filter(const void *program, bool all_threads)
{
	const struct sock_fprog *prog = program;

	/* Not readable for the kernel either: a question whether filters are known at all. */
	if (gt_root_here() && gt_root_readable(prog, sizeof(*prog)) && prog->len > 0 &&
	    prog->len <= BPF_MAXINSNS &&
	    gt_root_readable(prog->filter, prog->len * sizeof(*prog->filter))) {
		decide(prog->filter, prog->len, all_threads);
	}
}
