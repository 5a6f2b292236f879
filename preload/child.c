/*
 * Child processes: making them, and waiting for them.
 *
 * A child of vfork runs in its parent's memory, with its parent's thread-local storage, and no hook
 * of it may leave a mark there: the guard is up while it lives. Nothing that vfork's hook keeps is
 * on the stack, which the child overwrites.
 */
#include "plain.h"
#include "rights.h"
#include "sockets.h"

/* clang-format off */
GT_PLAIN(pid_t, wait, WAIT, GT_NO_ARG, (int *status), (status))
GT_PLAIN(pid_t, waitpid, WAITPID, gt_arg(pid), (pid_t pid, int *status, int flags), (pid, status, flags))
GT_PLAIN(pid_t, wait3, WAIT3, GT_NO_ARG, (int *status, int flags, struct rusage *used), (status, flags, used))
GT_PLAIN(pid_t, wait4, WAIT4, gt_arg(pid), (pid_t pid, int *status, int flags, struct rusage *used), (pid, status, flags, used))
GT_PLAIN(int, waitid, WAITID, id, (idtype_t type, id_t id, siginfo_t *info, int flags), (type, id, info, flags))
GT_PLAIN(int, system, SYSTEM, GT_NO_ARG, (const char *command), (command))
GT_PLAIN_AS(FILE *, popen, POPEN, GT_NO_ARG, (const char *command, const char *mode), (command, mode), r ? 0 : -(int64_t)errno)
GT_PLAIN(int, pclose, PCLOSE, GT_NO_ARG, (FILE *file), (file))

#define SPAWN(id) GT_PLAIN_CODE(id, POSIX_SPAWN, GT_NO_ARG, (pid_t *restrict pid, const char *restrict path, const posix_spawn_file_actions_t *restrict actions, const posix_spawnattr_t *restrict attributes, char *const argv[restrict], char *const envp[restrict]), (pid, path, actions, attributes, argv, envp))
SPAWN(posix_spawn)
SPAWN(posix_spawnp)
SPAWN(old_posix_spawn)
SPAWN(old_posix_spawnp)
#undef SPAWN
/* clang-format on */

/* In the child the call is forgotten with the trace. */
static pid_t fork_once(void *frame)
{
	struct gt_thread *t = gt_call_open(GT_CALL_FORK, GT_NO_ARG, frame);
	pid_t r = GT_REAL(fork)();

	gt_call_close(t, gt_result(r));
	return r;
}

pid_t gt_hook_fork(void)
{
	pid_t r = fork_once(GT_FRAME());

	/* The limit on processes counts threads, ours too. */
	if (gt_unlikely(r == -1 && errno == EAGAIN) && gt_rights_one_thread_less()) {
		r = fork_once(GT_FRAME());
	}
	return r;
}

/* --- vfork ------------------------------------------------------------------------------------ */

/* Children of vfork that live in this thread's memory: one, or one within another. */
GT_TLS uint32_t gt_vforks;

/* The call of the outermost, and the guard as it was. */
static GT_TLS struct {
	struct gt_thread *t;
	uintptr_t frame;
	uint32_t busy;
} parent;

/* Called by the stub below alone. */
__attribute__((used)) static void vfork_begin(void *frame)
{
	if (gt_vforks++ == 0) {
		parent.t = gt_call_open(GT_CALL_VFORK, GT_NO_ARG, frame);
		parent.busy = gt_tls.busy;
		parent.frame = gt_tls.frame;
		/* Inside the tracer, and nowhere above the frame that is inside. */
		gt_tls.frame = UINTPTR_MAX;
		gt_tls.busy = GT_BUSY_CALL + 1;
	}
}

/* In the parent, when the child has gone. */
__attribute__((used)) static pid_t vfork_end(long r)
{
	if (--gt_vforks == 0) {
		gt_tls.frame = parent.frame;
		gt_tls.busy = parent.busy;
		gt_call_close(parent.t, r);
	}
	if (r < 0) {
		errno = (int)-r;
		return -1;
	}
	return (pid_t)r;
}

/*
 * glibc's vfork is this system call and nothing else (sysdeps/unix/sysv/linux/x86_64/vfork.S). It
 * is made here, because nothing can be called between the real one's return in the parent and the
 * program: the return address on the stack would be the child's by then. It waits in a register.
 */
#ifdef __x86_64__
__attribute__((naked)) pid_t gt_hook_vfork(void)
{
	__asm__("push %rbp\n\t"
		".cfi_adjust_cfa_offset 8\n\t"
		".cfi_rel_offset rbp, 0\n\t"
		"mov %rsp, %rbp\n\t"
		"mov %rsp, %rdi\n\t"
		"call vfork_begin\n\t"
		"pop %rbp\n\t"
		".cfi_adjust_cfa_offset -8\n\t"
		".cfi_restore rbp\n\t"
		"pop %rdi\n\t"
		".cfi_adjust_cfa_offset -8\n\t"
		".cfi_register rip, rdi\n\t"
		"mov $58, %eax\n\t" /* SYS_vfork */
		"syscall\n\t"
		"push %rdi\n\t"
		".cfi_adjust_cfa_offset 8\n\t"
		".cfi_rel_offset rip, 0\n\t"
		"mov %rax, %rdi\n\t"
		"test %rax, %rax\n\t"
		"jnz vfork_end\n\t"
		"ret");
}
#else
#error "vfork is written for x86-64"
#endif

#define GT_EXPORT_child(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
