/*
 * gtrace run: starts a program with the library preloaded and says where its trace is.
 *
 * Owns what LD_PRELOAD and GTRACE_* are set to; whether a program can be traced at all is asked of
 * program.c, running it is spawn.c's.
 */
#include "cmd.h"
#include "error.h"
#include "input.h"
#include "pack.h"
#include "program.h"
#include "spawn.h"
#include "spool.h"
#include "symbolize_apart.h"

#include "base/env.h"
#include "base/wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
	"usage: gtrace run [-o FILE] [--events LIST] [--min T] [--period T] [--no-follow]\n"
	"                  [--cpu] [--budget P%] [--zstd[=LEVEL]] [--no-symbolize] [-v] [--]\n"
	"                  CMD [ARG]...\n"
	"\n"
	"Runs CMD with gtrace's library preloaded and writes an execution trace of its threads.\n"
	"Output, exit status and signals of CMD stay as they are.\n"
	"\n"
	"  -o, --output FILE  the trace; %p in it is the pid. Default: $GTRACE_OUT, else "
	"NAME.trace\n"
	"                     in the current folder. A trace of that name is replaced, any other\n"
	"                     file is not. Child processes write to FILE.PID\n"
	"  -e, --events LIST  classes of calls to trace, with commas: "
	"sync,net,sleep,io,file,proc,\n"
	"                     ipc,misc and mem, or all; -io,-file takes away from the default, "
	"which\n"
	"                     is all but mem (sets GTRACE_EVENTS)\n"
	"      --min T        calls that are over sooner, such as 10us, are counted and left out;\n"
	"                     waits for locks never are (sets GTRACE_MIN)\n"
	"      --no-follow    neither child processes nor programs started by exec are traced\n"
	"                     (sets GTRACE_FOLLOW to 0)\n"
	"      --period T     length of a generation, such as 10ms or 1s: what is lost at most "
	"when\n"
	"                     CMD is killed (sets GTRACE_PERIOD)\n"
	"      --cpu          each wait for another thread also says how long its own was on a\n"
	"                     processor meanwhile: on its way to sleep, in a signal's handler. "
	"Two\n"
	"                     system calls more a wait (sets GTRACE_CPU to 1)\n"
	"      --zstd[=LEVEL] compress the trace while it is written, 1 to 19 (3 is usual); a "
	"FILE.zst\n"
	"                     is by its name, and the default is NAME.trace.zst then. gtrace "
	"reads\n"
	"                     it as it is, zstd -d makes a plain one of it (sets GTRACE_ZSTD)\n"
	"      --budget P%    share of CMD's own processor time that tracing may cost, such as "
	"1%:\n"
	"                     what comes too often is left out and counted (sets GTRACE_BUDGET)\n"
	"      --no-symbolize leave the stacks as they are: names of functions as in symbol "
	"tables.\n"
	"                     Without it gtrace symbolize is done at the end, with debug\n"
	"                     information that is on this machine\n"
	"  -v, --verbose      name the library and the trace, even if standard error is no "
	"terminal\n"
	"  -h, --help         this text\n"
	"\n"
	"Exit status: that of CMD; 128+N if signal N killed it; 127 if CMD was not found, 126 if "
	"it\n"
	"is not executable, 2 if it cannot be traced (static, setuid, 32-bit, musl: it says "
	"which).\n"
	"\n"
	"Then: gtrace stat FILE, or go tool trace FILE.\n";

struct run {
	const char *out; /* as the user wrote it, with %p */
	const char *period, *events, *min, *budget;
	bool alone;    /* no children */
	bool cpu;      /* waits note time on a processor */
	bool raw;      /* not symbolized */
	unsigned zstd; /* level; 0: plain */
	bool verbose;
	char library[PATH_MAX];
	struct gt_program program;
	char **argv; /* of the command, NULL at the end */
	struct timespec start;
};

/* --- Before ---------------------------------------------------------------------------------- */

/*
 * Where the library is, seen from the folder of the command: the build tree, then what an
 * installation looks like.
 */
static bool find_library(struct run *r)
{
	static const char *const places[] = {
		"../preload/libgtrace.so",
		"libgtrace.so",
		"../lib/gtrace/libgtrace.so",
		"../lib/x86_64-linux-gnu/gtrace/libgtrace.so",
		"../lib/x86_64-linux-gnu/libgtrace.so",
		"../lib/aarch64-linux-gnu/gtrace/libgtrace.so",
		"../lib/aarch64-linux-gnu/libgtrace.so",
		"../lib64/gtrace/libgtrace.so",
		"../lib64/libgtrace.so",
		"../lib/libgtrace.so",
	};
	char self[PATH_MAX];
	char path[PATH_MAX + 64];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0) {
		fprintf(stderr, "gtrace run: /proc/self/exe: %s (is /proc mounted?)\n",
			strerror(errno));
		return false;
	}
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < GT_LEN(places); i++) {
		snprintf(path, sizeof(path), "%s/%s", self, places[i]);
		if (realpath(path, r->library)) {
			break;
		}
		*r->library = '\0';
	}
	if (!*r->library) {
		fprintf(stderr,
			"gtrace run: libgtrace.so is neither beside %s/gtrace nor in ../preload or "
			"../lib from there; build or install gtrace wholly\n",
			self);
		return false;
	}
	if (strpbrk(r->library, " :\t\n")) {
		/* ld.so(8): the list is separated by spaces or colons; there is no escaping. */
		fprintf(stderr,
			"gtrace run: LD_PRELOAD cannot name %s, because of the blank or colon in "
			"it; move gtrace to another folder\n",
			r->library);
		return false;
	}
	return true;
}

static bool is_trace(int fd)
{
	char magic[GT_WIRE_ZSTD_HEADER_SIZE];
	ssize_t n = pread(fd, magic, sizeof(magic), 0);

	return n == 0 || (n > 0 && gt_wire_is_trace(magic, (size_t)n));
}

/* Makes way for the trace: an old trace goes, anything else stays and is an error. */
static bool clear_output(const char *out)
{
	char dir[PATH_MAX];
	char *slash;
	struct stat st;
	int fd;
	bool ours;

	if (snprintf(dir, sizeof(dir), "%s", out) >= (int)sizeof(dir) || !*out) {
		fprintf(stderr, "gtrace run: not a name for a trace: \"%.64s\"\n", out);
		return false;
	}
	slash = strrchr(dir, '/');
	if (slash) {
		slash[slash == dir] = '\0';
	}
	if (access(slash ? dir : ".", W_OK | X_OK) != 0) {
		fprintf(stderr, "gtrace run: cannot write %s: folder %s: %s\n", out,
			slash ? dir : ".", strerror(errno));
		return false;
	}
	if (strstr(out, "%p") || lstat(out, &st) != 0) {
		return true;
	}
	fd = S_ISREG(st.st_mode) ? open(out, O_RDONLY | O_CLOEXEC) : -1;
	ours = fd >= 0 && is_trace(fd);
	if (fd >= 0) {
		close(fd);
	}
	if (!ours) {
		fprintf(stderr,
			"gtrace run: %s exists and is not a trace; it is left alone. Name another "
			"file with -o\n",
			out);
		return false;
	}
	if (unlink(out) != 0) {
		fprintf(stderr, "gtrace run: cannot replace %s: %s\n", out, strerror(errno));
		return false;
	}
	return true;
}

/*
 * The variables for the command. GTRACE_OUT is made absolute, since the command and its children
 * may change their folder; unless the folder's own name holds a "%".
 */
static bool set_environment(const struct run *r)
{
	const char *old = getenv("LD_PRELOAD");
	char cwd[PATH_MAX];
	char *preload = NULL;
	char *out = NULL;
	char level[4];
	bool ok;

	snprintf(level, sizeof(level), "%u", r->zstd);
	ok = asprintf(&preload, "%s%s%s", r->library, old && *old ? ":" : "", old ? old : "") > 0;
	if (*r->out != '/' && getcwd(cwd, sizeof(cwd)) && !strchr(cwd, '%')) {
		ok = ok && asprintf(&out, "%s/%s", cwd, r->out) > 0;
	} else {
		out = strdup(r->out);
	}
	ok = ok && out && setenv("LD_PRELOAD", preload, 1) == 0 &&
	     setenv("GTRACE_OUT", out, 1) == 0 &&
	     (!r->period || setenv("GTRACE_PERIOD", r->period, 1) == 0) &&
	     (!r->events || setenv("GTRACE_EVENTS", r->events, 1) == 0) &&
	     (!r->min || setenv("GTRACE_MIN", r->min, 1) == 0) &&
	     (!r->zstd || setenv("GTRACE_ZSTD", level, 1) == 0) &&
	     (!r->budget || setenv("GTRACE_BUDGET", r->budget, 1) == 0) &&
	     (!r->cpu || setenv("GTRACE_CPU", "1", 1) == 0) &&
	     (!r->alone || setenv("GTRACE_FOLLOW", "0", 1) == 0);
	free(preload);
	free(out);
	if (!ok) {
		fprintf(stderr, "gtrace run: out of memory\n");
	}
	return ok;
}

/* --- After ----------------------------------------------------------------------------------- */

/* The name that the library of process pid writes to: its pid for each %p. */
static void expand(char *to, size_t size, const char *pattern, pid_t pid)
{
	size_t n = 0;

	while (*pattern && n + 1 < size) {
		if (strncmp(pattern, "%p", 2) == 0) {
			n += (size_t)snprintf(to + n, size - n, "%d", (int)pid);
			pattern += 2;
		} else {
			to[n++] = *pattern++;
		}
	}
	to[GT_MIN(n, size - 1)] = '\0';
}

static bool is_newer(const char *path, const struct timespec *start)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       (st.st_mtim.tv_sec > start->tv_sec ||
		(st.st_mtim.tv_sec == start->tv_sec && st.st_mtim.tv_nsec >= start->tv_nsec));
}

/* Names of traces. */
struct names {
	char **array;
	size_t n, cap;
};

static void add_name(struct names *names, const char *name)
{
	char *copy = strdup(name);

	if (copy) {
		names->array = gt_grow(names->array, names->n, &names->cap, sizeof(*names->array));
		names->array[names->n++] = copy;
	}
}

/* The traces that processes other than pid have left beside it. */
static void find_others(const struct run *r, const char *pattern, pid_t pid, struct names *others)
{
	const char *slash = strrchr(pattern, '/');
	int dirlen = slash ? (int)(slash - pattern) + 1 : 0;
	size_t prefix = strcspn(pattern + dirlen, "%");
	char dirname[PATH_MAX];
	char expected[PATH_MAX];
	char path[PATH_MAX + 256];
	struct dirent *e;
	DIR *dir;

	snprintf(dirname, sizeof(dirname), "%.*s", dirlen, pattern);
	dir = opendir(dirlen ? dirname : ".");
	while (dir && (e = readdir(dir))) {
		long other;

		if (strncmp(e->d_name, pattern + dirlen, prefix) != 0) {
			continue;
		}
		other = strtol(e->d_name + prefix, NULL, 10);
		expand(expected, sizeof(expected), pattern + dirlen, (pid_t)other);
		snprintf(path, sizeof(path), "%s%s", dirname, e->d_name);
		if (other > 0 && other != pid && strcmp(expected, e->d_name) == 0 &&
		    is_newer(path, &r->start)) {
			add_name(others, path);
		}
	}
	if (dir) {
		closedir(dir);
	}
}

static void say_size(char *to, size_t n, off_t bytes)
{
	static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
	double size = (double)bytes;
	unsigned i = 0;

	for (; size >= 1000 && i + 1 < GT_LEN(units); i++) {
		size /= 1000;
	}
	snprintf(to, n, i && size < 10 ? "%.1f %s" : "%.0f %s", size, units[i]);
}

static void say_trace(const char *trace, const char *what)
{
	struct stat st;
	char size[32];

	if (stat(trace, &st) == 0) {
		say_size(size, sizeof(size), st.st_size);
		fprintf(stderr,
			"gtrace run: %s, %s%s. See it with: gtrace stat %s, or %sgo tool trace "
			"%s\n",
			trace, size, what, trace,
			gt_input_file_is_packed(trace) ? "zstd -d and " : "", trace);
	}
}

/* The trouble with the trace of the command itself, if there is any. */
static void say_trouble(const char *trace, int status)
{
	const bool unfinished = gt_spool_is_beside(trace);

	if (access(trace, F_OK) != 0) {
		fprintf(stderr, "gtrace run: %s was not written: %s\n", trace,
			unfinished ? "the program ended within the first generation"
				   : "the library was not loaded, or gave up and said so above");
	} else if (unfinished) {
		fprintf(stderr,
			"gtrace run: %s lacks its end, from the last generation on: the "
			"program %s\n",
			trace,
			WIFSIGNALED(status) ? "was killed"
					    : "ended in a way that could not be seen");
	}
}

/*
 * What a person wants to know afterwards. Good news only where somebody reads it, so that scripts
 * see the command's own output alone; bad news always.
 */
static void report(const struct run *r, pid_t pid, int status)
{
	bool with_pid = strstr(r->out, "%p") != NULL;
	char pattern[PATH_MAX + 8]; /* of all processes but the command's first program */
	char trace[PATH_MAX];
	char execed[PATH_MAX];
	struct names traces = {0};
	bool exec, loud = r->verbose || isatty(STDERR_FILENO);
	size_t others;

	snprintf(pattern, sizeof(pattern), "%s%s", r->out, with_pid ? "" : ".%p");
	expand(trace, sizeof(trace), r->out, pid);
	expand(execed, sizeof(execed), pattern, pid);
	/* What a shell would have said of a child of its own, with the same exceptions. */
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGINT && WTERMSIG(status) != SIGPIPE) {
		fprintf(stderr, "gtrace run: %s: %s%s\n", r->argv[0], strsignal(WTERMSIG(status)),
			WCOREDUMP(status) ? " (core dumped)" : "");
	}
	say_trouble(trace, status);
	if (r->raw && !loud) {
		return;
	}
	exec = !with_pid && is_newer(execed, &r->start);
	find_others(r, pattern, pid, &traces);
	others = traces.n;
	if (!r->raw) {
		add_name(&traces, trace);
		if (exec) {
			add_name(&traces, execed);
		}
		gt_symbolize_apart("run", traces.array, traces.n, r->zstd);
	}
	for (size_t i = 0; i < traces.n; i++) {
		free(traces.array[i]);
	}
	free(traces.array);
	if (!loud) {
		return;
	}
	say_trace(trace, "");
	if (exec) {
		say_trace(execed, " after exec");
	}
	if (others) {
		fprintf(stderr, "gtrace run: and %zu of other processes, %s where %%p is the pid\n",
			others, pattern);
	}
}

/* --- The command line ------------------------------------------------------------------------ */

/* False with the exit status where there is nothing to run. */
static bool parse(struct run *r, int argc, char **argv, int *status)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"period", required_argument, NULL, 'p'},
		{"events", required_argument, NULL, 'e'},
		{"min", required_argument, NULL, 'm'},
		{"no-follow", no_argument, NULL, 'f'},
		{"cpu", no_argument, NULL, 'c'},
		GT_PACK_OPTION,
		{"budget", required_argument, NULL, 'b'},
		{"no-symbolize", no_argument, NULL, 's'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	char letter[3];
	uint64_t ns, share, classes = 0;
	int c;

	*status = GT_EXIT_TROUBLE;
	optind = 0; /* glibc: start anew */
	while ((c = getopt_long(argc, argv, "+:o:e:vh", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			r->out = optarg;
			break;
		case 'p':
			if (!gt_env_time(optarg, &ns) || ns == 0) {
				gt_cmd_usage("run",
					     "--period %s: not a duration such as 10ms or 1s",
					     optarg);
				return false;
			}
			r->period = optarg;
			break;
		case 'e':
			if (!gt_env_classes(optarg, &classes)) {
				gt_cmd_usage("run",
					     "--events %s: not a list of classes such as sync,net "
					     "or -io,-file",
					     optarg);
				return false;
			}
			r->events = optarg;
			break;
		case 'm':
			if (!gt_env_time(optarg, &ns)) {
				gt_cmd_usage("run", "--min %s: not a duration such as 10us",
					     optarg);
				return false;
			}
			r->min = optarg;
			break;
		case 'b':
			if (!gt_env_share(optarg, &share)) {
				gt_cmd_usage("run",
					     "--budget %s: not a share such as 1%% or 0.5%%, at "
					     "most 100%%",
					     optarg);
				return false;
			}
			r->budget = optarg;
			break;
		case 'f':
			r->alone = true;
			break;
		case 'c':
			r->cpu = true;
			break;
		case 's':
			r->raw = true;
			break;
		case GT_PACK_LETTER:
			r->zstd = gt_pack_level(optarg);
			if (r->zstd == 0) {
				gt_cmd_usage("run", "--zstd=%s: expected 1 to 19", optarg);
				return false;
			}
			break;
		case 'v':
			r->verbose = true;
			break;
		case 'h':
			fputs(help, stdout);
			*status = GT_EXIT_GOOD;
			return false;
		case ':':
			gt_cmd_usage("run", "%s: needs a value", argv[optind - 1]);
			return false;
		default:
			snprintf(letter, sizeof(letter), "-%c", optopt);
			gt_cmd_usage("run", "%s: no such option",
				     optopt ? letter : argv[optind - 1]);
			return false;
		}
	}
	r->argv = argv + optind;
	if (!*r->argv) {
		gt_cmd_usage("run", "which command?");
		return false;
	}
	return true;
}

int gt_cmd_run(int argc, char **argv)
{
	struct run *r = calloc(1, sizeof(*r));
	char name[PATH_MAX];
	const char *base;
	pid_t pid = 0;
	int status;
	int result;

	if (!r) {
		fprintf(stderr, "gtrace run: out of memory\n");
		return GT_EXIT_TROUBLE;
	}
	if (!parse(r, argc, argv, &result)) {
		goto done;
	}
	if (!r->out) {
		r->out = getenv("GTRACE_OUT");
	}
	if (!r->out || !*r->out) {
		base = strrchr(r->argv[0], '/');
		snprintf(name, sizeof(name), "%s.trace%s", base ? base + 1 : r->argv[0],
			 r->zstd ? ".zst" : "");
		r->out = name;
	}
	if (!r->zstd && gt_pack_is_named(r->out)) {
		r->zstd = GT_PACK_USUAL;
	}
	if (!gt_program_find(&r->program, r->argv[0])) {
		fprintf(stderr, "gtrace run: %s\n", r->program.text);
		result = r->program.status;
		goto done;
	}
	if (*r->program.text) {
		fprintf(stderr, "gtrace run: note: %s\n", r->program.text);
	}
	result = GT_EXIT_TROUBLE;
	if (!find_library(r) || !clear_output(r->out) || !set_environment(r)) {
		goto done;
	}
	if (r->verbose) {
		fprintf(stderr, "gtrace run: %s with %s\n", r->program.path, r->library);
	}
	clock_gettime(CLOCK_REALTIME_COARSE, &r->start); /* file times are of this clock */
	status = gt_spawn_wait(&r->program, r->argv, &pid, &result);
	if (status >= 0) {
		report(r, pid, status);
		result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
done:
	free(r);
	return result;
}
