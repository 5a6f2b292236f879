/*
 * Profiles: which spans count for which one, and on whom they are blamed.
 */
#include "profile.h"

#include <stdlib.h>
#include <string.h>

/* --- Types ------------------------------------------------------------------------------------ */

/* The three as in Go's cmd/trace/pprof.go. */
static bool is_sync(const char *reason)
{
	return strstr(reason, "sync") || strstr(reason, "chan") || strstr(reason, "select");
}

static bool is_net(const char *reason)
{
	return strcmp(reason, gt_reason_text(GT_REASON_NETWORK)) == 0;
}

/* What has a holder whose unlock ends the wait. */
static bool is_mutex(const char *reason)
{
	return strcmp(reason, gt_reason_text(GT_REASON_MUTEX)) == 0 ||
	       strcmp(reason, gt_reason_text(GT_REASON_RWLOCK)) == 0;
}

const struct gt_profile_type gt_profile_types[] = {
	{"block", "waits for other threads, by who waited", GT_SPAN_WAIT, is_sync, false},
	{"mutex", "waits for mutexes and rwlocks, by who unlocked", GT_SPAN_WAIT, is_mutex, true},
	{"net", "waits for the network", GT_SPAN_WAIT, is_net, false},
	{"wait", "all waits, sleep and children included", GT_SPAN_WAIT, NULL, false},
	{"syscall", "system calls", GT_SPAN_SYSCALL, NULL, false},
	{"sched", "runnable, by what came before", GT_SPAN_RUNNABLE, NULL, false},
	{"cpu", "CPU samples, where the trace has some", GT_SPAN_EVENT, NULL, false},
};
const size_t gt_profile_types_count = GT_LEN(gt_profile_types);

const struct gt_profile_type *gt_profile_type(const char *name)
{
	for (size_t i = 0; i < GT_LEN(gt_profile_types); i++) {
		if (strcmp(gt_profile_types[i].name, name) == 0) {
			return &gt_profile_types[i];
		}
	}
	return NULL;
}

/* --- Sums ------------------------------------------------------------------------------------- */

static void add(struct gt_profile *p, const struct gt_profile_key *key, uint64_t ns)
{
	struct gt_profile_sum *sum = gt_set_get(&p->samples, key, sizeof(*key));

	sum->count++;
	sum->ns += ns;
}

/* The stack of the wait or the call that a thread comes from, until the next one. */
static uint32_t *last_of(struct gt_profile *p, uint32_t thread)
{
	while (thread >= p->last_cap) {
		const size_t n = p->last_cap;

		p->last = gt_grow(p->last, n, &p->last_cap, sizeof(*p->last));
		memset(p->last + n, 0, (p->last_cap - n) * sizeof(*p->last));
	}
	return &p->last[thread];
}

/* Where it became runnable: it yielded there, it had been in a wait or a call, it was created. */
static uint32_t sched_stack(struct gt_profile *p, const struct gt_span *span)
{
	const uint32_t stack = span->stack ? span->stack : *last_of(p, span->thread);

	return stack ? stack : gt_spans_thread(p->spans, span->thread)->creator_stack;
}

/*
 * The holder is who ended the wait, from the stack of its unlock. Where that is not known, as after
 * a timeout, it is who had the lock when the wait began, and the stack is not known.
 */
static void blame(const struct gt_span *span, struct gt_profile_key *key)
{
	const bool known = span->waker != GT_SPAN_NONE;

	key->waiter = span->thread;
	key->thread = known ? span->waker : span->owner;
	key->stack = known ? span->waker_stack : 0;
}

/* At the end of a wait on a condition, for its mutex; where that was unlocked is not in the trace.
 */
static void add_retake(struct gt_profile *p, const struct gt_span *span)
{
	const struct gt_profile_key key = {
		.thread = span->retake_owner,
		.waiter = span->thread,
		.object = GT_SPAN_NONE,
		.reason = span->reason,
	};

	add(p, &key, span->retake);
}

static void add_span(struct gt_profile *p, const struct gt_span *span)
{
	struct gt_profile_key key = {
		.stack = span->stack,
		.thread = span->thread,
		.waiter = GT_SPAN_NONE,
		.object = span->kind == GT_SPAN_WAIT ? span->object : GT_SPAN_NONE,
		.reason = span->kind == GT_SPAN_WAIT ? span->reason : GT_SPAN_NONE,
		.call = span->named ? (uint32_t)GT_MIN(span->call, UINT32_MAX) : GT_CALL_NONE,
	};

	if (p->type->wanted != NULL &&
	    !p->type->wanted(gt_spans_string(p->spans, span->reason, NULL))) {
		if (p->type->to_holder && span->retakes) {
			add_retake(p, span);
		}
		return;
	}
	if (p->type->to_holder) {
		blame(span, &key);
	} else if (span->kind == GT_SPAN_RUNNABLE) {
		key.stack = sched_stack(p, span);
	}
	add(p, &key, span->end - span->begin);
}

static void add_sample(struct gt_profile *p, const struct gt_event *ev)
{
	const uint32_t thread = gt_spans_by_id(p->spans, ev->g);
	uint64_t from = ev->time, to = ev->time;
	const struct gt_profile_key key = {
		.stack = gt_spans_stack_of(p->spans, ev->args[0]),
		.thread = thread,
		.waiter = GT_SPAN_NONE,
		.object = GT_SPAN_NONE,
		.reason = GT_SPAN_NONE,
	};

	if (gt_window_clip(&p->window, gt_spans_begin(p->spans), &from, &to)) {
		add(p, &key, 0);
	}
}

static void add_mapping(struct gt_profile *p, const struct gt_event *ev)
{
	const struct gt_profile_mapping m = {
		.start = ev->args[0],
		.bytes = ev->args[1],
		.offset = ev->args[2],
		.file = gt_spans_string_of(p->spans, ev->args[3]),
		.build_id = gt_spans_string_of(p->spans, ev->args[4]),
	};

	gt_set_put(&p->mappings, &m, sizeof(m));
	gt_globals_map(p->globals, m.start, m.bytes, m.offset,
		       gt_spans_string(p->spans, m.file, NULL),
		       gt_spans_string(p->spans, m.build_id, NULL));
}

static void event(struct gt_profile *p, const struct gt_event *ev)
{
	if (ev->kind == GT_FACT && ev->number == GT_FACT_LOSS) {
		/* Counted since the trace began: the last one counts. */
		if (ev->args[0] < GT_LOSS_END) {
			p->loss[ev->args[0]] = ev->args[1];
		} else {
			p->loss[GT_LOSS_NONE] = GT_MAX(p->loss[GT_LOSS_NONE], ev->args[1]);
		}
	} else if (ev->kind == GT_FACT && ev->number == GT_FACT_BROKEN) {
		gt_broken_note(&p->broken, ev);
	} else if (ev->kind == GT_FACT && ev->number == GT_FACT_MAPPING) {
		add_mapping(p, ev);
	} else if (p->type->kind == GT_SPAN_EVENT && ev->kind == GT_STRUCT &&
		   ev->number == GT_EV_CPU_SAMPLE) {
		add_sample(p, ev);
	}
}

uint64_t gt_profile_wall(const struct gt_spans *s)
{
	const struct gt_generation *g = gt_spans_generation(s);

	if (g == NULL || !g->has_snapshot) {
		return 0;
	}
	return g->snapshot_sec * 1000000000 + g->snapshot_nsec -
	       (g->snapshot_time - gt_spans_begin(s));
}

int gt_profile_read(struct gt_profile *p, const char *path, const struct gt_profile_type *type,
		    const struct gt_window *window, struct gt_error *e)
{
	struct gt_span span;
	int n;

	*p = (struct gt_profile){
		.type = type,
		.window = *window,
		.samples = gt_set_of(sizeof(struct gt_profile_sum)),
		.globals = gt_globals_create(),
	};
	p->merge = gt_merge_open(path, 0, e);
	if (p->merge == NULL) {
		return -1;
	}
	p->spans = gt_spans_open(p->merge, GT_SPANS_EVENTS);
	while ((n = gt_spans_next(p->spans, &span, e)) > 0) {
		if (span.kind == GT_SPAN_EVENT) {
			p->wall = p->wall ? p->wall : gt_profile_wall(p->spans);
			event(p, span.event);
			continue;
		}
		if (span.kind == type->kind && gt_window_span(window, p->spans, &span)) {
			add_span(p, &span);
		}
		if (span.kind == GT_SPAN_WAIT || span.kind == GT_SPAN_SYSCALL) {
			*last_of(p, span.thread) = span.stack;
		}
	}
	p->begin = gt_spans_begin(p->spans);
	p->end = gt_spans_end(p->spans);
	gt_window_clip(window, p->begin, &p->begin, &p->end);
	return n;
}

void gt_profile_fini(struct gt_profile *p)
{
	gt_set_fini(&p->samples);
	gt_set_fini(&p->mappings);
	gt_globals_destroy(p->globals);
	gt_spans_close(p->spans);
	gt_merge_close(p->merge);
	free(p->last);
	free(p->broken.array);
	*p = (struct gt_profile){0};
}

/* The names by which a thread is chosen are all known at the end only. */
bool gt_profile_shows(const struct gt_profile *p, const struct gt_profile_key *key, bool system)
{
	const uint32_t thread = p->type->to_holder ? key->waiter : key->thread;

	return gt_window_thread(&p->window, p->spans, thread) &&
	       (system || thread == GT_SPAN_NONE || !gt_spans_is_system(p->spans, thread));
}

const char *gt_profile_what(const struct gt_profile *p, const struct gt_profile_key *key,
			    struct gt_call_name *room)
{
	const char *kind = NULL;

	if (key->call != GT_CALL_NONE) {
		return gt_call_name(key->call, room);
	}
	if (p->type->to_holder && key->reason != GT_SPAN_NONE &&
	    !p->type->wanted(gt_spans_string(p->spans, key->reason, NULL))) {
		return "mutex after cond"; /* see add_retake */
	}
	if (key->object != GT_SPAN_NONE) {
		kind = gt_object_text(gt_spans_object(p->spans, key->object)->kind);
	}
	if (kind == NULL && key->reason != GT_SPAN_NONE) {
		kind = gt_spans_string(p->spans, key->reason, NULL);
	}
	return kind;
}

const char *gt_profile_no_stack(const struct gt_profile *p)
{
	return p->type->to_holder ? "[unlock not seen]" : "[no stack]";
}
