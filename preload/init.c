/*
 * The library's beginning and end in a process: environment, the name of the file, fork.
 *
 * Naming. GTRACE_OUT names the file; %p is the pid. The process that is started with a name
 * without %p writes that file, and rewrites the variable in its own environment to
 * "<absolute name>.%P", so that whatever it forks or starts adds its pid. %P is %p, and says that
 * nobody asked for this very file: it is not kept where it has nothing to tell.
 *
 * Nothing is ever overwritten but an older trace of the same name. Who makes the spool beside it
 * has the name. A spool that is there says that another process is writing (then we add our pid),
 * or died doing so (then its two files are put aside under its pid: they are what is left of a
 * crash).
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/sys.h"
#include "base/wire.h"

#include "hook.h"
#include "price.h"
#include "quick.h"
#include "root.h"
#include "seccomp.h"
#include "stack.h"
#include "strip.h"
#include "trace.h"
#include "zstd_load.h"

extern char **environ;

/* The pattern that children use, absolute and with %p. */
static char pattern[GT_PATH_MAX];
static struct gt_env settings;
/* This process is another one's child: it leaves no trace that has nothing to tell. */
static bool child;
/* The user has written %p: each process has a file of its own, with one thread or with many. */
static bool each;
/* In a forked child: its trace starts when it first needs one. When it was made. */
static bool late;
static uint64_t born_ns;
/* And until then it has a copy of its parent's. */
static bool inherited;
/* The version of glibc, major * 1000 + minor; 0: not known. */
static unsigned glibc;
/* The process in which this library has something to do; 0: none. */
static pid_t process;

/* Starts a trace in the file of that name; old: an older trace there may be replaced. */
static bool start(const char *name, bool old);

/* Bytes of a name as it is given: what is added to it (pids, suffixes) has room behind that. */
enum { NAME_ROOM = GT_PATH_MAX - 128 };

static size_t append(char *to, size_t n, const char *s)
{
	while (*s && n < GT_PATH_MAX - 32) {
		to[n++] = *s++;
	}
	to[n] = 0;
	return n;
}

static size_t append_number(char *to, size_t n, uint64_t v)
{
	char digits[24];
	char *d = digits + sizeof(digits);

	*--d = 0;
	do {
		*--d = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return append(to, n, d);
}

static uint64_t number_of(const char *digits)
{
	uint64_t v = 0;

	for (; *digits >= '0' && *digits <= '9'; digits++) {
		v = v * 10 + (uint64_t)(*digits - '0');
	}
	return v;
}

/* to = name with each %p and %P replaced. Returns the last of them, 0 for none. */
static char expand(char *to, const char *name)
{
	char found = 0;
	size_t n = 0;

	to[0] = 0;
	while (*name && n < GT_PATH_MAX - 32) {
		if (name[0] == '%' && (name[1] == 'p' || name[1] == 'P')) {
			n = append_number(to, n, (uint64_t)gt_sys_pid());
			found = name[1];
			name += 2;
		} else {
			to[n++] = *name++;
			to[n] = 0;
		}
	}
	return found;
}

/* to = name, absolute: the program may change its directory before a child needs it. */
static bool make_absolute(char *to, const char *name)
{
	size_t n = 0;

	if (name[0] != '/' && gt_sys_getcwd(to, NAME_ROOM) > 0) {
		n = append(to, strlen(to), "/");
	}
	return n + strlen(name) <= NAME_ROOM && append(to, n, name) > 0;
}

/* What is known of a spool: who writes or wrote it. */
enum spool { SPOOL_GONE, SPOOL_LIVE, SPOOL_DEAD, SPOOL_UNKNOWN };

static enum spool spool_state(const char *path, uint32_t *pid)
{
	char name[GT_PATH_MAX];
	char proc[32];
	struct gt_spool_head head = {0};
	struct stat st;
	int fd;
	int r;

	append(name, append(name, 0, path), GT_SPOOL_SUFFIX);
	fd = gt_sys_open(name, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0) {
		return fd == -ENOENT ? SPOOL_GONE : SPOOL_UNKNOWN;
	}
	r = gt_sys_fstat(fd, &st);
	if (r == 0 && S_ISREG(st.st_mode)) {
		r = (int)gt_sys_read(fd, &head, sizeof(head));
	}
	gt_sys_close(fd);
	/* No magic yet: somebody is just making it. */
	if (r != sizeof(head) || memcmp(head.magic, GT_SPOOL_MAGIC, sizeof(head.magic)) != 0) {
		return SPOOL_UNKNOWN;
	}
	*pid = head.pid;
	append_number(proc, append(proc, 0, "/proc/"), head.pid);
	fd = gt_sys_open(proc, O_PATH, 0);
	if (fd >= 0) {
		gt_sys_close(fd);
	}
	/* One of our own pid is of the program that was here before an exec. */
	return fd >= 0 && head.pid != (uint32_t)gt_sys_pid() ? SPOOL_LIVE : SPOOL_DEAD;
}

/* Puts the two files of a process that died aside, under its pid: what is left of a crash. */
static void put_aside(const char *path, uint32_t pid)
{
	static const char *const suffixes[] = {"", GT_SPOOL_SUFFIX};
	char from[GT_PATH_MAX];
	char to[GT_PATH_MAX];

	for (size_t i = 0; i < GT_LEN(suffixes); i++) {
		size_t n = append_number(to, append(to, append(to, 0, path), "."), pid);

		append(to, n, suffixes[i]);
		append(from, append(from, 0, path), suffixes[i]);
		/* Killed before it had a file: a spool alone says nothing. */
		if (gt_sys_rename(from, to) == -ENOENT && i == 0) {
			append(from, append(from, 0, path), GT_SPOOL_SUFFIX);
			gt_sys_unlink(from);
			return;
		}
	}
}

/* What children and exec'd programs will find in their environment; what the user gave. */
static char handed_on[GT_PATH_MAX + 16];
static char given[GT_PATH_MAX + 16];

static void replace(char **envp, const char *prefix, char *entry)
{
	for (char **e = envp; e && *e; e++) {
		if (strncmp(*e, prefix, strlen(prefix)) == 0) {
			*e = entry;
		}
	}
}

static void hand_on(const char *absolute)
{
	append(handed_on, append(handed_on, 0, "GTRACE_OUT="), pattern);
	append(given, append(given, 0, "GTRACE_OUT="), absolute);
	replace(environ, "GTRACE_OUT=", handed_on);
}

/* --- exec ------------------------------------------------------------------------------------- */

/* Programs that are looked for in PATH, and whatever the kernel does not want to say: yes. */
static bool may_start(const char *path)
{
	long r = gt_syscall6(SYS_faccessat2, AT_FDCWD, (long)path, X_OK, AT_EACCESS, 0, 0);

	return r != -ENOENT && r != -EACCES && r != -ENOTDIR && r != -EFAULT && r != -ELOOP &&
	       r != -ENAMETOOLONG;
}

enum gt_exec gt_exec_begin(const char *path)
{
	int saved = errno;
	enum gt_exec how = GT_EXEC_NONE;

	if (gt_trace_mine() && (!path || gt_tls.busy || may_start(path))) {
		/* Where nobody inherits the name, even a short story is the only one. */
		bool give_up = settings.follow && gt_trace_abandon();

		how = give_up ? GT_EXEC_GIVEN_UP : GT_EXEC_FINISHED;
		if (how == GT_EXEC_FINISHED) {
			gt_trace_stop();
		}
	}
	errno = saved;
	return how;
}

void gt_exec_environment(char **envp)
{
	replace(envp, handed_on, given);
}

void gt_exec_failed(enum gt_exec how)
{
	int saved = errno;

	if (how == GT_EXEC_GIVEN_UP) {
		start(given + strlen("GTRACE_OUT="), true);
	} else if (how == GT_EXEC_FINISHED) {
		gt_say("the trace ended at an exec, which failed; the program goes on untraced", "",
		       0);
		gt_trace_went_on(GT_BROKEN_EXEC);
	}
	errno = saved;
}

void gt_root_start_again(void)
{
	int saved = errno;

	child = false;
	late = false;
	start(given + strlen("GTRACE_OUT="), true);
	errno = saved;
}

static bool start(const char *name, bool old)
{
	char path[GT_PATH_MAX];
	size_t n;
	int r;

	if (inherited) {
		inherited = false;
		gt_trace_forget();
	}
	expand(path, name);
	n = strlen(path);
	/* Whoever makes the spool has the name; who comes second adds its pid, then counts. */
	for (uint64_t i = 0; (r = gt_trace_start(&settings, path, gt_root_main(), old)) == -EEXIST;
	     i++) {
		uint32_t pid = 0;
		enum spool spool = spool_state(path, &pid);

		if (spool == SPOOL_DEAD) {
			put_aside(path, pid);
		} else if (spool != SPOOL_GONE) {
			size_t end =
				append_number(path, append(path, n, "."), (uint64_t)gt_sys_pid());

			if (i) {
				append_number(path, append(path, end, "."), i);
			}
			old = false;
		}
		if (i == 100) {
			gt_say("no free name beside ", path, 0);
			break;
		}
	}
	/* A pid that came again, or an exec of an exec: the file is there already, so count on. */
	for (uint64_t i = 1; r == -ENOTEMPTY && !old && i < 100; i++) {
		append_number(path, append(path, n, "."), i);
		r = gt_trace_start(&settings, path, gt_root_main(), false);
	}
	if (r == -ENOTEMPTY && !old) {
		gt_say("not overwriting ", path, 0);
	}
	if (r != 0) {
		return false;
	}
	if (glibc) {
		gt_about(GT_ABOUT_GLIBC, glibc);
	}
	gt_quick_say();
	gt_root_mark_code(gt_tls.thread);
	gt_thread_set_pthread(gt_tls.thread, gt_thread_id(gt_tls.thread),
			      (uintptr_t)pthread_self());
	gt_root_watch_end(gt_tls.thread);
	if (gt_tls.root.hi) {
		/* Not at the start of a program: a forked child, or an exec that failed. */
		gt_trace_main(gt_tls.thread);
	}
	return true;
}

void gt_root_in_child(void)
{
	bool traced = gt_trace != NULL && !inherited;

	if (!process) {
		return;
	}
	process = gt_sys_pid();
	child = !each;
	if (traced && !gt_seccomp_on()) {
		inherited = gt_trace_inherit();
	} else if (!inherited) {
		gt_trace_forget();
	}
	late = (traced || late) && settings.follow;
	born_ns = gt_clock_monotonic();
}

void gt_root_start_late(void)
{
	if (gt_unlikely(late) && gt_tls.busy == 0) {
		int saved = errno;

		late = false;
		gt_guard_up(GT_FRAME());
		start(pattern, false);
		gt_tls.busy = 0;
		errno = saved;
	}
}

bool gt_root_start_if_due(void)
{
	/* One that is about to exec or to exit is spared the price of a start. */
	enum { LIVES_NS = 10000000 };

	if (gt_likely(!late || !each) || gt_clock_monotonic() - born_ns < LIVES_NS) {
		return false;
	}
	gt_root_start_late();
	return gt_load_relaxed(&gt_gate->epoch) != GT_EPOCH_OFF;
}

void gt_root_finish(void)
{
	int saved = errno;

	/* A child of vfork runs in our memory, but the trace is its parent's. */
	if (gt_trace_mine() && !(child && gt_trace_abandon())) {
		gt_trace_stop();
	}
	errno = saved;
}

/* --- Leaving ---------------------------------------------------------------------------------- */

bool gt_root_here(void)
{
	return process && process == gt_sys_pid();
}

/* Without asking the kernel: most signals go elsewhere. */
bool gt_root_is(pid_t pid)
{
	return process && process == pid;
}

bool gt_root_readable(const void *from, size_t bytes)
{
	uintptr_t end = (uintptr_t)from + bytes;

	for (uintptr_t p = (uintptr_t)from & ~(uintptr_t)7; p < end; p = (p | (GT_PAGE - 1)) + 1) {
		if (gt_syscall6(SYS_rt_sigprocmask, -1, (long)p, 0, 8, 0, 0) != -EINVAL) {
			return false;
		}
	}
	return true;
}

void gt_root_unfollow(void)
{
	settings.follow = false;
	late = false;
	gt_strip(environ);
}

void gt_root_leave(void)
{
	gt_root_unfollow();
	gt_say_nothing();
	process = 0;
}

void gt_root_before_signal(int number)
{
	/* Those whose default is not to end the process; SIGKILL and SIGSTOP cannot be asked. */
	static const uint64_t harmless = 1u << SIGCHLD | 1u << SIGCONT | 1u << SIGSTOP |
					 1u << SIGTSTP | 1u << SIGTTIN | 1u << SIGTTOU |
					 1u << SIGURG | 1u << SIGWINCH;
	uint64_t action[4] = {1};
	uint64_t blocked = 0;

	if (number < 1 || number > 64 || (number < 32 && harmless >> number & 1) ||
	    !gt_trace_mine()) {
		return;
	}
	gt_sys_block_signals(0, &blocked);
	if (gt_syscall6(SYS_rt_sigaction, number, 0, (long)action, 8, 0, 0) == 0 &&
	    action[0] == (uintptr_t)SIG_DFL && !(blocked >> (number - 1) & 1)) {
		gt_root_finish();
	}
}

/* --- Beginning and end ------------------------------------------------------------------------ */

static void at_quick_end(GT_UNUSED void *unused)
{
	gt_root_finish();
}

/* The program may change its directory, and write over its environment (setproctitle). */
static void keep_log_name(void)
{
	static char name[GT_PATH_MAX];

	if (settings.log && *settings.log) {
		settings.log = make_absolute(name, settings.log) ? name : NULL;
	}
}

static unsigned glibc_version(void)
{
	const char *(*get)(void);
	const char *minor;

	if (!gt_hook_lookup("gnu_get_libc_version", &get)) {
		return 0;
	}
	minor = strchr(get(), '.');
	return (unsigned)(number_of(get()) * 1000 + (minor ? number_of(minor + 1) : 0));
}

__attribute__((constructor(101))) static void begin(void)
{
	int (*at_fork)(void (*)(void), void (*)(void), void (*)(void), void *);
	int (*at_quick)(void (*)(void *), void *);
	const char *bad;
	const char *unknown;
	char absolute[GT_PATH_MAX];
	int saved = errno;
	char has_pid;

	gt_hook_resolve();
	gt_say_init();
	gt_env_read(&settings, environ, &bad, &unknown);
	keep_log_name();
	gt_env = settings;
	glibc = glibc_version();
	/* Whether there will be a trace or not: a library that is left in should cost nothing. */
	gt_quick_init(glibc, settings.out && *settings.out);
	if (!settings.out || !*settings.out) {
		return;
	}
	if (bad || unknown) {
		gt_say(bad ? "ignoring the value of " : "unknown variable ", bad ? bad : unknown,
		       0);
	}
	settings.depth = GT_MIN(GT_MAX(settings.depth, UINT64_C(1)), (uint64_t)GT_WIRE_FRAMES_MAX);
	settings.period = GT_MAX(settings.period, UINT64_C(100000));
	if (strlen(settings.out) > NAME_ROOM || !make_absolute(absolute, settings.out)) {
		gt_say("file name too long in GTRACE_OUT: ", settings.out, 0);
		return;
	}
	has_pid = expand(pattern, absolute);
	append(pattern, append(pattern, 0, absolute), has_pid ? "" : ".%P");
	child = has_pid == 'P';
	each = has_pid == 'p';
	if (settings.zstd) {
		gt_zstd_load((unsigned)GT_MIN(settings.zstd, (uint64_t)GT_ZSTD_LEVEL_MAX));
	}
	gt_root_init();
	gt_stack_init();
	process = gt_sys_pid();
	if (start(absolute, !has_pid)) {
		if (settings.budget) {
			gt_price_measure();
		}
		if (settings.follow) {
			hand_on(absolute);
		}
		/* dso handle NULL: for good. Registered first, so called last (fork: first). */
		if (gt_hook_lookup("__register_atfork", &at_fork)) {
			at_fork(NULL, NULL, gt_root_in_child, NULL);
		}
		if (gt_hook_lookup("__cxa_at_quick_exit", &at_quick)) {
			at_quick(at_quick_end, NULL);
		}
	}
	if (!settings.follow) {
		gt_strip(environ);
	}
	errno = saved;
}

/* After the program's own exit handlers. Threads may still run; nothing is unmapped. */
__attribute__((destructor(101))) static void end(void)
{
	gt_root_finish();
}
