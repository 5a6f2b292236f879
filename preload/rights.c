/*
 * What a process may do, and what it may see: user, groups, root, namespaces, limits, seccomp.
 *
 * The program's own call is made as it is. Around it, what is ours gives way: files get the new
 * owner, the advancer becomes who the program becomes, or is gone where a thread more would be
 * counted, and the mapping shrinks where it would fill a limit.
 */
#include <linux/nsfs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "advancer.h"
#include "hook.h"
#include "rights.h"
#include "root.h"
#include "seccomp.h"
#include "shm.h"

#include "base/sys.h"

/* --- Who it is -------------------------------------------------------------------------------- */

/*
 * A server that begins as root and becomes somebody else could not open its own trace any more. So
 * the two files go to the new user before; where that fails, it is said when writing fails.
 */
static void hand_over(uid_t uid)
{
	int saved = errno;

	if (uid != (uid_t)-1 && !gt_seccomp_on() && gt_trace_mine()) {
		/* One that is just starting opens the file as who the program was. */
		gt_advancer_await();
		gt_sys_chown(gt_trace->path, uid);
		gt_sys_chown(gt_trace->spool, uid);
	}
	errno = saved;
}

/* And no thread of ours keeps the rights that the program has given up. */
static int followed(int r)
{
	if (r == 0 && !gt_seccomp_on() && gt_trace_mine()) {
		int saved = errno;

		gt_guard_up(GT_FRAME());
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

int gt_hook_seteuid(uid_t uid)
{
	hand_over(uid);
	return followed(GT_REAL(seteuid)(uid));
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

int gt_hook_setgid(gid_t gid)
{
	return followed(GT_REAL(setgid)(gid));
}

int gt_hook_setegid(gid_t gid)
{
	return followed(GT_REAL(setegid)(gid));
}

int gt_hook_setregid(gid_t real, gid_t effective)
{
	return followed(GT_REAL(setregid)(real, effective));
}

int gt_hook_setresgid(gid_t real, gid_t effective, gid_t saved)
{
	return followed(GT_REAL(setresgid)(real, effective, saved));
}

int gt_hook_setgroups(size_t n, const gid_t *groups)
{
	return followed(GT_REAL(setgroups)(n, groups));
}

int gt_hook_initgroups(const char *user, gid_t group)
{
	return followed(GT_REAL(initgroups)(user, group));
}

int gt_hook_capset(void *head, const void *data)
{
	return followed(GT_REAL(capset)(head, data));
}

/* --- Where it is ------------------------------------------------------------------------------ */

/*
 * After it the trace has no name that this process could open. The advancer has a root of its own
 * and keeps the file open, so it has to be there, even if the program has but one thread.
 */
int gt_hook_chroot(const char *path)
{
	struct gt_thread *t = gt_self(GT_FRAME());

	if (t && !gt_seccomp_on()) {
		int saved = errno;

		gt_guard_up(GT_FRAME());
		gt_advancer_start(t);
		gt_advancer_await();
		gt_tls.busy--;
		errno = saved;
	}
	return GT_REAL(chroot)(path);
}

/*
 * A thread more in the process must not be noticed: the advancer is gone during the call, and comes
 * back with the program's next thread, or at once if it has others.
 */
static bool step_aside(void)
{
	bool there = false;

	if (gt_trace_mine()) {
		int saved = errno;

		gt_guard_up(GT_FRAME());
		there = gt_advancer_stop(false);
		gt_tls.busy--;
		errno = saved;
	}
	return there;
}

static void come_back(bool there, struct gt_thread *t)
{
	if (there && t && gt_load_relaxed(&gt_trace->live) > 1) {
		int saved = errno;

		gt_guard_up(GT_FRAME());
		gt_advancer_start(t);
		gt_tls.busy--;
		errno = saved;
	}
}

int gt_hook_unshare(int flags)
{
	struct gt_thread *t = gt_self(GT_FRAME());
	bool alone = flags & (CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM);
	bool there = alone && step_aside();
	int r = GT_REAL(unshare)(flags);

	come_back(there, t);
	return r;
}

int gt_hook_setns(int fd, int type)
{
	struct gt_thread *t = gt_self(GT_FRAME());
	/* With type 0, what fd is decides. */
	bool there = (type == 0 || type & (CLONE_NEWUSER | CLONE_NEWTIME)) && step_aside();
	int r = GT_REAL(setns)(fd, type);

	come_back(there, t);
	return r;
}

bool gt_rights_one_thread_less(void)
{
	bool there = false;

	if (gt_trace_mine()) {
		int saved = errno;

		gt_guard_up(GT_FRAME());
		there = gt_advancer_stop(true);
		gt_tls.busy--;
		errno = saved;
	}
	return there;
}

/* --- How much it may take --------------------------------------------------------------------- */

void gt_rights_make_room(uint64_t bytes)
{
	if (gt_trace_mine()) {
		int saved = errno;

		gt_guard_up(GT_FRAME());
		gt_shm_shrink(bytes);
		gt_tls.busy--;
		errno = saved;
	}
}

/* The program limits itself: our mapping, of which it knows nothing, must not fill the limit. */
static int limited(int r, pid_t pid, unsigned resource)
{
	struct rlimit limit;

	if (r == 0 && resource == RLIMIT_AS && gt_trace_mine() &&
	    (pid == 0 || pid == (pid_t)gt_trace->head.pid) &&
	    gt_syscall6(SYS_prlimit64, 0, RLIMIT_AS, 0, (long)&limit, 0, 0) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY) {
		gt_rights_make_room(limit.rlim_cur / 16);
	}
	return r;
}

int gt_hook_setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	return limited(GT_REAL(setrlimit)(resource, limit), 0, (unsigned)resource);
}

int gt_hook_setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
	return limited(GT_REAL(setrlimit64)(resource, limit), 0, (unsigned)resource);
}

int gt_hook_prlimit(pid_t pid, enum __rlimit_resource resource, const struct rlimit *limit,
		    struct rlimit *old)
{
	return limited(GT_REAL(prlimit)(pid, resource, limit, old), pid, (unsigned)resource);
}

int gt_hook_prlimit64(pid_t pid, enum __rlimit_resource resource, const struct rlimit64 *limit,
		      struct rlimit64 *old)
{
	return limited(GT_REAL(prlimit64)(pid, resource, limit, old), pid, (unsigned)resource);
}

/* --- What it may call ------------------------------------------------------------------------- */

void gt_rights_before_seccomp(unsigned long operation, unsigned long flags, const void *args)
{
	int saved = errno;

	gt_guard_up(GT_FRAME());
	if (operation == SECCOMP_SET_MODE_STRICT) {
		gt_seccomp_before_strict();
	} else if (operation == SECCOMP_SET_MODE_FILTER) {
		gt_seccomp_before_filter(args, flags & SECCOMP_FILTER_FLAG_TSYNC);
	}
	gt_tls.busy--;
	errno = saved;
}

void gt_rights_after_seccomp(unsigned long operation, long r)
{
	if (r >= 0 &&
	    (operation == SECCOMP_SET_MODE_STRICT || operation == SECCOMP_SET_MODE_FILTER)) {
		gt_seccomp_done();
	}
}

/* The name that a thread gives itself, as the kernel has taken it. */
static void renamed(struct gt_thread *t)
{
	char name[GT_NAME_MAX] = "";

	if (t && gt_syscall6(SYS_prctl, PR_GET_NAME, (long)name, 0, 0, 0, 0) == 0) {
		gt_guard_up(GT_FRAME());
		gt_thread_name(t, name);
		gt_tls.busy--;
	}
}

/* As glibc's own does, all arguments are passed on, whether the option has them or not. */
int gt_hook_prctl(int option, ...)
{
	unsigned long a;
	unsigned long b;
	unsigned long c;
	unsigned long d;
	bool seccomp = option == PR_SET_SECCOMP;
	unsigned long operation = SECCOMP_GET_ACTION_AVAIL;
	va_list list;
	int r;

	va_start(list, option);
	a = va_arg(list, unsigned long);
	b = va_arg(list, unsigned long);
	c = va_arg(list, unsigned long);
	d = va_arg(list, unsigned long);
	va_end(list);
	if (seccomp && (a == SECCOMP_MODE_STRICT || a == SECCOMP_MODE_FILTER)) {
		operation = a == SECCOMP_MODE_STRICT ? SECCOMP_SET_MODE_STRICT
						     : SECCOMP_SET_MODE_FILTER;
		gt_rights_before_seccomp(operation, 0, (const void *)(uintptr_t)b);
	}
	r = GT_REAL(prctl)(option, a, b, c, d);
	if (seccomp) {
		gt_rights_after_seccomp(operation, r);
	} else if (option == PR_SET_NAME && r == 0) {
		renamed(gt_self(GT_FRAME()));
	}
	return r;
}

#define GT_EXPORT_rights(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
