/*
 * exec: the program is replaced, and its trace ends.
 *
 * A wrapper (env, nice, a shell that ends in exec, a shim of a version manager) has nothing to
 * tell: one thread, which is replaced. Its trace is given up, and the program that it starts gets
 * the name that the user gave. Any other trace is finished first; if exec then fails, the program
 * goes on untraced, and that is said.
 *
 * In a child of vfork nothing of this happens: the trace is the parent's, whose memory we are in.
 */
#include <alloca.h>
#include <stdarg.h>
#include <string.h>

#include "hook.h"
#include "root.h"

extern char **environ;

enum { ENTRIES_MAX = 16384 };

/* Of an environment that the kernel will read, too, if it can; else, or without one, 0. */
static size_t count(char *const *v)
{
	size_t n = 0;

	for (; gt_root_readable(&v[n], sizeof(*v)); n++) {
		if (!v[n]) {
			return n;
		}
		if (!gt_root_readable(v[n], 1)) {
			break;
		}
	}
	return 0;
}

/*
 * What every exec does around the real call. The environment is copied, since the real call reads
 * it, and so does a thread that goes on if it fails. Not to the stack: that may be a signal
 * handler's, of a few KiB. A trace is given up by the only thread that there is, so one copy will
 * do.
 */
static char *copy[ENTRIES_MAX];

#define AROUND(real_call, path, envp)                                  \
	do {                                                           \
		enum gt_exec how = gt_exec_begin(path);                \
		char *const *env_ = (envp);                            \
		size_t n_ = how == GT_EXEC_GIVEN_UP ? count(env_) : 0; \
		int r_;                                                \
                                                                       \
		if (n_ && n_ < ENTRIES_MAX) {                          \
			memcpy(copy, env_, (n_ + 1) * sizeof(*copy));  \
			gt_exec_environment(copy);                     \
			env_ = copy;                                   \
		}                                                      \
		r_ = real_call;                                        \
		gt_exec_failed(how);                                   \
		return r_;                                             \
	} while (0)

int gt_hook_execve(const char *path, char *const argv[], char *const envp[])
{
	AROUND(GT_REAL(execve)(path, argv, env_), path, envp);
}

int gt_hook_execv(const char *path, char *const argv[])
{
	AROUND(GT_REAL(execve)(path, argv, env_), path, environ);
}

int gt_hook_execvpe(const char *file, char *const argv[], char *const envp[])
{
	AROUND(GT_REAL(execvpe)(file, argv, env_), NULL, envp);
}

int gt_hook_execvp(const char *file, char *const argv[])
{
	AROUND(GT_REAL(execvpe)(file, argv, env_), NULL, environ);
}

int gt_hook_fexecve(int fd, char *const argv[], char *const envp[])
{
	AROUND(GT_REAL(fexecve)(fd, argv, env_), NULL, envp);
}

int gt_hook_execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
	AROUND(GT_REAL(execveat)(fd, path, argv, env_, flags), NULL, envp);
}

/* The arguments of a variadic exec as an array on the caller's stack; list: after arg. */
#define ARGUMENTS(argv, list, arg)                       \
	char **argv;                                     \
	do {                                             \
		size_t n_ = 1;                           \
		va_list count_;                          \
                                                         \
		va_copy(count_, list);                   \
		while (va_arg(count_, char *)) {         \
			n_++;                            \
		}                                        \
		va_end(count_);                          \
		argv = alloca((n_ + 1) * sizeof(*argv)); \
		argv[0] = (char *)(uintptr_t)(arg);      \
		for (size_t i_ = 1; i_ <= n_; i_++) {    \
			argv[i_] = va_arg(list, char *); \
		}                                        \
	} while (0)

int gt_hook_execl(const char *path, const char *arg, ...)
{
	va_list list;

	va_start(list, arg);
	ARGUMENTS(argv, list, arg);
	va_end(list);
	AROUND(GT_REAL(execve)(path, argv, env_), path, environ);
}

int gt_hook_execlp(const char *file, const char *arg, ...)
{
	va_list list;

	va_start(list, arg);
	ARGUMENTS(argv, list, arg);
	va_end(list);
	AROUND(GT_REAL(execvpe)(file, argv, env_), NULL, environ);
}

int gt_hook_execle(const char *path, const char *arg, ...)
{
	char *const *envp;
	va_list list;

	va_start(list, arg);
	ARGUMENTS(argv, list, arg);
	envp = va_arg(list, char *const *);
	va_end(list);
	AROUND(GT_REAL(execve)(path, argv, env_), path, envp);
}

#define GT_EXPORT_exec(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
