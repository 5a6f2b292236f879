/*
 * A profile of a trace: times of spans, summed by the stack that is to blame for them. For pprof
 * and for collapsed stacks.
 *
 *	struct gt_profile p;
 *	n = gt_profile_read(&p, path, type, &window, &error);
 *	look at p.samples, whose keys are indices into p.spans
 *	gt_profile_fini(&p);
 */
#pragma once

#include "facts.h"
#include "globals.h"
#include "model_set.h"
#include "span.h"
#include "window.h"

struct gt_profile_type {
	const char *name;
	const char *doc;
	uint8_t kind;                       /* enum gt_span_kind; EVENT: CPU samples */
	bool (*wanted)(const char *reason); /* of a wait; NULL: all */
	bool to_holder;                     /* blamed on who ended the wait, not on who waited */
};

extern const struct gt_profile_type gt_profile_types[];
extern const size_t gt_profile_types_count;
/* NULL: no such type. */
const struct gt_profile_type *gt_profile_type(const char *name);

/* Indices of span.h; GT_SPAN_NONE: not known, or it does not apply. */
struct gt_profile_key {
	uint32_t stack;
	uint32_t thread; /* that is to blame */
	uint32_t waiter; /* of a wait that is blamed on its holder */
	uint32_t object;
	uint32_t reason;
	uint32_t call; /* calls.def */
};

struct gt_profile_sum {
	uint64_t count;
	uint64_t ns; /* 0 of CPU samples: how much one stands for is not in the trace */
};

/* Of a file's code; strings of span.h. One range may be another file's in another generation. */
struct gt_profile_mapping {
	uint64_t start, bytes, offset;
	uint32_t file, build_id;
};

struct gt_profile {
	const struct gt_profile_type *type;
	struct gt_merge *merge;
	struct gt_spans *spans;
	struct gt_set samples;  /* key: struct gt_profile_key, value: struct gt_profile_sum */
	struct gt_set mappings; /* key: struct gt_profile_mapping */
	struct gt_globals *globals;
	struct gt_window window;
	uint64_t begin, end; /* of what was looked at */
	uint64_t wall;       /* ns of the wall clock at the trace's beginning; 0: not known */
	struct gt_broken_offs broken;
	uint64_t loss[GT_LOSS_END]; /* by enum gt_loss, GT_LOSS_NONE being the unknown ones */

	/* For profile.c alone. */
	uint32_t *last; /* by thread: the stack of the wait or call before the span that comes */
	size_t last_cap;
};

/*
 * 0, or -1 with *e. After GT_ERROR_TRUNCATED it holds what was there. To be ended by
 * gt_profile_fini in any case.
 */
int gt_profile_read(struct gt_profile *p, const char *path, const struct gt_profile_type *type,
		    const struct gt_window *window, struct gt_error *e);
void gt_profile_fini(struct gt_profile *p);
/* It is to be shown: of a thread of the program's (or any: system) that the window has in it. */
bool gt_profile_shows(const struct gt_profile *p, const struct gt_profile_key *key, bool system);
/* What the thread waited for or called: "mutex", "read", "sleep"; NULL: it was neither. */
const char *gt_profile_what(const struct gt_profile *p, const struct gt_profile_key *key,
			    struct gt_call_name *room);
/* ns of the wall clock at the beginning of the trace, by the generation of the last event; 0: not
 * said. */
uint64_t gt_profile_wall(const struct gt_spans *s);
/* In place of the frames of a stack that is not known. */
const char *gt_profile_no_stack(const struct gt_profile *p);
