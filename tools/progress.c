/*
 * The line of progress.
 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_MS = 1000, EVERY_MS = 200 };

static struct {
	const char *command;   /* NULL: nothing has begun */
	uint64_t total;        /* bytes; 0: not known */
	uint64_t begun, shown; /* ms; shown 0: not yet */
	bool dim;
} progress;

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void gt_progress_begin(const char *command, const char *path)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");
	struct stat st;

	if (!isatty(STDERR_FILENO) || term == NULL || strcmp(term, "dumb") == 0) {
		return;
	}
	progress.command = command;
	progress.total = strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode)
				 ? (uint64_t)st.st_size
				 : 0;
	progress.begun = now_ms();
	progress.shown = 0;
	progress.dim = no == NULL || *no == '\0';
}

void gt_progress_at(uint64_t bytes)
{
	uint64_t now, left;

	if (progress.command == NULL) {
		return;
	}
	now = now_ms();
	if (now - progress.begun < FIRST_MS || now - progress.shown < EVERY_MS) {
		return;
	}
	progress.shown = now;
	fprintf(stderr, "\r%sgtrace %s: ", progress.dim ? "\033[2m" : "", progress.command);
	if (progress.total != 0 && bytes != 0 && bytes <= progress.total) {
		left = (uint64_t)((double)(now - progress.begun) / (double)bytes *
				  (double)(progress.total - bytes) / 1000);
		fprintf(stderr, "%" PRIu64 " %% of %.0f MB, about %" PRIu64 " s more",
			bytes * 100 / progress.total, (double)progress.total / 1e6, left + 1);
	} else {
		fprintf(stderr, "%.1f MB", (double)bytes / 1e6);
	}
	fprintf(stderr, "\033[K%s", progress.dim ? "\033[0m" : "");
	fflush(stderr);
}

void gt_progress_end(void)
{
	if (progress.command != NULL && progress.shown != 0) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
	progress.command = NULL;
}
