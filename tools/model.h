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
 * Times are ns; points in time those of the trace clock, begin being the first.
 */
#pragma once

#include "merge.h"
#include "model_hist.h"
#include "model_set.h"

#define GT_MODEL_NONE UINT32_MAX /* as an index: none, nobody, not known */

/* How waits ended: enum gt_ended, 0 being those that are open. */
enum { GT_MODEL_OPEN = 0 };

struct gt_model_share {
	uint64_t waits;
	uint64_t total, max; /* ns */
};

/* A wait that lasts or has just ended: for model_event.c alone. */
struct gt_model_wait {
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
	uint64_t how[GT_ENDED_END];

	/* The state that lasts: for model_event.c alone. */
	uint64_t since;
	uint64_t syscall_lost; /* since when its processor is gone; 0 */
	struct gt_model_wait wait;
};

/* Waits from one stack for one reason. Key: struct gt_model_site_key. */
struct gt_model_site {
	struct gt_model_share share;
	struct gt_hist hist;
	uint64_t runnable; /* ns from the ends of these waits to running */
	uint64_t how[GT_ENDED_END];
	bool system; /* only system threads waited there */
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
	uint64_t how[GT_ENDED_END]; /* of waits of threads that are not system threads */
	uint64_t users, systems;    /* threads */

	struct gt_model_thread **threads; /* in the order of appearance */
	size_t nthreads, threads_cap;

	struct gt_set names;   /* key: bytes */
	struct gt_set stacks;  /* key: uint32_t names[], innermost first; 0 is the empty one */
	struct gt_set sites;   /* struct gt_model_site */
	struct gt_set objects; /* struct gt_model_share */
	struct gt_set wakes;   /* struct gt_model_share */

	struct gt_model_pairs site_thread;  /* who waited there */
	struct gt_model_pairs site_object;  /* for what */
	struct gt_model_pairs site_owner;   /* who had it when the wait began */
	struct gt_model_pairs site_waker;   /* who ended it; b may be GT_MODEL_NONE */
	struct gt_model_pairs object_owner; /* who had it when a wait for it began */

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
/* No more events: closes what is open and makes the sums. */
void gt_model_end(struct gt_model *model);
/* All events of t, then gt_model_end: 0, or -1 with *e; the model then has what came before. */
int gt_model_read(struct gt_model *model, struct gt_merge *t, struct gt_error *e);

const char *gt_model_name(const struct gt_model *model, uint32_t name);
/* The names of a stack's functions, innermost first. */
const uint32_t *gt_model_stack(const struct gt_model *model, uint32_t stack, size_t *n);
/* The group of a thread: its index in groups. */
uint32_t gt_model_group(struct gt_model *model, uint32_t thread);

/* After gt_model_end: where the pairs with this a begin in pairs->order, and how many they are. */
const uint32_t *gt_model_pairs_of(const struct gt_model_pairs *pairs, uint32_t a, size_t *n);
const struct gt_model_pair *gt_model_pair(const struct gt_model_pairs *pairs, uint32_t index);
const struct gt_model_share *gt_model_share(const struct gt_model_pairs *pairs, uint32_t index);
/*
 * All indices of a set of shares, the longest in total first; of the set of sites as well. To be
 * freed.
 */
uint32_t *gt_model_longest(const struct gt_set *set);
