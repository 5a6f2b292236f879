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
 * closed nor inherited by the program.
 */
#include "advancer.h"

#include <errno.h>
#include <linux/close_range.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "advance.h"
#include "emit.h"
#include "shm.h"
#include "symbol.h"
#include "wait.h"

enum {
	STACK = 256 << 10, /* symbol tables are sorted on it */
	TLS = 64 << 10,    /* blank thread-local storage below the thread block */
	TCB = 4 << 10,
};

/* Values of gt_trace.advancer. */
enum { NONE, STARTING, RUNNING, ASKED, ENDED };

/* True where the descriptor table is its own. */
static bool leave_descriptors(void)
{
	return gt_syscall6(SYS_close_range, 0, ~0u, CLOSE_RANGE_UNSHARE, 0, 0, 0) == 0;
}

/* Whether the generation should end before its time, because it holds much memory. */
static bool crowded(void)
{
	return gt_load_relaxed(&gt_trace->dead) >= GT_DEAD_BURST ||
	       (gt_load_relaxed(&gt_trace->brk) > gt_trace->bytes / 4 * 3 &&
		gt_load_relaxed(&gt_trace->free_bufs_count) < GT_BUF_BURST);
}

static uint64_t now(void)
{
	return gt_clock_now(&gt_trace->clock[gt_load_relaxed(&gt_trace->head.gen) & 1]);
}

/* The name of the G: "runtime." makes it a system goroutine in Go's tools. */
static void advancer_main(struct gt_thread *self)
{
	const struct gt_wait_for period = {.reason = GT_REASON_SYSTEM};
	bool own_files = leave_descriptors();
	uint32_t expected = STARTING;
	uint64_t due;

	gt_tls.busy = 1;
	gt_thread_start(self, true);
	due = now() + gt_env.period;
	gt_cas_acq_rel(&gt_trace->advancer, &expected, RUNNING);
	while (gt_load_acquire(&gt_trace->advancer) == RUNNING &&
	       !gt_load_relaxed(&gt_trace->broken)) {
		uint32_t nudge = gt_load_acquire(&gt_trace->nudge);
		uint64_t left = due > now() ? due - now() : 0;

		if (left && !crowded() &&
		    gt_load_relaxed(&gt_trace->full_count[0]) < GT_BUF_BURST &&
		    gt_load_relaxed(&gt_trace->full_count[1]) < GT_BUF_BURST) {
			uint32_t wait = gt_wait_begin(self, &period);

			/* The word is checked again: finish stores its state before it bumps nudge.
			 */
			if (gt_load_acquire(&gt_trace->advancer) == RUNNING) {
				gt_sys_futex_wait(&gt_trace->nudge, nudge, left);
			}
			gt_wait_end(self, wait, GT_ENDED_TIMEOUT, 0);
		}
		if (gt_load_acquire(&gt_trace->advancer) != RUNNING) {
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
	gt_advance(NULL, true, own_files);
	gt_store_release(&gt_trace->advancer, ENDED);
	gt_sys_futex_wake(&gt_trace->advancer, 1 << 30);
	gt_sys_exit_thread();
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

	if (state == NONE) {
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
	char *memory;
	char *tcb;
	void *p;
	long r;

	if (gt_load_relaxed(&gt_trace->advancer) != NONE ||
	    !gt_cas_acq_rel(&gt_trace->advancer, &none, STARTING)) {
		return;
	}
	t = gt_thread_new((uintptr_t)advancer_main);
	r = t ? gt_sys_map(&p, STACK + TLS + TCB) : -ENOMEM;
	if (r < 0) {
		gt_store_release(&gt_trace->advancer, NONE);
		return;
	}
	t->is_advancer = 1;
	gt_symbol_name_entry((uintptr_t)advancer_main, "runtime.gtraceAdvancer");
	gt_thread_register(t);
	entry[0] = t->root.entry;
	w = gt_acquire(creator);
	t->born_gen = w.gen;
	gt_store_relaxed(&t->traced[w.parity], w.gen);
	gt_event(&w, GO_CREATE, gt_g(gt_thread_id(t)), gt_stack_put(&w, entry, 1), gt_stack(0));
	gt_set_state(&w, t, GT_GO_RUNNABLE, 0, 0);
	gt_release(&w);

	memory = p;
	tcb = memory + STACK + TLS;
	/* The words of the thread block that compiled code may read: itself, twice, and its guards.
	 */
	memcpy(tcb, (const void *)thread_pointer(), 64);
	memcpy(tcb, (const void *)&tcb, sizeof(void *));
	memcpy(tcb + 16, (const void *)&tcb, sizeof(void *));
	gt_sys_block_signals(~UINT64_C(0), &signals);
	r = clone_on(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			     CLONE_SYSVSEM | CLONE_SETTLS,
		     memory + STACK, tcb, advancer_main, t);
	gt_sys_restore_signals(signals);
	if (r < 0) {
		/* No thread to be had: generations are advanced by the program's own events. */
		gt_say("starting the background thread", "", (int)-r);
		gt_store_release(&gt_trace->advancer, NONE);
	}
}
