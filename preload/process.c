/*
 * The process: where main is, and every way to end.
 */
#include "hook.h"
#include "root.h"
#include "symbol.h"

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

/* --- Another process -------------------------------------------------------------------------- */

/* fork without the handlers of pthread_atfork, of which ours is one. */
pid_t gt_hook__Fork(void)
{
	pid_t r = GT_REAL(_Fork)();

	if (r == 0) {
		gt_root_in_child();
	}
	return r;
}

/*
 * The parent ends inside libc, where no hook sees it, and what goes on is the child: as at an exec,
 * a trace that has nothing to tell yet gives it its name.
 */
int gt_hook_daemon(int stay, int keep)
{
	enum gt_exec how = gt_exec_begin(NULL);
	int r = GT_REAL(daemon)(stay, keep);

	if (r == 0 && how == GT_EXEC_GIVEN_UP) {
		gt_root_start_again();
	} else if (r != 0) {
		gt_exec_failed(how);
	}
	return r;
}

/* --- The end ---------------------------------------------------------------------------------- */

/* A handler that has put back the default and raises its signal again ends the process so. */
int gt_hook_raise(int number)
{
	gt_root_before_signal(number);
	return GT_REAL(raise)(number);
}

int gt_hook_kill(pid_t pid, int number)
{
	if (gt_root_is(pid)) {
		gt_root_before_signal(number);
	}
	return GT_REAL(kill)(pid, number);
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

void gt_hook___assert_fail(const char *what, const char *file, unsigned line, const char *function)
{
	gt_root_finish();
	GT_REAL(__assert_fail)(what, file, line, function);
	__builtin_unreachable();
}

void gt_hook___assert_perror_fail(int error, const char *file, unsigned line, const char *function)
{
	gt_root_finish();
	GT_REAL(__assert_perror_fail)(error, file, line, function);
	__builtin_unreachable();
}

void gt_hook___assert(const char *what, const char *file, int line)
{
	gt_root_finish();
	GT_REAL(__assert)(what, file, line);
	__builtin_unreachable();
}

#define GT_EXPORT_process(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
