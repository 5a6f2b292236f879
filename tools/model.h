/*
 * The model of a trace: who ran, who waited where and for what, who ended the waits.
 *
 *	struct gt_model *model = gt_model_create();
 *	n = gt_model_read(model, merge, &error);	(or gt_model_event for each, then _end)
 *	look around in *model
 *	gt_model_destroy(model);
 *
 * Aggregated as the events go by: memory is bounded by the numbers of threads, stacks, objects and
 * pairs of them, not by events. Everything has an index: names, stacks, sites, objects in their
 * sets; threads in threads[]. The sets of pairs are sums over the waits that belong to both.
 *
 * What counts as a wait is what Go's own summary takes for one: from the event that says that a
 * thread blocks to the one that says that it may run again. What it then waits for a processor is
 * runnable time. A wait that is open at the end of the trace counts up to there.
 *
 * Wakers: the end of a wait is known when its thread runs again. gtrace's fact names the waker;
 * without a fact it is the G of the unblock event, and in a trace of gtrace, where that event's M
 * may have no G any more, the last G of that M.
 *
 * Calls: a system call, or a wait that a fact names. The fact comes before the event that ends it,
 * and is for the thread that is on the fact's M.
 *
 * Times are ns; points in time those of the trace clock, begin being the first.
 */
#pragma once

#include "merge.h"
#include "model_hist.h"
#include "model_set.h"

#define GT_MODEL_NONE UINT32_MAX /* as an index: none, nobody, not known */

/*
 * How waits ended: enum gt_ended, and besides those that are open, and calls that returned by
 * themselves, as a read of a socket does: they have no waker, and stand in no set of wakers.
 */
enum { GT_MODEL_OPEN = 0, GT_MODEL_RETURNED = GT_ENDED_END, GT_MODEL_HOWS };

struct gt_model_share {
	uint64_t waits;
	uint64_t total, max; /* ns */
};

/* A call that lasts: for model_event.c and model_call.c alone. */
struct gt_model_open {
	bool named;      /* a fact has come, */
	uint64_t call;   /* with this number */
	uint64_t result; /* and this zigzag result */
	uint32_t stack;  /* of a system call; that of a wait is its site's */
};

/* A wait that lasts or has just ended: for model_event.c alone. */
struct gt_model_wait {
	bool any;  /* there was one: the site below is one */
	bool call; /* it was a named call */
	uint32_t site;
	uint32_t object, owner; /* GT_MODEL_NONE */
	uint32_t object_next,
		owner_next;    /* of the block that comes next: the fact stands before it */
	bool unblocked;        /* it is over, but who ended it not yet accounted for */
	uint64_t ns;           /* then: how long it was, */
	uint32_t waker, stack; /* the G and the stack of the unblock event, */
	uint32_t waker_before; /* and the last G of its M */
	uint8_t how;           /* what the fact says: enum gt_ended; 0: no fact yet */
	uint64_t how_waker;    /* a G; 0: not known */
};

struct gt_model_thread {
	uint32_t index; /* in threads[] */
	uint64_t id;
	uint64_t tid;     /* the M that it ran on last; GT_NO_M */
	uint32_t creator; /* GT_MODEL_NONE: nobody, or before the trace */
	uint32_t routine; /* name: the outermost function of its first stack; GT_MODEL_NONE */
	bool seen;        /* false: an id that only a fact has named */
	bool system;      /* the tracer's or the runtime's own */
	uint8_t state;    /* enum gt_go_state; GT_GO_BAD: not yet, or gone */
	uint32_t *labels; /* names, in the order of appearance */
	size_t nlabels, labels_cap;

	uint64_t created, ended; /* ended: 0, it lives at the end */
	uint64_t running, runnable, waiting;
	uint64_t syscall;         /* in system calls, and has its processor */
	uint64_t syscall_blocked; /* in system calls, its processor gone */
	uint64_t blocks;          /* it ran and blocked */
	uint64_t syscalls;        /* it ran and entered a system call */
	uint64_t how[GT_MODEL_HOWS];
	uint64_t yields;      /* calls of sched_yield, */
	uint64_t yields_long; /* those that took long enough for an event among them, */
	uint64_t yields_ns;   /* the others within these times */

	/* The state that lasts: for model_event.c alone. */
	uint64_t since;
	uint64_t syscall_lost; /* since when its processor is gone; 0 */
	struct gt_model_wait wait;
	struct gt_model_open call;
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
	uint64_t how[GT_MODEL_HOWS];
	struct gt_model_share retakes; /* at the end, for the mutex that goes with the condition */
	bool system;                   /* only system threads waited there */
};

struct gt_model_site_key {
	uint32_t reason, stack;
};

/* What was waited for. Key of a struct gt_model_share. */
struct gt_model_object_key {
	uint64_t address, epoch, kind;
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
	uint32_t *order;   /* by gt_model_end: by a, then the longest in total first */
};

/* Threads with the same start routine. Key: the routine's name index. */
struct gt_model_group {
	uint32_t threads;
	uint32_t first; /* of them */
	uint32_t label; /* the last one of each of them; GT_MODEL_NONE: they differ */
	bool system;
	uint64_t running, runnable, waiting, syscall, syscall_blocked, blocks, syscalls;
	uint64_t yields, yields_ns;
};

struct gt_model {
	/* About the file. */
	unsigned version; /* of the header: 22 to 26 */
	bool by_gtrace;   /* it holds facts, or gtrace's advancer runs in it */
	uint64_t begin, end;
	uint64_t events, generations, samples;
	uint64_t cpus;               /* 0: not said */
	uint64_t loss[GT_LOSS_END];  /* by enum gt_loss */
	uint64_t loss_unknown;       /* of kinds that this version does not know */
	uint64_t unread;             /* batches of facts read in part, their writer being newer */
	uint64_t how[GT_MODEL_HOWS]; /* of waits of threads that are not system threads */
	uint64_t users, systems;     /* threads */

	struct gt_model_thread **threads; /* in the order of appearance */
	size_t nthreads, threads_cap;

	struct gt_set names;   /* key: bytes */
	struct gt_set stacks;  /* key: uint32_t names[], innermost first; 0 is the empty one */
	struct gt_set sites;   /* struct gt_model_site */
	struct gt_set objects; /* struct gt_model_share */
	struct gt_set wakes;   /* struct gt_model_share */
	struct gt_set calls;   /* struct gt_model_call */
	struct gt_set spins; /* key: struct gt_model_object_key, struct gt_model_share: estimates */
	struct gt_set about; /* key: enum gt_about as uint64_t, value: uint64_t */

	struct gt_model_pairs site_thread;  /* who waited there */
	struct gt_model_pairs site_object;  /* for what */
	struct gt_model_pairs site_owner;   /* who had it when the wait began */
	struct gt_model_pairs site_waker;   /* who ended it; b may be GT_MODEL_NONE */
	struct gt_model_pairs site_retake;  /* who set the mutex of a retake free */
	struct gt_model_pairs object_owner; /* who had it when a wait for it began */
	struct gt_model_pairs object_waker; /* who ended it; b may be GT_MODEL_NONE */
	struct gt_model_pairs call_thread, call_stack;
	struct gt_model_pairs call_error; /* b: errno */
	struct gt_model_pairs spin_thread, spin_stack;

	/* Made by gt_model_end. */
	struct gt_model_pairs thread_reason, group_reason; /* reason: name index */
	struct gt_set groups;                              /* struct gt_model_group */
	struct gt_set group_wakes; /* as wakes, with groups for threads, without system threads */
	struct gt_set owners; /* key: thread index; struct gt_model_share of the waits for it */

	/* For model_event.c alone. */
	struct gt_idmap by_g; /* G -> struct gt_model_thread * */
	struct gt_idmap by_m; /* M -> index + 1 of the thread that was last on it */
	struct gt_idmap ids;  /* stack id of this generation -> index + 1 */
	uint64_t sync;        /* time at which this generation began */
	uint32_t *frames;     /* room for a stack */
	size_t frames_cap;
};

struct gt_model *gt_model_create(void);
void gt_model_destroy(struct gt_model *model);

/* The next event of merge.h, and the generation that it belongs to. */
void gt_model_event(struct gt_model *model, const struct gt_event *ev,
		    const struct gt_generation *generation);
/* For gt_model_end: accounts for what is open at the end. */
void gt_model_close(struct gt_model *model);

/* For model_event.c: model_thread.c. The thread with this id, which may be new. */
struct gt_model_thread *gt_model_thread_of(struct gt_model *model, uint64_t g);
/* The thread that was last on an M, and that it is now t. */
uint32_t gt_model_last_on(const struct gt_model *model, uint64_t m);
void gt_model_put_on(struct gt_model *model, struct gt_model_thread *t, uint64_t m);
/* The index of a name, and of a stack of this generation. */
uint32_t gt_model_name_of(struct gt_model *model, const struct gt_text *text);
uint32_t gt_model_stack_of(struct gt_model *model, const struct gt_generation *g, uint64_t id);
/* t was seen with this stack; it was given this name. */
void gt_model_routine(struct gt_model *model, struct gt_model_thread *t, uint32_t stack);
void gt_model_label(struct gt_model *model, struct gt_model_thread *t, const struct gt_text *text);

/* For model_event.c: model_call.c. A fact names the call that t is in. */
void gt_model_call_named(struct gt_model *model, struct gt_model_thread *t,
			 const struct gt_event *ev);
/* t begins or ends a system call, or a wait, which is a call if it has been named. */
void gt_model_call_begin(struct gt_model *model, struct gt_model_thread *t, uint32_t stack);
void gt_model_call_end(struct gt_model *model, struct gt_model_thread *t, uint64_t now);
/* t, on the fact's M, spun. */
void gt_model_spin(struct gt_model *model, const struct gt_model_thread *t,
		   const struct gt_event *ev, uint32_t stack);
/* No more events: closes what is open and makes the sums. */
void gt_model_end(struct gt_model *model);
/* All events of t, then gt_model_end: 0, or -1 with *e; the model then has what came before. */
int gt_model_read(struct gt_model *model, struct gt_merge *t, struct gt_error *e);

const char *gt_model_name(const struct gt_model *model, uint32_t name);
/* The names of a stack's functions, innermost first. */
const uint32_t *gt_model_stack(const struct gt_model *model, uint32_t stack, size_t *n);
/* One more of so many ns. */
void gt_model_share_add(struct gt_model_share *share, uint64_t ns);
void gt_model_pair_add(struct gt_model_pairs *pairs, uint32_t a, uint32_t b, uint64_t ns);
/* The sum of two. */
void gt_model_share_join(struct gt_model_share *to, const struct gt_model_share *share);
void gt_model_pair_join(struct gt_model_pairs *pairs, uint32_t a, uint32_t b,
			const struct gt_model_share *share);
/* The group of a thread: its index in groups. */
uint32_t gt_model_group(struct gt_model *model, uint32_t thread);

/* After gt_model_end: where the pairs with this a begin in pairs->order, and how many they are. */
const uint32_t *gt_model_pairs_of(const struct gt_model_pairs *pairs, uint32_t a, size_t *n);
const struct gt_model_pair *gt_model_pair(const struct gt_model_pairs *pairs, uint32_t index);
const struct gt_model_share *gt_model_share(const struct gt_model_pairs *pairs, uint32_t index);
/*
 * All indices of a set of shares, the longest in total first; of those of sites and calls as well.
 * To be freed.
 */
uint32_t *gt_model_longest(const struct gt_set *set);
