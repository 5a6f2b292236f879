/*
 * The critical path: from a chosen end back to its causes. On a thread the path goes back in time;
 * where the thread waited and another one ended that, it goes over to the other, at the moment when
 * it did so; where the thread was made, to its creator. All that lies on the path made the end as
 * late as it was; what lies beside it did not.
 *
 * The spans of the whole trace are kept for that in a temporary file, 48 bytes each, and walked
 * backwards once: memory stays bounded.
 *
 * Ends: "longest-wait", the longest wait that a thread ended, back to its beginning; "thread=X",
 * from the end of a thread (number, tid or name) to the beginning of the trace; anything else is
 * the name of a task, the longest of which is followed from its end to its beginning.
 */
#pragma once

#include "model.h"

/* A stay on one thread. */
struct gt_path_step {
	uint32_t thread;
	uint64_t begin, end;
	uint32_t reason; /* string: why the thread that follows had waited; GT_SPAN_NONE: no wait */
	uint32_t object; /* of the spans: what for */
	uint32_t stack;  /* of the spans: where this one ended that */
	bool created;    /* the thread that follows was made here */
};

/* What a thread did on the path. Key of a struct gt_model_share. */
struct gt_path_part {
	uint32_t thread;
	uint32_t kind;  /* enum gt_span_kind */
	uint64_t what;  /* SYSCALL: the call; WAIT: string, the reason */
	uint32_t stack; /* in model->stacks: where, or of RUNNING: what it ran up to */
	uint32_t zero;  /* the key has no holes */
};

enum { GT_PATH_STEPS = 1000 }; /* so many steps before the end are kept, and the sums of all */

struct gt_path;

/* NULL with errno: the temporary file cannot be made. */
struct gt_path *gt_path_create(const char *end);
void gt_path_destroy(struct gt_path *path);
/* Each span and event of the stream, before any cut. */
void gt_path_span(struct gt_path *path, struct gt_model *model, const struct gt_span *span);

struct gt_path_found {
	bool any;        /* there is such an end */
	int error;       /* errno of the temporary file; 0 */
	uint32_t thread; /* the path's end, */
	uint64_t begin, end;
	uint32_t reason, object;          /* of a longest wait: what it was; GT_SPAN_NONE */
	uint32_t stack;                   /* in model->stacks */
	size_t nsteps;                    /* all of them, */
	const struct gt_path_step *steps; /* the last ones, the last first */
	size_t kept;
	struct gt_set *parts; /* key: struct gt_path_part, struct gt_model_share */
};

/* After the last span. Lives as long as the path. */
struct gt_path_found gt_path_find(struct gt_path *path, struct gt_model *model);
