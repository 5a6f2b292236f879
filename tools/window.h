/*
 * A part of a trace: what lies between two times, of one thread or of all. The options --from, --to
 * and --thread of the commands that look at spans.
 */
#pragma once

#include "span.h"

struct gt_window {
	uint64_t from, to;  /* ns since the beginning of the trace; UINT64_MAX: to its end */
	const char *thread; /* NULL: all */
};

#define GT_WINDOW_ALL ((struct gt_window){.to = UINT64_MAX})

/* For getopt_long: their values are those of enum gt_window_option. */
#define GT_WINDOW_OPTIONS                                           \
	{"from", required_argument, NULL, GT_WINDOW_FROM},          \
		{"to", required_argument, NULL, GT_WINDOW_TO},      \
	{                                                           \
		"thread", required_argument, NULL, GT_WINDOW_THREAD \
	}

enum gt_window_option { GT_WINDOW_FROM = 1000, GT_WINDOW_TO, GT_WINDOW_THREAD };

/* For the help of a command. */
#define GT_WINDOW_HELP                                                                          \
	"  --from T, --to T\n"                                                                  \
	"               only what lies between these times since the beginning: 1.5s, 200ms\n"  \
	"  --thread X   only the thread with this tid or number (#3), or those with this name " \
	"or\n"                                                                                  \
	"               start routine: a pattern with * ? [] as well, which sh wants quoted\n"

/* Takes one of them, and its argument: false where that is no time. */
bool gt_window_take(struct gt_window *w, int option, const char *text);
/* Cuts a time to it; begin: of the trace. False: nothing of the time is in it. */
bool gt_window_clip(const struct gt_window *w, uint64_t begin, uint64_t *from, uint64_t *to);
/*
 * The same of all of a span: one whose end is cut off lasts at the end of the window, and what
 * ended it is not in there.
 */
bool gt_window_span(const struct gt_window *w, const struct gt_spans *s, struct gt_span *span);
/* By what is known of the thread so far: its names may come after its first spans. */
bool gt_window_thread(const struct gt_window *w, const struct gt_spans *s, uint32_t thread);
