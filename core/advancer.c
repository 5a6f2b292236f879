/*
 * The advancer thread.
 *
 * It is made by a raw clone and not by pthread_create, so that the program cannot tell: the last
 * pthread to end still ends the process, pthread_create's own fast paths and limits see nothing,
 * and no signal is ever delivered to it (all are blocked). It has no libc thread state: its fs
 * points to a blank block of its own, and it calls nothing of libc that would look there.
 *
 * It leaves the descriptor table of the process (close_range with CLOSE_RANGE_UNSHARE: both in one
 * step), so the program's files are not kept open by it, and its own output file can be neither
 * closed nor inherited by the program. Its root and working directory are its own as well: after a
 * chroot of the program, the trace is still where it was.
 *
 * It can be made to leave, where a thread more would be noticed (unshare, setns, the limit on
 * processes), and be started again.
 */
#include "advancer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "advance.h"
#include "emit.h"
#include "loaded.h"
#include "shm.h"
#include "stack_id.h"
#include "symbol.h"
#include "wait.h"
#include "writer.h"

enum {
	STACK = 256 << 10, /* symbol tables are sorted on it */
	TCB = 4 << 10,
	SECOND = 1000000000,
};

/* Values of gt_trace.advancer. ASKED: to finish the trace; LEAVING: to end and leave it to others.
 */
enum { NONE, STARTING, RUNNING, ASKED, ENDED, FAILED, LEAVING };

/* Its stack and thread block, kept for the next one. Under the STARTING state. */
static char *memory;

/* True where the descriptor table is its own. */
static bool leave_descriptors(void)
{
	return gt_syscall6(SYS_close_range, 0, ~0u, CLOSE_RANGE_UNSHARE, 0, 0, 0) == 0;
}

/* Whether the generation should end before its time, because it holds much memory. */
static bool crowded(void)
{
	return gt_load_relaxed(&gt_trace->dead) >= GT_DEAD_BURST ||
	       (gt_load_relaxed(&gt_trace->brk) > gt_load_relaxed(&gt_trace->bytes) / 2 &&
		gt_load_relaxed(&gt_trace->free_bufs_count) < GT_BUF_BURST);
}

/*
 * Whether the program's last thread has ended without ending the process (all by the raw system
 * call): this thread alone would keep it alive. A folder has two links more than it has folders.
 * *code: the exit status of the first thread, which is the process's unless another came last.
 */
static bool alone(int *code)
{
	char text[1024];
	struct stat st;
	int fd = gt_sys_open("/proc/self/task", O_RDONLY | O_DIRECTORY, 0);
	int r = fd < 0 ? fd : gt_sys_fstat(fd, &st);
	char *state;

	gt_sys_close(fd);
	if (r < 0 || st.st_nlink > 2 + 2) {
		return false;
	}
	/* This thread and the first one, which stays as a zombie until the process ends. */
	fd = gt_sys_open("/proc/self/stat", O_RDONLY, 0);
	r = fd < 0 ? fd : (int)gt_sys_read(fd, text, sizeof(text) - 1);
	gt_sys_close(fd);
	if (r <= 0) {
		return false;
	}
	text[r] = 0;
	state = strrchr(text, ')');
	if (!state || state[1] != ' ' || state[2] != 'Z') {
		return false;
	}
	/* The last field of all: as waitpid gives it. */
	*code = 0;
	for (char *p = strrchr(text, ' '); p && p[1] >= '0' && p[1] <= '9'; p++) {
		*code = *code * 10 + (p[1] - '0');
	}
	*code = *code >> 8 & 0xff;
	return true;
}

/* Becomes who the program has become; groups first, while that is still allowed. */
static void follow(void)
{
	const uint32_t *u = gt_trace->follow_uid;
	const uint32_t *g = gt_trace->follow_gid;
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};

	gt_syscall6(SYS_setgroups, 0, 0, 0, 0, 0, 0);
	gt_syscall6(SYS_setresgid, g[0], g[1], g[2], 0, 0, 0);
	gt_syscall6(SYS_setresuid, u[0], u[1], u[2], 0, 0, 0);
	gt_syscall6(SYS_capset, (long)&header, (long)gt_trace->follow_caps, 0, 0, 0, 0);
	gt_store_release(&gt_trace->follow, 0);
	gt_sys_futex_wake(&gt_trace->follow, 1);
}

void gt_advancer_follow(void)
{
	uint64_t until = gt_clock_monotonic() + SECOND;
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	uint32_t *u = gt_trace->follow_uid;
	uint32_t *g = gt_trace->follow_gid;

	if (gt_load_relaxed(&gt_trace->advancer) != RUNNING) {
		return;
	}
	gt_syscall6(SYS_getresuid, (long)&u[0], (long)&u[1], (long)&u[2], 0, 0, 0);
	gt_syscall6(SYS_getresgid, (long)&g[0], (long)&g[1], (long)&g[2], 0, 0, 0);
	gt_syscall6(SYS_capget, (long)&header, (long)gt_trace->follow_caps, 0, 0, 0, 0);
	gt_store_release(&gt_trace->follow, 1);
	gt_advancer_nudge();
	while (gt_load_acquire(&gt_trace->follow) && gt_clock_monotonic() < until) {
		gt_sys_futex_wait(&gt_trace->follow, 1, 10000000);
	}
}

static uint64_t now(void)
{
	return gt_clock_now(&gt_trace->clock[gt_load_relaxed(&gt_trace->head.gen) & 1]);
}

/* Sleeps until it is nudged, ns at most; the overhead governor's steps go on meanwhile. */
static void sleep_in_steps(uint32_t nudge, uint64_t ns)
{
	uint64_t until = now() + ns;
	int r;

	do {
		uint64_t at = now();
		uint64_t left = until > at ? until - at : 0;
		uint64_t step = gt_budget_next(left);

		r = gt_sys_futex_wait(&gt_trace->nudge, nudge, step);
		gt_budget_step();
		if (step == left) {
			return;
		}
	} while (r == -ETIMEDOUT);
}

/* The name of the G: "runtime." makes it a system goroutine in Go's tools. */
static void advancer_main(struct gt_thread *self)
{
	const struct gt_wait_for period = {.reason = GT_REASON_SYSTEM};
	bool own_files = leave_descriptors();
	uint32_t expected = STARTING;
	uint32_t state;
	bool left_alone = false;
	int code = 0;
	uint64_t due;

	gt_tls.busy = 1;
	gt_tls.advancer = true;
	gt_about(GT_ABOUT_OWN_DESCRIPTORS, own_files);
	gt_sys_sched_other();
	gt_thread_start(self, true);
	/* Opened now, while the program may still open it: see chroot, setuid and their like. */
	gt_lock_take(&gt_trace->x_advance);
	gt_writer_begin(own_files);
	gt_writer_end();
	gt_spool_keep_maps();
	gt_lock_drop(&gt_trace->x_advance);
	due = now() + gt_env.period;
	/* Release: partner is gt_advancer_stop. */
	gt_store_release(&gt_trace->advancer_tid, (uint32_t)gt_sys_tid());
	gt_cas_acq_rel(&gt_trace->advancer, &expected, RUNNING);
	while (gt_load_acquire(&gt_trace->advancer) == RUNNING &&
	       !gt_load_relaxed(&gt_trace->broken)) {
		uint32_t nudge = gt_load_acquire(&gt_trace->nudge);
		uint64_t left = due > now() ? due - now() : 0;

		gt_budget_step();
		if (left && !crowded() &&
		    gt_load_relaxed(&gt_trace->full_count[0]) < GT_BUF_BURST &&
		    gt_load_relaxed(&gt_trace->full_count[1]) < GT_BUF_BURST) {
			uint32_t wait = gt_wait_begin(self, &period);

			/* The word is checked again: finish stores its state before it bumps nudge.
			 */
			if (gt_load_acquire(&gt_trace->advancer) == RUNNING) {
				sleep_in_steps(nudge, left);
			}
			gt_wait_end(self, wait, GT_ENDED_TIMEOUT, 0);
		}
		if (gt_load_acquire(&gt_trace->advancer) != RUNNING) {
			break;
		}
		if (gt_unlikely(gt_load_acquire(&gt_trace->follow))) {
			follow();
		}
		if (alone(&code)) {
			left_alone = true;
			break;
		}
		if (now() >= due || crowded()) {
			gt_advance(self, false, own_files);
			due = now() + gt_env.period;
		} else {
			gt_advance_stream(own_files);
		}
	}
	gt_thread_end(self);
	state = gt_load_acquire(&gt_trace->advancer);
	/*
	 * Asked to leave (and perhaps given up by who asked). Whoever writes next opens the file
	 * anew; a descriptor of ours would mean nothing there.
	 */
	if (state == LEAVING || state == FAILED) {
		gt_lock_take(&gt_trace->x_advance);
		gt_writer_close();
		gt_lock_drop(&gt_trace->x_advance);
		gt_sys_exit_thread(0);
	}
	gt_advance(NULL, true, own_files);
	/* Here rather than by whoever asked: it may have another root by now. */
	gt_trace_tidy();
	gt_store_release(&gt_trace->advancer, ENDED);
	gt_sys_futex_wake(&gt_trace->advancer, 1 << 30);
	gt_sys_exit_thread(left_alone ? code : 0);
}

void gt_advancer_nudge(void)
{
	gt_add_acq_rel(&gt_trace->nudge, 1);
	gt_sys_futex_wake(&gt_trace->nudge, 1);
}

bool gt_advancer_finish(uint64_t ns)
{
	uint32_t state = gt_load_acquire(&gt_trace->advancer);
	uint64_t until = gt_clock_monotonic() + ns;

	/* Somebody is just making it leave. */
	while (state == LEAVING && gt_clock_monotonic() < until) {
		gt_sys_sleep(100000);
		state = gt_load_acquire(&gt_trace->advancer);
	}
	if (state == NONE || state == FAILED || state == LEAVING) {
		return false;
	}
	while (state < ASKED && !gt_cas_acq_rel(&gt_trace->advancer, &state, ASKED)) {
	}
	gt_advancer_nudge();
	while ((state = gt_load_acquire(&gt_trace->advancer)) != ENDED) {
		uint64_t t = gt_clock_monotonic();

		if (t >= until) {
			return false;
		}
		gt_sys_futex_wait(&gt_trace->advancer, state, until - t);
	}
	return true;
}

/* Whether that thread of this process is there, its end included. */
static bool exists(uint32_t tid)
{
	return gt_syscall6(SYS_tgkill, (long)gt_trace->head.pid, tid, 0, 0, 0, 0) != -ESRCH;
}

/* Waits for it to be gone, at most a second. False: it is still there. */
static bool await_gone(void)
{
	uint64_t until = gt_clock_monotonic() + SECOND;
	uint32_t tid = gt_load_acquire(&gt_trace->advancer_tid);

	while (tid && exists(tid)) {
		if (gt_clock_monotonic() > until) {
			return false;
		}
		gt_sys_sleep(20000);
	}
	return true;
}

void gt_advancer_await_end(void)
{
	await_gone();
}

void gt_advancer_await(void)
{
	uint64_t until = gt_clock_monotonic() + SECOND;

	while (gt_load_acquire(&gt_trace->advancer) == STARTING && gt_clock_monotonic() < until) {
		gt_sys_yield();
	}
}

bool gt_advancer_stop(bool for_good)
{
	uint64_t until = gt_clock_monotonic() + SECOND;
	uint32_t state = RUNNING;
	uint64_t signals = 0;
	bool gone;

	/* One that is starting runs within microseconds. */
	while (!gt_cas_acq_rel(&gt_trace->advancer, &state, LEAVING)) {
		if (state != STARTING || gt_clock_monotonic() > until) {
			return false;
		}
		gt_sys_yield();
		state = RUNNING;
	}
	/* A handler that never came back would leave it LEAVING for ever. */
	gt_sys_block_signals(~UINT64_C(0), &signals);
	gt_advancer_nudge();
	/* Not its own word that it goes, but the kernel's that it has gone: that is what counts. */
	gone = await_gone();
	/* One that a slow disk holds up goes later, and its stack is no other's. */
	gt_store_release(&gt_trace->advancer, for_good || !gone ? FAILED : NONE);
	gt_sys_restore_signals(signals);
	return gone;
}

/*
 * clone(2) on a new stack: the child calls fn(arg) and never returns. Written in assembly because
 * the child runs on another stack between two instructions. Returns the tid or -errno.
 */
#if defined(__x86_64__)
__attribute__((naked, noinline)) static long clone_on(GT_UNUSED long flags, GT_UNUSED void *stack,
						      GT_UNUSED void *tls,
						      GT_UNUSED void (*fn)(struct gt_thread *),
						      GT_UNUSED struct gt_thread *arg)
{
	/* flags rdi, stack rsi, tls rdx, fn rcx, arg r8 -> clone(flags, stack, ptid, ctid, tls) */
	__asm__ volatile("mov %%rcx, %%r9\n\t"
			 "mov %%r8, %%r11\n\t"
			 "mov %%r11, -8(%%rsi)\n\t"
			 "mov %%r9, -16(%%rsi)\n\t"
			 "sub $16, %%rsi\n\t"
			 "mov %%rdx, %%r8\n\t"
			 "xor %%edx, %%edx\n\t"
			 "xor %%r10d, %%r10d\n\t"
			 "mov %0, %%eax\n\t"
			 "syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "pop %%rax\n\t"
			 "pop %%rdi\n\t"
			 "and $-16, %%rsp\n\t"
			 "call *%%rax\n\t"
			 "ud2\n"
			 "1:\n\t"
			 "ret"
			 :
			 : "i"(SYS_clone)
			 : "memory");
}

static uintptr_t thread_pointer(void)
{
	uintptr_t p;

	__asm__("mov %%fs:0, %0" : "=r"(p));
	return p;
}
#endif

void gt_advancer_start(struct gt_thread *creator)
{
	uint32_t none = NONE;
	uint64_t signals;
	struct gt_thread *t;
	struct gt_w w;
	uint64_t entry[1];
	char *tcb;
	size_t tls;
	void *p;
	long r = 0;

	if (gt_load_relaxed(&gt_trace->advancer) != NONE ||
	    !gt_cas_acq_rel(&gt_trace->advancer, &none, STARTING)) {
		return;
	}
	/*
	 * Blank thread-local storage below the thread block, down to ours: what lies between
	 * belongs to the program and its libraries, and can be large.
	 */
	tls = GT_ROUND_UP(thread_pointer() - (uintptr_t)&gt_tls + GT_PAGE, (size_t)GT_PAGE);
	t = gt_thread_new((uintptr_t)advancer_main);
	if (!memory) {
		r = gt_sys_map(&p, STACK + tls + TCB);
		memory = r < 0 ? NULL : p;
	}
	if (!t || !memory) {
		gt_about(GT_ABOUT_THREAD, 0);
		gt_store_release(&gt_trace->advancer, FAILED);
		return;
	}
	gt_thread_set_advancer(t);
	gt_symbol_name_entry((uintptr_t)advancer_main, "runtime.gtraceAdvancer");
	gt_thread_register(t);
	entry[0] = t->root.entry;
	w = gt_acquire(creator);
	gt_thread_born(&w, t);
	gt_event(&w, GO_CREATE, gt_g(gt_thread_id(t)), gt_stack_put(&w, entry, 1), gt_stack(0));
	gt_set_state(&w, t, GT_GO_RUNNABLE, 0, 0);
	gt_release(&w);

	tcb = memory + STACK + tls;
	/* The words of the thread block that compiled code may read: itself, twice, and its guards.
	 */
	memcpy(tcb, (const void *)thread_pointer(), 64);
	/* Of one before, or of a parent's before fork. */
	memset(tcb - (thread_pointer() - (uintptr_t)&gt_tls), 0, sizeof(gt_tls));
	memcpy(tcb, (const void *)&tcb, sizeof(void *));
	memcpy(tcb + 16, (const void *)&tcb, sizeof(void *));
	gt_sys_block_signals(~UINT64_C(0), &signals);
	r = GT_FAULT(SYS_clone, 0);
	if (!r) {
		r = clone_on(CLONE_VM | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
				     CLONE_SETTLS | (gt_loaded_valgrind() ? CLONE_FS : 0),
			     memory + STACK, tcb, advancer_main, t);
	}
	gt_sys_restore_signals(signals);
	gt_about(GT_ABOUT_THREAD, r >= 0);
	if (r < 0) {
		/* No thread to be had: generations are advanced by the program's own events. */
		gt_thread_create_failed(creator, t);
		gt_store_release(&gt_trace->advancer, FAILED);
	}
}

void gt_advancer_forbid(void)
{
	uint32_t none = NONE;

	gt_cas_acq_rel(&gt_trace->advancer, &none, FAILED);
}
