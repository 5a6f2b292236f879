/*
 * The witness: runs a command and writes down, for each process of it, the state in which it ends.
 *
 *	witness REPORT COMMAND...
 *
 * Nothing is added to the process: the kernel stops each task on its way out (PTRACE_EVENT_EXIT),
 * when its descriptors, limits and memory are still there, whatever way it goes. For each process
 * a paragraph: its name, wait status, how many threads it ever had and programs it executed, which
 * signals reached it, and what /proc knows; for each exec one with the threads until then. run
 * compares the paragraphs. The exit status is the command's own; a signal's number + 128; 77 where
 * the kernel allows no tracing; 99 trouble here.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Above every /proc/sys/kernel/pid_max. */
enum { TIDS = 1 << 22 };

struct process {
	uint64_t signals; /* bit n: signal n + 1 was delivered */
	unsigned threads;
	unsigned programs;
	bool told;
};

static pid_t process_by_tid[TIDS]; /* 0: not seen yet */
static struct process *processes[TIDS];
static FILE *report;

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("witness: ", stderr);
	vfprintf(stderr, format, args);
	fprintf(stderr, ": %s\n", strerror(errno));
	va_end(args);
	exit(99);
}

/* The value of a line of /proc/TID/status, without the line's end; "" where it is gone. */
static void status_line(pid_t tid, const char *key, char *to, size_t size)
{
	char path[64];
	char line[512];
	size_t n = strlen(key);
	FILE *f;

	to[0] = '\0';
	snprintf(path, sizeof path, "/proc/%d/status", tid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		if (strncmp(line, key, n) == 0 && line[n] == ':') {
			char *value = line + n + 1;

			while (isspace((unsigned char)*value)) {
				value++;
			}
			value[strcspn(value, "\n")] = '\0';
			snprintf(to, size, "%s", value);
			break;
		}
	}
	if (f) {
		fclose(f);
	}
}

static struct process *state_of(pid_t pid)
{
	if (!processes[pid]) {
		processes[pid] = calloc(1, sizeof *processes[pid]);
		if (!processes[pid]) {
			die("memory");
		}
		processes[pid]->threads = 1;
	}
	return processes[pid];
}

/* A task's first stop is when it begins, so each thread is seen once, however soon it ends. */
static pid_t process_of(pid_t tid)
{
	char text[32];

	if (!process_by_tid[tid]) {
		status_line(tid, "Tgid", text, sizeof text);
		process_by_tid[tid] = *text ? atoi(text) : tid;
		if (process_by_tid[tid] != tid) {
			state_of(process_by_tid[tid])->threads++;
		}
	}
	return process_by_tid[tid];
}

static void tell_link(const char *key, pid_t pid, const char *name)
{
	char path[300];
	char target[4096];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	n = readlink(path, target, sizeof target - 1);
	if (n < 0) {
		n = 0;
	}
	target[n] = '\0';
	/* Pipes and sockets have a number of their own each time. */
	if (strncmp(target, "pipe:", 5) == 0 || strncmp(target, "socket:", 7) == 0) {
		target[strcspn(target, "[")] = '\0';
	}
	fprintf(report, "%s %s\n", key, target);
}

static void tell_descriptors(pid_t pid)
{
	char path[64];
	struct dirent **names;
	int n;

	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	n = scandir(path, &names, NULL, versionsort);
	for (int i = 0; i < n; i++) {
		if (isdigit((unsigned char)names[i]->d_name[0])) {
			char key[300];
			char file[300];

			snprintf(key, sizeof key, "fd %s", names[i]->d_name);
			snprintf(file, sizeof file, "fd/%s", names[i]->d_name);
			tell_link(key, pid, file);
		}
		free(names[i]);
	}
	if (n >= 0) {
		free(names);
	}
}

static void tell_file(pid_t pid, const char *name)
{
	char path[64];
	char line[512];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		fprintf(report, "%s: %s", name, line);
	}
	if (f) {
		fclose(f);
	}
}

static void tell(pid_t pid, int status)
{
	static const char *const lines[] = {"SigBlk",       "SigIgn", "SigCgt",     "Umask",
					    "Uid",          "Gid",    "NoNewPrivs", "Seccomp",
					    "Cpus_allowed", "VmHWM"};
	struct process *p = state_of(pid);
	char value[512];

	status_line(pid, "Name", value, sizeof value);
	fprintf(report, "name %s\nstatus %#x\nthreads %u\nprograms %u\nsignals %#llx\n", value,
		status, p->threads, p->programs, (unsigned long long)p->signals);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		status_line(pid, lines[i], value, sizeof value);
		fprintf(report, "%s %s\n", lines[i], value);
	}
	tell_link("cwd", pid, "cwd");
	tell_link("root", pid, "root");
	tell_descriptors(pid);
	tell_file(pid, "limits");
	tell_file(pid, "oom_score_adj");
	fputs("\n", report);
	p->told = true;
}

static unsigned long message_of(pid_t tid)
{
	unsigned long message = 0;

	ptrace(PTRACE_GETEVENTMSG, tid, NULL, &message);
	return message;
}

/* One stop of one task; gives back the signal to go on with. */
static int take_stop(pid_t tid, int status)
{
	pid_t pid = process_of(tid);
	struct process *p = state_of(pid);
	int sig = WSTOPSIG(status);

	switch (status >> 16) {
	case PTRACE_EVENT_EXEC:
		/* Whoever called it is the process now, and alone in it. */
		fprintf(report, "status exec\nthreads %u\n\n", p->threads);
		p->threads = 1;
		p->programs++;
		return 0;
	case PTRACE_EVENT_EXIT:
		if (tid == pid) {
			tell(pid, (int)message_of(tid));
		}
		return 0;
	case 0:
		p->signals |= UINT64_C(1) << (sig - 1);
		return sig;
	default:
		return 0;
	}
}

static pid_t launch(char **command)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready) || (pid = fork()) < 0) {
		die("pipe, fork");
	}
	if (pid == 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) != 1) {
			_exit(99);
		}
		close(ready[0]);
		execvp(command[0], command);
		die("%s", command[0]);
	}
	close(ready[0]);
	if (ptrace(PTRACE_SEIZE, pid, NULL,
		   PTRACE_O_EXITKILL | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEFORK |
			   PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)) {
		fprintf(stderr, "witness: ptrace: %s\n", strerror(errno));
		exit(77);
	}
	if (write(ready[1], "", 1) != 1) {
		die("write");
	}
	close(ready[1]);
	return pid;
}

/* A stop by SIGSTOP and its kin, which lasts until SIGCONT. */
static bool is_group_stop(int status)
{
	int sig = WSTOPSIG(status);

	return status >> 16 == PTRACE_EVENT_STOP &&
	       (sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU);
}

int main(int argc, char **argv)
{
	int status;
	int end = 0;
	pid_t first;
	pid_t tid;

	if (argc < 3) {
		fputs("usage: witness REPORT COMMAND...\n", stderr);
		return 99;
	}
	report = fopen(argv[1], "we");
	if (!report) {
		die("%s", argv[1]);
	}
	first = launch(argv + 2);
	while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (tid < 0) {
			continue;
		}
		if (WIFSTOPPED(status)) {
			int sig = take_stop(tid, status);

			ptrace(is_group_stop(status) ? PTRACE_LISTEN : PTRACE_CONT, tid, NULL,
			       (void *)(intptr_t)sig);
			continue;
		}
		if (tid == first) {
			end = status;
		}
		if (process_of(tid) == tid) {
			struct process *p = state_of(tid);

			if (!p->told) {
				fprintf(report, "name ?\nstatus %#x\n\n", status);
			}
			free(p);
			processes[tid] = NULL;
		}
		/* The number may come again. */
		process_by_tid[tid] = 0;
	}
	if (fclose(report)) {
		die("%s", argv[1]);
	}
	return WIFSIGNALED(end) ? 128 + WTERMSIG(end) : WEXITSTATUS(end);
}
