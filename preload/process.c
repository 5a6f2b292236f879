/*
 * The process: where main is, and every way to end.
 */
#include "advancer.h"
#include "hook.h"
#include "root.h"
#include "symbol.h"

#include "base/sys.h"

static gt_main_fn *program_main;

/* Calls main; its frame ends the stacks of the main thread (root.h). */
GT_ROOT static int main_root(int argc, char **argv, char **envp)
{
	int r;

	if (gt_tls.thread && gt_tls.epoch == gt_load_relaxed(&gt_gate->epoch)) {
		gt_root_mark(gt_tls.thread, GT_FRAME());
		gt_trace_main(gt_tls.thread);
	}
	r = program_main(argc, argv, envp);
	__asm__ volatile("" : "+r"(r));
	return r;
}

uintptr_t gt_root_main(void)
{
	return (uintptr_t)main_root;
}

static void learn_main(gt_main_fn *main)
{
	program_main = main;
	if (gt_tls.thread && gt_tls.epoch == gt_load_relaxed(&gt_gate->epoch)) {
		gt_symbol_name_entry((uintptr_t)main, "main");
		gt_tls.thread->root.entry = (uintptr_t)main;
	}
}

/* These two lie where stacks end, too: for the constructors, which run before main. */
GT_ROOT int gt_hook_start_main(gt_main_fn *main, int argc, char **argv, void (*init)(void),
			       void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	learn_main(main);
	return GT_REAL(start_main)(main_root, argc, argv, init, fini, rtld_fini, stack_end);
}

GT_ROOT int gt_hook_old_start_main(gt_main_fn *main, int argc, char **argv, void (*init)(void),
				   void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	learn_main(main);
	return GT_REAL(old_start_main)(main_root, argc, argv, init, fini, rtld_fini, stack_end);
}

/*
 * A server that begins as root and becomes somebody else could not open its own trace any more. So
 * the two files go to the new user before; where that fails, it is said when writing fails.
 */
static void hand_over(uid_t uid)
{
	int saved = errno;

	if (uid != (uid_t)-1 && gt_trace_mine()) {
		gt_sys_chown(gt_trace->path, uid);
		gt_sys_chown(gt_trace->spool, uid);
	}
	errno = saved;
}

/* And no thread of ours keeps the rights that the program has given up. */
static int followed(int r)
{
	if (r == 0 && gt_trace_mine()) {
		int saved = errno;

		gt_tls.busy++;
		gt_advancer_follow();
		gt_tls.busy--;
		errno = saved;
	}
	return r;
}

int gt_hook_setuid(uid_t uid)
{
	hand_over(uid);
	return followed(GT_REAL(setuid)(uid));
}

int gt_hook_setreuid(uid_t real, uid_t effective)
{
	hand_over(effective);
	return followed(GT_REAL(setreuid)(real, effective));
}

int gt_hook_setresuid(uid_t real, uid_t effective, uid_t saved)
{
	hand_over(effective);
	return followed(GT_REAL(setresuid)(real, effective, saved));
}

void gt_hook__exit(int status)
{
	gt_root_finish();
	GT_REAL(_exit)(status);
	__builtin_unreachable();
}

void gt_hook__Exit(int status)
{
	gt_root_finish();
	GT_REAL(_Exit)(status);
	__builtin_unreachable();
}

void gt_hook_abort(void)
{
	gt_root_finish();
	GT_REAL(abort)();
	__builtin_unreachable();
}

#define GT_EXPORT_process(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
