/*
 * What the targets share: their form, and what they do with a trace.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Where the trace is in an input: behind that many bytes. sized: the last two of them are its size,
 * and something else follows it. For mutate.c, which knows traces.
 */
struct gt_fuzz_form {
	size_t before;
	bool sized;
};

extern const struct gt_fuzz_form gt_fuzz_form;

/* The trace of an input that is long enough for what stands before it. */
static inline size_t gt_fuzz_trace_size(const uint8_t *data, size_t size)
{
	const struct gt_fuzz_form *f = &gt_fuzz_form;
	const size_t rest = size - f->before;

	return f->sized ? GT_MIN((size_t)(data[f->before - 2] | data[f->before - 1] << 8), rest)
			: rest;
}

/* Where output goes that nobody looks at. */
static inline FILE *gt_fuzz_nowhere(void)
{
	static FILE *out;

	if (out == NULL) {
		out = fopen("/dev/null", "w");
	}
	return out;
}

/* Whether a trace is valid, as gtrace verify says it; else *e. */
static inline bool gt_fuzz_valid(const void *data, size_t size, struct gt_error *e)
{
	struct gt_merge *t = gt_merge_open_memory(data, size, GT_MERGE_STRICT, e);
	struct gt_event ev;
	int n = -1;

	while (t != NULL && (n = gt_merge_next(t, &ev, e)) > 0) {
	}
	gt_merge_close(t);
	return n == 0;
}

/* A file that has these bytes, for what takes a path; to be closed. */
struct gt_fuzz_file {
	int fd;
	char path[40];
};

static inline struct gt_fuzz_file gt_fuzz_open(const void *data, size_t size)
{
	struct gt_fuzz_file f = {.fd = memfd_create("fuzz", MFD_CLOEXEC)};

	if (f.fd < 0 || write(f.fd, data, size) != (ssize_t)size) {
		abort();
	}
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

/* Says what a trace has become that must be valid, and ends. */
static inline _Noreturn void gt_fuzz_wrong(const char *what, const struct gt_error *e)
{
	char text[2000];

	gt_error_text(e, text, sizeof(text));
	fprintf(stderr, "%s: %s\n", what, text);
	abort();
}

/* A failure has words. */
static inline void gt_fuzz_said(const struct gt_error *e)
{
	if (e->kind == GT_ERROR_NONE || e->message[0] == '\0') {
		fprintf(stderr, "failed without a word\n");
		abort();
	}
}
