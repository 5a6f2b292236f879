/*
 * Symbolizing at the end of gtrace run.
 */
#include "run_symbolize.h"

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
#include "symbolize.h"

/* A second or two; more is for who asks for it. */
#define LARGE ((off_t)1 << 30)

struct traces {
	char *const *paths;
	size_t n;
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = number;
}

static bool is_unfinished(const char *path)
{
	char *spool = NULL;
	bool is = asprintf(&spool, "%s.spool", path) < 0 || access(spool, F_OK) == 0;

	free(spool);
	return is;
}

static void warn(const char *path, const char *why)
{
	fprintf(stderr, "gtrace run: %s has no source lines: %s\n", path, why);
}

static void symbolize(struct gt_symbolizer *s, const char *path)
{
	struct gt_error e = {0};
	struct gt_output out;
	char text[1400];
	struct stat st;
	int n, reason;
	bool good;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0 ||
	    is_unfinished(path)) {
		return;
	}
	if (st.st_size > LARGE) {
		warn(path, "it is large. To give it some: gtrace symbolize");
		return;
	}
	if (gt_output_open(&out, path) < 0) {
		warn(path, strerror(errno));
		return;
	}
	n = gt_symbolize(s, path, out.file, &e);
	reason = errno;
	good = n == 0 || e.kind == GT_ERROR_TRUNCATED;
	if (gt_output_close(&out, good) < 0) {
		warn(path, strerror(errno));
	} else if (!good && e.kind != GT_ERROR_NONE) {
		gt_error_text(&e, text, sizeof(text));
		warn(path, text);
	} else if (!good) {
		warn(path,
		     stop ? "interrupted. To give it some: gtrace symbolize" : strerror(reason));
	}
}

static void symbolize_all(void *argument)
{
	const struct traces *t = argument;
	const struct gt_symbolize_options options = {.stop = &stop};
	const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct gt_symbolizer *s = gt_symbolizer_new(&options);

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	unsetenv("DEBUGINFOD_URLS");
	for (size_t i = 0; i < t->n && !stop; i++) {
		symbolize(s, t->paths[i]);
	}
	gt_symbolizer_free(s);
}

void gt_run_symbolize(char *const *paths, size_t n)
{
	struct traces t = {paths, n};
	int status;

	if (gt_sym_missing() != NULL || n == 0) {
		return;
	}
	status = gt_spawn_call(symbolize_all, &t);
	if (status < 0) {
		fprintf(stderr, "gtrace run: the trace has no source lines: fork: %s\n",
			strerror(errno));
	} else if (WIFSIGNALED(status)) {
		fprintf(stderr,
			"gtrace run: a trace may have no source lines: %s while debug information "
			"was read\n",
			strsignal(WTERMSIG(status)));
	}
}
