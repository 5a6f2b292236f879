/*
 * Symbolizing in a process of its own.
 */
#include "symbolize_apart.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output.h"
#include "spawn.h"
#include "spool.h"
#include "symbolize.h"

/* A second or two; more is for who asks for it. */
#define LARGE ((off_t)1 << 30)

struct task {
	const char *command;
	char *const *paths;
	size_t n;
	unsigned zstd;
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = number;
}

static void warn(const struct task *t, const char *path, const char *why)
{
	fprintf(stderr, "gtrace %s: %s has no source lines: %s\n", t->command, path, why);
}

static void symbolize(const struct task *t, struct gt_symbolizer *s, const char *path)
{
	struct gt_error e = {0};
	struct gt_output out;
	char text[1400];
	struct stat st;
	int n, reason;
	bool good;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0 ||
	    gt_spool_is_beside(path)) {
		return;
	}
	if (st.st_size > LARGE) {
		warn(t, path, "it is large. To give it some: gtrace symbolize");
		return;
	}
	if (gt_output_open_trace(&out, path, t->zstd) < 0) {
		warn(t, path, strerror(errno));
		return;
	}
	n = gt_symbolize(s, path, out.file, &e);
	reason = errno;
	good = n == 0 || e.kind == GT_ERROR_TRUNCATED;
	if (gt_output_close(&out, good) < 0) {
		warn(t, path, strerror(errno));
	} else if (!good && e.kind != GT_ERROR_NONE) {
		gt_error_text(&e, text, sizeof(text));
		warn(t, path, text);
	} else if (!good) {
		warn(t, path,
		     stop ? "interrupted. To give it some: gtrace symbolize" : strerror(reason));
	}
}

static void symbolize_all(void *argument)
{
	const struct task *t = argument;
	const struct gt_symbolize_options options = {.stop = &stop};
	const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct gt_symbolizer *s = gt_symbolizer_new(&options);

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	unsetenv("DEBUGINFOD_URLS");
	for (size_t i = 0; i < t->n && !stop; i++) {
		symbolize(t, s, t->paths[i]);
	}
	gt_symbolizer_free(s);
}

void gt_symbolize_apart(const char *command, char *const *paths, size_t n, unsigned zstd)
{
	struct task t = {command, paths, n, zstd};
	int status;

	if (gt_sym_missing() != NULL || n == 0) {
		return;
	}
	status = gt_spawn_call(symbolize_all, &t);
	if (status < 0) {
		fprintf(stderr, "gtrace %s: the trace has no source lines: fork: %s\n", command,
			strerror(errno));
	} else if (WIFSIGNALED(status)) {
		fprintf(stderr,
			"gtrace %s: a trace may have no source lines: %s while debug information "
			"was read\n",
			command, strsignal(WTERMSIG(status)));
	}
}
