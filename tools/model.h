/*
 * The model of a trace: who ran, who waited where and for what, who ended the waits.
 *
 *	struct gt_model *model = gt_model_create();
 *	n = gt_model_read(model, merge, &error);
 *	look around in *model
 *	gt_model_destroy(model);
 *
 * Sums over the spans of the trace (span.h), which say what a wait is, and who ended it. Memory is
 * bounded by the numbers of threads, stacks, objects and pairs of them, not by events. Everything
 * has an index: threads, strings and objects that of the spans; sites and stacks, which are lists
 * of functions here, in their sets. The sets of pairs are sums over the waits that belong to both.
 *
 * Times are ns; points in time those of the trace clock, begin being the first.
 */
#pragma once

#include "facts.h"
#include "globals.h"
#include "lists.h"
#include "model_hist.h"
#include "model_lock.h"
#include "model_set.h"
#include "name.h"
#include "span.h"
#include "window.h"

#define GT_MODEL_NONE GT_SPAN_NONE /* as an index: none, nobody, not known */

/* What of a trace is asked for. */
struct gt_model_cut {
	struct gt_window window;
	const char *object;  /* "0x5567", "#3" or a name; NULL: all */
	const char *address; /* of what has that name; NULL: it is none, or nothing has it */
};

struct gt_model_thread {
	const struct gt_span_thread *is; /* who it is */
	bool system;                     /* the tracer's or the runtime's own */
	uint32_t entry; /* string: its start routine, or where that is of a language's library, the
			   first function below that is not */
	uint64_t running, runnable, waiting;
	uint64_t syscall;         /* in system calls, and has its processor */
	uint64_t syscall_blocked; /* in system calls, its processor gone */
	uint64_t blocks;          /* it ran and blocked */
	uint64_t syscalls;        /* it ran and entered a system call */
	uint64_t how[GT_SPAN_HOWS];
	/* Waits that say how long the thread was on a processor meanwhile; until it ran again. */
	struct gt_model_share counted;
	uint64_t on_cpu;      /* in those */
	uint64_t yields;      /* calls of sched_yield, */
	uint64_t yields_long; /* those that took long enough for an event among them, */
	uint64_t yields_ns;   /* the others within these times */
};

/* Calls with one number. Key: the number as uint64_t; 0: no fact names them. */
struct gt_model_call {
	struct gt_model_share share;
	struct gt_hist hist;
	struct gt_model_share blocked; /* those that were waits, or lost their processor */
	uint64_t failed;
	uint64_t untimed; /* not in the share: facts of a thread that was in no call */
};

/* Waits from one stack for one reason. Key: struct gt_model_site_key. */
struct gt_model_site {
	struct gt_model_share share;
	struct gt_hist hist;
	uint64_t runnable; /* ns from the ends of these waits to running */
	uint64_t how[GT_SPAN_HOWS];
	struct gt_model_share retakes; /* at the end, for the mutex that goes with the condition */
	bool system;                   /* only system threads waited there */
};

struct gt_model_site_key {
	uint32_t reason, stack;
};

/* What was waited for. Key: the index of the object in the spans. */
struct gt_model_object {
	struct gt_model_share share;
	struct gt_model_share
		retakes;     /* besides: of this mutex, at the ends of waits on conditions */
	struct gt_hist hist; /* of both */
	uint64_t how[GT_SPAN_HOWS];
};

/* Who woke whom. Key of a struct gt_model_share. */
struct gt_model_wake_key {
	uint32_t waker, wakee;  /* waker may be GT_MODEL_NONE */
	uint32_t reason, stack; /* of the waker */
};

/* The sums over the waits that belong both to a and to b, which are indices. */
struct gt_model_pair {
	uint32_t a, b;
};

struct gt_model_pairs {
	struct gt_set set; /* key: struct gt_model_pair, value: struct gt_model_share */
	uint32_t *order;   /* at the end: by a, then the longest in total first */
};

/* Threads with the same entry, which is the key. */
struct gt_model_group {
	uint32_t threads;
	uint32_t first; /* of them */
	uint32_t label; /* the last one of each of them; GT_MODEL_NONE: they differ */
	bool system;
	uint64_t running, runnable, waiting, syscall, syscall_blocked, blocks, syscalls;
	uint64_t yields, yields_ns;
};

/* What the overhead governor (GTRACE_BUDGET) said, all steps together; times in ns. */
struct gt_model_budget {
	uint64_t steps;              /* 0: there was none */
	uint64_t cpu;                /* processor time of the process */
	uint64_t cost;               /* of tracing, a part of it */
	uint64_t held;               /* of that, while a thread had a lock */
	uint64_t calls_ns, waits_ns; /* how long what was left out took, estimated */
	uint64_t depth_min;          /* frames of a stack at most, at the worst */
};

struct gt_model {
	/* About the file. */
	unsigned version; /* of the header: 22 to 26 */
	bool by_gtrace;   /* it holds facts, or gtrace's advancer runs in it */
	uint64_t begin, end;
	uint64_t events, generations, samples;
	uint64_t cpus;              /* 0: not said */
	uint64_t loss[GT_LOSS_END]; /* by enum gt_loss */
	uint64_t loss_unknown;      /* of kinds that this version does not know */
	struct gt_model_budget budget;
	struct gt_broken_offs broken; /* recording ended before the program */
	uint64_t unread;              /* batches of facts read in part, their writer being newer */
	uint64_t how[GT_SPAN_HOWS];   /* of waits of threads that are not system threads */
	uint64_t users, systems;      /* threads */

	struct gt_spans *spans; /* threads, strings and objects; it has been read to its end */
	struct gt_model_thread *threads; /* by index */
	size_t nthreads, threads_cap;

	struct gt_lists stacks; /* of strings: functions, innermost first; 0 is the empty one */
	struct gt_set sites;    /* struct gt_model_site */
	struct gt_set objects;  /* struct gt_model_object */
	struct gt_set wakes;    /* struct gt_model_share */
	struct gt_set calls;    /* struct gt_model_call */
	struct gt_set spins;    /* key: struct gt_span_object, struct gt_model_share: estimates */
	struct gt_set about;    /* key: enum gt_about as uint64_t, value: uint64_t */

	struct gt_model_pairs site_thread;                /* who waited there */
	struct gt_model_pairs site_object;                /* for what */
	struct gt_model_pairs site_owner;                 /* who had it when the wait began */
	struct gt_model_pairs site_waker;                 /* who ended it; b may be GT_MODEL_NONE */
	struct gt_model_pairs site_retake;                /* who set the mutex of a retake free */
	struct gt_model_pairs object_owner;               /* who had it when a wait for it began */
	struct gt_model_pairs object_waker;               /* who ended it; b may be GT_MODEL_NONE */
	struct gt_model_pairs object_site, object_thread; /* where, and who, waited for it */
	/* Who did so after a condition, and where it waited for that. */
	struct gt_model_pairs object_retaker, object_retake_site;
	struct gt_model_pairs call_thread, call_stack;
	struct gt_model_pairs call_error; /* b: errno */
	struct gt_model_pairs spin_thread, spin_stack;

	/* model_lock.h */
	struct gt_set locks;  /* key: struct gt_model_lock_key, value: uint32_t, an object of it */
	struct gt_set holds;  /* key: struct gt_model_hold_key, struct gt_model_hold */
	struct gt_set doings; /* key: struct gt_model_doing_key, struct gt_model_share */
	struct gt_set orders; /* key: struct gt_model_order_key, struct gt_model_order */
	struct gt_model_stuck *stuck;
	size_t nstuck, stuck_cap;
	uint32_t cycles; /* circles of waits at the end */
	struct gt_model_ring *rings;
	size_t nrings, rings_cap;

	/* Made at the end. */
	struct gt_model_pairs hold_thread, hold_stack;     /* of holds: a is the object */
	struct gt_model_pairs object_doing;                /* b: index in doings */
	struct gt_model_pairs thread_reason, group_reason; /* reason: name index */
	struct gt_set groups;                              /* struct gt_model_group */
	struct gt_set group_wakes; /* as wakes, with groups for threads, without system threads */
	struct gt_set owners; /* key: thread index; struct gt_model_share of the waits for it */

	struct gt_globals *globals;
	struct gt_set plain; /* key: string, value: char *, of gt_model_plain */

	/* What is asked for, of the trace clock. */
	struct gt_model_cut cut;
	uint64_t from, to;

	/* For the making alone. */
	void (*watch)(void *, struct gt_model *, const struct gt_span *);
	void *watch_data;
	struct gt_model_locks *lock_state;
	uint32_t *stack_of; /* by the spans' index: index in stacks, plus one */
	size_t nstack_of;
};

struct gt_model *gt_model_create(void);
void gt_model_destroy(struct gt_model *model);

/* All events of t: 0, or -1 with *e; the model then has what came before. */
int gt_model_read(struct gt_model *model, struct gt_merge *t, struct gt_error *e);
/* Before that: who else is to see each span of the stream, before it is cut. */
void gt_model_set_watch(struct gt_model *model,
			void (*watch)(void *, struct gt_model *, const struct gt_span *),
			void *data);
/* Before that: only so much of it. What the texts point to must live as long as the model. */
void gt_model_set_cut(struct gt_model *model, const struct gt_model_cut *cut);
/* Whether waits of a thread for an object of the spans (or GT_SPAN_NONE) are asked for. */
bool gt_model_wants(const struct gt_model *model, uint32_t thread, uint32_t object);
/* Whether an object of the spans is called so. */
bool gt_model_is_object(const struct gt_model *model, uint32_t object, const char *text);

/* For gt_model_read: all spans have been. */
void gt_model_end(struct gt_model *model);
/* For gt_model_read: what a span says of the entries of its threads. */
void gt_model_entry(struct gt_model *model, const struct gt_span *span);
/* For gt_model_read: one span, already cut, or event, after the other. */
void gt_model_span(struct gt_model *model, const struct gt_span *span);
/* For model_event.c: model_call.c. A system call, a wait that is one, a call without a time. */
void gt_model_call(struct gt_model *model, const struct gt_span *span);
/* The thread on the fact's M spun. */
void gt_model_spin(struct gt_model *model, uint32_t thread, const struct gt_event *ev);
/* The thread with this index, which may be new; until the next one. */
struct gt_model_thread *gt_model_thread(struct gt_model *model, uint32_t thread);
/* The stack of functions of a stack of the spans. */
uint32_t gt_model_stack_of(struct gt_model *model, uint32_t stack);

const char *gt_model_name(const struct gt_model *model, uint32_t name);
/* The same as people write it: demangled, if it is the linker's. */
const char *gt_model_plain(const struct gt_model *model, uint32_t name);
/* The name that a thread was given last; GT_MODEL_NONE. */
uint32_t gt_model_label(const struct gt_model *model, uint32_t thread);
/* The name of an object of the spans, if it is a global whose file is there; NULL. */
const char *gt_model_global(const struct gt_model *model, uint32_t object);
/* By its index in objects. */
const struct gt_span_object *gt_model_object(const struct gt_model *model, uint32_t object);
/* The names of a stack's functions, innermost first, into names; how many these are. */
size_t gt_model_stack(const struct gt_model *model, uint32_t stack, uint32_t names[GT_LISTS_MAX]);
/* One more of so many ns. */
void gt_model_share_add(struct gt_model_share *share, uint64_t ns);
void gt_model_pair_add(struct gt_model_pairs *pairs, uint32_t a, uint32_t b, uint64_t ns);
/* The sum of two. */
void gt_model_share_join(struct gt_model_share *to, const struct gt_model_share *share);
void gt_model_pair_join(struct gt_model_pairs *pairs, uint32_t a, uint32_t b,
			const struct gt_model_share *share);
/* The group of a thread: its index in groups. */
uint32_t gt_model_group(struct gt_model *model, uint32_t thread);

/* After gt_model_read: where the pairs with this a begin in pairs->order, and how many they are. */
const uint32_t *gt_model_pairs_of(const struct gt_model_pairs *pairs, uint32_t a, size_t *n);
const struct gt_model_pair *gt_model_pair(const struct gt_model_pairs *pairs, uint32_t index);
const struct gt_model_share *gt_model_share(const struct gt_model_pairs *pairs, uint32_t index);
/*
 * All indices of a set of shares, the longest in total first; of those of sites and calls as well.
 * To be freed.
 */
uint32_t *gt_model_longest(const struct gt_set *set);
