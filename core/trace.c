/*
 * The trace of this process: start, stop, failure.
 */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/sys.h"

#include "advance.h"
#include "advancer.h"
#include "budget.h"
#include "call.h"
#include "dump.h"
#include "emit.h"
#include "shm.h"
#include "symbol.h"
#include "unwind.h"
#include "wait.h"
#include "writer.h"

GT_OFTEN_READ struct gt_trace *gt_trace;
struct gt_env gt_env GT_ALIGNED(GT_LINE);

static struct gt_gate off;
GT_OFTEN_READ struct gt_gate *gt_gate = &off;

static uint32_t epochs = GT_EPOCH_FIRST;
/* The process whose trace this is; 0: none. Private memory, so a child reads its parent's pid. */
static uint32_t owner;
static _Atomic uint32_t stopping; /* 0, 1: somebody stops, 2: stopped */

void gt_loss_add(enum gt_loss what)
{
	gt_add_relaxed(&gt_trace->losses[what], 1);
}

void gt_about(enum gt_about what, uint64_t value)
{
	gt_store_relaxed(&gt_trace->about[what], value);
	/* Release by its order; partner is gt_dump_about. */
	gt_or_acq_rel(&gt_trace->about_said, 1u << what);
}

/* The text of the errors that one meets here; strerror allocates and looks at the locale. */
static const char *error_text(int error)
{
	switch (error) {
	case EACCES:
		return "permission denied";
	case EDQUOT:
		return "disk quota exceeded";
	case EEXIST:
		return "file exists";
	case EFBIG:
		return "file too large";
	case EIO:
		return "input/output error";
	case EISDIR:
		return "is a directory";
	case ELOOP:
		return "too many symbolic links";
	case EMFILE:
	case ENFILE:
		return "too many open files";
	case ENAMETOOLONG:
		return "file name too long";
	case ENODEV:
		return "this file system cannot map files";
	case ENOENT:
		return "no such file or directory";
	case ENOMEM:
		return "out of memory";
	case ENOSPC:
		return "no space left on the device";
	case ENOTDIR:
		return "not a directory";
	case ESTALE:
		return "somebody else has changed it";
	case EPERM:
		return "operation not permitted";
	case EROFS:
		return "read-only file system";
	default:
		return NULL;
	}
}

static size_t append(char *line, size_t n, size_t cap, const char *s)
{
	while (*s && n < cap) {
		line[n++] = *s++;
	}
	return n;
}

/* Standard error as it was when this process began: device and inode. */
static dev_t stderr_dev;
static ino_t stderr_ino;

void gt_say_init(void)
{
	struct stat st;

	if (gt_sys_fstat(2, &st) == 0) {
		stderr_dev = st.st_dev;
		stderr_ino = st.st_ino;
	}
}

static bool silent;

void gt_say_nothing(void)
{
	silent = true;
}

static bool is_stderr(int fd)
{
	struct stat st;

	return gt_sys_fstat(fd, &st) == 0 && st.st_dev == stderr_dev && st.st_ino == stderr_ino;
}

/* The signals that a write can bring are not the program's. */
static void write_quietly(int fd, const char *line, size_t n)
{
	uint64_t signals = 0;
	int r;

	gt_sys_block_signals(~UINT64_C(0), &signals);
	r = gt_sys_write_all(fd, line, n);
	if (r == -EPIPE || r == -EFBIG) {
		gt_sys_discard_signal(r == -EPIPE ? SIGPIPE : SIGXFSZ);
	}
	gt_sys_restore_signals(signals);
}

void gt_say(const char *a, const char *b, int error)
{
	char line[GT_PATH_MAX + 256];
	size_t cap = sizeof(line) - 1;
	size_t n = append(line, 0, cap, "gtrace: ");
	int fd = -1;

	if (silent && !gt_tls.advancer) {
		return;
	}
	error = error < 0 ? -error : error;
	n = append(line, n, cap, a);
	n = append(line, n, cap, b);
	if (error) {
		const char *text = error_text(error);

		n = append(line, n, cap, ": ");
		if (text) {
			n = append(line, n, cap, text);
		} else {
			char digits[12];
			char *d = digits + sizeof(digits);

			*--d = 0;
			do {
				*--d = (char)('0' + error % 10);
				error /= 10;
			} while (error);
			n = append(line, n, cap, "error ");
			n = append(line, n, cap, d);
		}
	}
	line[n++] = '\n';
	if (gt_env.log && *gt_env.log) {
		fd = gt_sys_open(gt_env.log, O_WRONLY | O_APPEND | O_CREAT, 0644);
	}
	if (fd < 0 && gt_tls.advancer) {
		fd = gt_sys_open_stderr();
		if (fd >= 0 && !is_stderr(fd)) {
			gt_sys_close(fd);
			fd = -1;
		}
	}
	/* 2 only where it is what it was at the start: the program may have put a file there. */
	if (fd >= 0) {
		write_quietly(fd, line, n);
		gt_sys_close(fd);
	} else if (!gt_tls.advancer && is_stderr(2)) {
		write_quietly(2, line, n);
	}
}

/* The page that is wiped in children; without it (Linux before 4.14) there is no tracing. */
static int make_gate(struct gt_gate **gate)
{
	void *p;
	int r = gt_sys_map(&p, GT_PAGE);

	if (r == 0) {
		r = gt_sys_madvise(p, GT_PAGE, MADV_WIPEONFORK);
		if (r < 0) {
			gt_sys_unmap(p, GT_PAGE);
		}
	}
	*gate = r == 0 ? p : NULL;
	return r;
}

/* The calling thread becomes G 1 of generation 1, running. */
static int begin(uintptr_t entry)
{
	struct gt_thread *t = gt_thread_new(entry);
	uint32_t p = gt_proc_take();

	if (!t) {
		return -ENOMEM;
	}
	gt_store_relaxed(&t->tid, (uint32_t)gt_sys_tid());
	gt_store_relaxed(&t->born_gen, 1);
	gt_store_relaxed(&t->p, p);
	gt_store_relaxed(&t->x_state, gt_state(GT_GO_RUNNING, GT_PROC_RUNNING, p));
	gt_thread_register(t);
	/* In a forked child: on the stack that its thread had in the parent. */
	t->root = gt_tls.root;
	t->root.entry = gt_tls.root.entry ? gt_tls.root.entry : entry;
	gt_tls.thread = t;
	gt_tls.epoch = gt_load_relaxed(&gt_gate->epoch);
	gt_tls.rounds = 0;
	return 0;
}

static void say_about(void)
{
	gt_about(GT_ABOUT_CLASSES, gt_env.classes);
	gt_about(GT_ABOUT_MIN, gt_env.min);
	gt_about(GT_ABOUT_DEPTH, gt_env.stacks ? gt_env.depth : 0);
	gt_about(GT_ABOUT_TSC, gt_clock_unit != 0);
	gt_about(GT_ABOUT_FIND_OBJECT, gt_unwind_lock_free());
	gt_about(GT_ABOUT_PROCESS, (uint64_t)gt_trace->head.pid);
	gt_about(GT_ABOUT_AGAIN, 1);
}

int gt_trace_start(const struct gt_env *env, const char *path, uintptr_t entry, bool old)
{
	static const struct gt_stamp zero;
	struct gt_clock_mark mark;
	struct gt_gate *gate = NULL;
	struct gt_trace *t = NULL;
	const char *what = "";
	char spool[GT_PATH_MAX];
	uint64_t cpu = env->budget ? gt_budget_cpu() : 0;
	size_t n = append(spool, 0, sizeof(spool) - 1, path);
	int r;

	n = append(spool, n, sizeof(spool) - 1, GT_SPOOL_SUFFIX);
	spool[n] = 0;
	gt_env = *env;
	gt_classes = env->classes;
	gt_clock_mark(&mark);
	r = make_gate(&gate);
	if (r < 0) {
		gt_say("cannot trace here: the kernel has no MADV_WIPEONFORK", "", r);
		return r;
	}
	r = gt_shm_map(spool, env->buffers, &t, &what);
	if (r < 0) {
		/* Another process writes a trace of this name, or died doing so: the caller's
		 * affair. */
		if (r != -EEXIST) {
			gt_say(what, spool, r);
		}
		gt_sys_unmap(gate, GT_PAGE);
		return r;
	}
	memcpy(t->spool, spool, n + 1);
	append(t->path, 0, sizeof(t->path) - 1, path);
	gt_trace = t;
	/* We hold the spool, so nobody else writes a file of this name. */
	r = gt_writer_create(path, old);
	if (r < 0) {
		if (r == -EEXIST) {
			if (old) {
				gt_say("not overwriting what is no trace: ", path, 0);
			}
			r = -ENOTEMPTY;
		} else {
			gt_say("creating ", path, r);
		}
		gt_sys_unlink(spool);
		gt_trace = NULL;
		gt_shm_unmap(t);
		gt_sys_unmap(gate, GT_PAGE);
		return r;
	}
	gt_fence_start();
	gt_clock_init(&t->clock[1], &mark);
	gt_calls_at_once = !env->budget && !env->min && gt_clock_unit;
	gt_dump_stamp(&t->stamp[1], &t->clock[1], &zero);
	gt_store_relaxed(&t->due, (t->clock[1].base_ns + gt_env.period) >> GT_TICK_SHIFT);
	for (int i = 0; i < 2; i++) {
		t->stacks[i].modest = true;
		gt_table_reset(&t->stacks[i], 1);
		gt_table_reset(&t->strings[i], GT_REASON_END);
	}
	gt_proc_reserve();
	gt_store_relaxed(&t->next_g, 1);
	t->first_gen = 1;
	gt_store_relaxed(&stopping, 0);
	gt_store_relaxed(&gt_stack_depth,
			 env->stacks ? (uint32_t)GT_MIN(env->depth, GT_STACK_MAX) : 0);
	say_about();
	gt_budget_start(env->budget, cpu);
	owner = t->head.pid;
	gt_store_relaxed(&gate->epoch, epochs++);
	gt_gate = gate;
	r = begin(entry);
	if (r < 0) {
		gt_store_relaxed(&gate->epoch, GT_EPOCH_OFF);
		owner = 0;
		return r;
	}
	/* Release by sequential consistency; partner: gt_open. */
	gt_store_seq(&t->head.gen, 1);
	return 0;
}

void gt_trace_main(struct gt_thread *t)
{
	struct gt_w w;

	gt_tls.busy++;
	w = gt_acquire(t);
	/* Every generation has one: without it, Go's /mmu page panics. */
	gt_event(&w, PROCS_CHANGE, gt_value(gt_sys_cpus((pid_t)gt_trace->head.pid)), gt_stack(0));
	gt_release(&w);
	gt_tls.busy--;
}

bool gt_trace_mine(void)
{
	return owner && owner == (uint32_t)gt_sys_pid();
}

void gt_trace_tidy(void)
{
	struct gt_trace *t = gt_trace;

	/* Once: its name may be another process's by the second time. */
	if (gt_load_acquire(&t->head.gen) != 0 || gt_exchange_acq_rel(&t->tidied, 1)) {
		return;
	}
	gt_sys_unlink(t->spool);
	/* It broke off before the first generation: no trace rather than an empty one. */
	if (gt_load_relaxed(&t->head.generations) == 0 && !gt_writer_lost()) {
		gt_sys_unlink(t->path);
	}
}

bool gt_trace_give_up_section(void)
{
	struct gt_thread *t = gt_tls.thread;

	if (!t || gt_tls.epoch != gt_load_relaxed(&gt_gate->epoch)) {
		return true;
	}
	return !gt_in_section(t) || gt_section_undo(t);
}

/* The last generation, by the advancer or, where there is none, here. False: it took too long. */
static bool finish(void)
{
	enum { SECOND = 1000000000 };

	if (gt_advancer_finish(UINT64_C(5) * SECOND)) {
		return true;
	}
	/*
	 * Without bound this could wait for ever: a handler that ends the process may have
	 * interrupted whoever holds the lock, in this very thread.
	 */
	if (!gt_lock_take_until(&gt_trace->x_advance, gt_clock_monotonic() + SECOND)) {
		return false;
	}
	gt_lock_drop(&gt_trace->x_advance);
	gt_advance(NULL, true, false);
	return true;
}

void gt_trace_stop(void)
{
	uint32_t first = 0;
	uint64_t signals = 0;

	if (!gt_trace_mine()) {
		return;
	}
	gt_tls.busy++;
	/* A signal that ends the process half way would leave a torn file. */
	gt_sys_block_signals(~UINT64_C(0), &signals);
	gt_trace_give_up_section();
	if (!gt_cas_acq_rel(&stopping, &first, 1)) {
		for (int i = 0; i < 200 && gt_load_acquire(&stopping) == 1; i++) {
			gt_sys_futex_wait(&stopping, 1, 50000000);
		}
		gt_sys_restore_signals(signals);
		gt_tls.busy--;
		return;
	}
	/* Acquire: partner is the advancer's store of ENDED, or our own. */
	if (finish()) {
		gt_trace_tidy();
	}
	gt_store_seq(&gt_gate->epoch, GT_EPOCH_OFF);
	gt_budget_free_stop();
	/* From here on not one system call of ours: the program may be about to forbid them. */
	owner = 0;
	gt_store_release(&stopping, 2);
	gt_sys_futex_wake(&stopping, 1 << 30);
	gt_sys_restore_signals(signals);
	gt_tls.busy--;
}

bool gt_trace_stopping(void)
{
	return gt_load_relaxed(&stopping) != 0;
}

bool gt_trace_abandon(void)
{
	struct gt_trace *t = gt_trace;

	/* G 1 is the only one: no other thread can be inside, or come. */
	if (!gt_trace_mine() || gt_load_relaxed(&t->next_g) != 2 || gt_load_relaxed(&t->advancer) ||
	    gt_tls.busy) {
		return false;
	}
	gt_store_seq(&gt_gate->epoch, GT_EPOCH_OFF);
	gt_sys_unlink(t->path);
	gt_sys_unlink(t->spool);
	gt_sys_unmap(gt_gate, GT_PAGE);
	gt_trace_forget();
	gt_shm_unmap(t);
	return true;
}

void gt_trace_break(enum gt_broken why)
{
	uint32_t not = GT_BROKEN_NOT;

	if (gt_cas_acq_rel(&gt_trace->broken, &not, why)) {
		/* Nothing is written from here on; the advancer drops what is unfinished. */
		gt_advancer_nudge();
	}
}

void gt_trace_ends(enum gt_broken why)
{
	gt_store_relaxed(&gt_trace->ends, why);
}

void gt_trace_went_on(enum gt_broken why)
{
	uint64_t signals = 0;

	gt_tls.busy++;
	/* A handler must not find the descriptor that is open here, nor the lock. */
	gt_sys_block_signals(~UINT64_C(0), &signals);
	gt_advance_amend(why);
	gt_sys_restore_signals(signals);
	gt_tls.busy--;
}

void gt_trace_forget(void)
{
	owner = 0;
	if (gt_lock_void) {
		gt_shm_uncopy();
	}
	gt_trace = NULL;
	gt_gate = &off;
	gt_tls.thread = NULL;
	gt_tls.epoch = GT_EPOCH_NONE;
	gt_tls.busy = 0;
	gt_store_relaxed(&stopping, 0);
	gt_lock_void = false;
	gt_lock_left = false;
	gt_waiters_forget();
	gt_writer_forget();
	gt_dump_forget();
	gt_thread_forget();
	gt_budget_free_stop();
}

bool gt_trace_inherit(void)
{
	if (!gt_shm_copy()) {
		gt_trace_forget();
		return false;
	}
	owner = 0;
	gt_budget_free_stop();
	gt_store_relaxed(&stopping, 0);
	/* Whoever held a lock is not in this process. The gate was wiped: all hooks pass straight.
	 */
	gt_lock_void = true;
	/* Sections write nothing. */
	gt_store_relaxed(&gt_trace->head.gen, 0);
	if (gt_tls.busy == 0 || gt_tls.busy == GT_BUSY_CALL) {
		gt_tls.thread = NULL;
		gt_tls.epoch = GT_EPOCH_NONE;
		gt_tls.busy = 0;
	}
	return true;
}
