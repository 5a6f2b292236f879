/*
 * The overhead governor (GTRACE_BUDGET): what tracing costs, and what is left out so that it costs
 * no more. Why and how: docs/adr/0012.
 *
 * Four parts. Meters: each thread counts and times its own passages through the tracer, on a line
 * of its own. Allowances: hooks ask before a call or a wait begins; who is refused goes straight.
 * The rule: a few times a second whoever advances reads the meters and sets the allowances of the
 * next step. Looks: free locks, which no meter sees, are counted for a moment of each step. Off
 * (GTRACE_BUDGET unset), all of it is one branch that is never taken.
 */
#pragma once

#include "base/atomic.h"
#include "base/spec.h"
#include "base/util.h"

struct gt_thread;

/*
 * What a passage is for. HELD: it lengthens the time for which a lock is held: the end of a wait
 * that got it, or the hint of its unlock. LIFE: threads that begin, end and join, which are never
 * left out.
 */
enum gt_cost { GT_COST_CALL, GT_COST_WAIT, GT_COST_HELD, GT_COST_LIFE, GT_COSTS };

/*
 * What costs too little to be timed, or is over before a meter begins (docs/budget.md, *What it is
 * taken to cost*). CALL, WAIT_*: to come by the hook of a call or of a wait, traced or left out;
 * COLD: of a call that is long enough for the processor to have had other things to do. MUTEX,
 * RWLOCK, SEM: to take one that is free; BUSY: that others have, or had just now. FREE_*: to take
 * and to give back what the hook itself does (docs/adr/0018): a plain mutex, a read-write lock
 * among readers, and alone to write; counted by looks.
 */
enum gt_price {
	GT_PRICE_CALL,
	GT_PRICE_CALL_COLD,
	GT_PRICE_WAIT_MUTEX,
	GT_PRICE_WAIT_COND,
	GT_PRICE_WAIT_SEM,
	GT_PRICE_WAIT_OTHER,
	GT_PRICE_MUTEX,
	GT_PRICE_RWLOCK,
	GT_PRICE_RWLOCK_BUSY,
	GT_PRICE_SEM,
	GT_PRICE_FREE_MUTEX,
	GT_PRICE_FREE_READER,
	GT_PRICE_FREE_WRITER,
	GT_PRICES
};

/* What can be left out. */
enum gt_budget_kind { GT_BUDGET_CALL, GT_BUDGET_WAIT, GT_BUDGET_KINDS };

enum {
	GT_BUDGET_STEP_NS = 100000000, /* length of a step, of a process with few threads */
	GT_BUDGET_TIMED = 61,          /* one in so many passages is timed */
	GT_BUDGET_CALLS = 16,    /* allowances of a thread: by number of the call, modulo this */
	GT_BUDGET_DEPTH_MIN = 8, /* frames of a stack that are always there */
	/* One of so many that are left out looks whether a step is due (there may be no advancer).
	 */
	GT_BUDGET_LOOK = 32,
	GT_BUDGET_PAID_PS = 4000000, /* what a thread has paid is passed on when it is so much */
};

/* The place of one kind of call: what is left of its allowance, how long its calls take. */
struct gt_budget_place {
	_Atomic int32_t left;  /* below 0: so many were left out in this step */
	_Atomic uint32_t mean; /* ns, of those traced lately */
};

/* Of one thread: all of it is written by its own M alone. */
struct gt_meter {
	uint64_t since;        /* moment, of a passage that is being timed; 0: none is */
	int32_t next;          /* passages until one is timed; a handler may skip one */
	_Atomic uint32_t step; /* to which the allowances belong; 0: none yet */
	_Atomic uint32_t limit;
	_Atomic uint64_t timed[GT_COSTS]; /* ns */
	_Atomic uint64_t kept[GT_BUDGET_KINDS];
	_Atomic uint64_t left_out[GT_BUDGET_KINDS];
	_Atomic uint64_t left_out_ns[GT_BUDGET_KINDS]; /* estimated */
	_Atomic uint64_t paid_ps;                      /* of calls, by their prices */
	struct gt_budget_place place[GT_BUDGET_CALLS];
};

/* --- The rule, pure: no state of the process (budget_rule.c) --- */

/* What a step saw; times in ns. */
struct gt_budget_seen {
	uint64_t cpu;                    /* processor time of the process, tracing included */
	uint64_t fixed;                  /* cost of what nothing is left out of */
	uint64_t spent[GT_BUDGET_KINDS]; /* cost of what was traced */
	uint64_t kept[GT_BUDGET_KINDS];  /* how many that were */
	uint64_t left_out[GT_BUDGET_KINDS];
	uint64_t ns; /* how long it was */
};

struct gt_budget_rule {
	uint32_t aim;                    /* millionths of the processor time */
	uint32_t depth_max;              /* as GTRACE_DEPTH has it */
	uint64_t cpu;                    /* of a step, smoothed */
	uint64_t fixed;                  /* the same of what is fixed */
	int64_t debt;                    /* overspent so far, within bounds; negative: saved */
	uint64_t unit[GT_BUDGET_KINDS];  /* cost of one, smoothed */
	uint32_t limit[GT_BUDGET_KINDS]; /* allowance of each place in the next step */
	uint32_t depth;                  /* of stacks */
	uint32_t depth_rest;             /* steps until it may change again */
};

/* share: millionths; what is aimed at is somewhat less. */
void gt_budget_rule_init(struct gt_budget_rule *r, uint32_t share, uint32_t depth);
void gt_budget_decide(struct gt_budget_rule *r, const struct gt_budget_seen *seen);

/* What passages really cost the program, of which the meter saw so much (ns); never less. */
uint64_t gt_budget_real(enum gt_cost cost, uint64_t metered);

/* --- In the process --------------------------------------------------------------------------- */

/* What hooks read: a line that is written a few times a second. */
struct gt_budget {
	_Atomic uint32_t step;
	_Atomic uint32_t limit[GT_BUDGET_KINDS];
} GT_ALIGNED(GT_LINE);
extern GT_HIDDEN struct gt_budget gt_budget;
/* [start] There is one. */
extern GT_HIDDEN bool gt_budget_on;

/* A trace starts: GTRACE_BUDGET in millionths (0: off). cpu: gt_budget_cpu at its first moment. */
uint64_t gt_budget_cpu(void);
void gt_budget_start(uint64_t share, uint64_t cpu);

/*
 * Prices in ps: as they are, read by all threads; one that was measured on this machine, if it is
 * more than the least. The constructor sets them, and who makes the first thread one of them again.
 */
extern GT_HIDDEN _Atomic uint32_t gt_budget_prices[GT_PRICES];
GT_INLINE uint32_t gt_budget_price(enum gt_price what)
{
	return gt_load_relaxed(&gt_budget_prices[what]);
}
void gt_budget_set_price(enum gt_price what, uint64_t ps);

/*
 * Looks (budget_free.c). how: has hooks count free locks, or no more; any thread, with its guard up
 * or not. The constructor says it once, and the first look begins.
 */
void gt_budget_count_free(void (*how)(bool on));
/* The calling thread, which need not have a record, has come by for that price while they count. */
void gt_budget_free(enum gt_price price);
/* With x_advance: a step begins; and ends, which took so long, and the process so much of a
 * processor (ns). Returns what free locks cost in it, ns. */
void gt_budget_free_begin(void);
uint64_t gt_budget_free_end(uint64_t ns, uint64_t cpu);
/* Nothing is counted from here on: the trace has ended, or this is a child, which has none yet. */
void gt_budget_free_stop(void);

/* Slow halves. */
bool gt_budget_ask_wait(struct gt_meter *m, const void *object, enum gt_price price);
void gt_budget_paid(void);
void gt_budget_next_step(struct gt_meter *m);
void gt_budget_look(void);
bool gt_budget_is_partial(const void *object);
void gt_budget_time(struct gt_meter *m);
void gt_budget_timed(struct gt_meter *m, enum gt_cost cost);
void gt_budget_call_took(struct gt_meter *m, unsigned call, uint64_t began);
void gt_budget_wait_took(const void *object, uint64_t began);

/*
 * Whether the call, or the wait for the object under that address of the registry, is to be
 * traced. False: it goes straight, and is counted. m: of the calling thread.
 */
GT_INLINE bool gt_budget_call(struct gt_meter *m, unsigned call)
{
	struct gt_budget_place *place = &m->place[call % GT_BUDGET_CALLS];
	int32_t left;

	if (gt_likely(!gt_budget_on)) {
		return true;
	}
	if (gt_unlikely(gt_load_relaxed(&m->step) != gt_load_relaxed(&gt_budget.step))) {
		gt_budget_next_step(m);
	}
	left = gt_load_relaxed(&place->left) - 1;
	gt_store_relaxed(&place->left, left);
	if (left < 0 && gt_unlikely(left % GT_BUDGET_LOOK == 0)) {
		gt_budget_look();
	}
	return left >= 0;
}

/*
 * The same where there is a budget, for who can do no more than go straight: true, it is left out;
 * false: not known.
 */
GT_INLINE bool gt_budget_refuses(struct gt_meter *m, unsigned call)
{
	struct gt_budget_place *place = &m->place[call % GT_BUDGET_CALLS];
	int32_t left = gt_load_relaxed(&place->left) - 1;

	if (left >= 0 || left % GT_BUDGET_LOOK == 0 ||
	    gt_load_relaxed(&m->step) != gt_load_relaxed(&gt_budget.step)) {
		return false;
	}
	gt_store_relaxed(&place->left, left);
	return true;
}

GT_INLINE bool gt_budget_wait(struct gt_meter *m, const void *object, enum gt_price price)
{
	return gt_likely(!gt_budget_on) || gt_budget_ask_wait(m, object, price);
}

/* The calling thread, which need not have a record, has come by for that price. */
extern GT_HIDDEN GT_TLS uint32_t gt_budget_due;
GT_INLINE void gt_budget_pay(enum gt_price price)
{
	gt_budget_due += gt_budget_price(price);
	if (gt_unlikely(gt_budget_due >= GT_BUDGET_PAID_PS)) {
		gt_budget_paid();
	}
}

/* Whether waits for that object were left out, so that who waits for it is known in part only. */
GT_INLINE bool gt_budget_partial(const void *object)
{
	return gt_unlikely(gt_budget_on) && gt_budget_is_partial(object);
}

/* A passage of the calling thread begins and ends; what lies in another belongs to both or none. */
GT_INLINE void gt_meter_in(struct gt_meter *m)
{
	if (gt_unlikely(gt_budget_on) && gt_unlikely(--m->next <= 0)) {
		gt_budget_time(m);
	}
}

GT_INLINE void gt_meter_out(struct gt_meter *m, enum gt_cost cost)
{
	if (gt_unlikely(gt_budget_on) && gt_unlikely(m->since)) {
		gt_budget_timed(m, cost);
	}
}

/* A traced call or wait is over, which began at that moment. */
GT_INLINE void gt_budget_took_call(struct gt_meter *m, unsigned call, uint64_t began)
{
	if (gt_unlikely(gt_budget_on)) {
		gt_budget_call_took(m, call, began);
	}
}

GT_INLINE void gt_budget_took_wait(const void *object, uint64_t began)
{
	if (gt_unlikely(gt_budget_on)) {
		gt_budget_wait_took(object, began);
	}
}

/* What the end of a wait costs: whether it was for a lock, which the thread then has. */
GT_INLINE enum gt_cost gt_budget_wait_cost(uint32_t reason)
{
	return reason == GT_REASON_MUTEX || reason == GT_REASON_COND || reason == GT_REASON_RWLOCK
		       ? GT_COST_HELD
		       : GT_COST_WAIT;
}

/* A record is new, or its thread ends: what it has is added to what others left. */
void gt_budget_meter_reset(struct gt_meter *m);
void gt_budget_meter_close(struct gt_meter *m);

/* The calling thread has advanced a generation in the program's own time, since that moment. */
uint64_t gt_budget_clock(void);
void gt_budget_add_fixed(uint64_t since);

/* How long until the next step, ns of at most ns. */
uint64_t gt_budget_next(uint64_t ns);
/* The step, if it is due. The advancer; or a thread of the program, with its guard up. */
void gt_budget_step(void);
/* The last one, due or not. With x_advance. */
void gt_budget_step_last(void);

/* --- For the file (dump.c) -------------------------------------------------------------------- */

/* What is written of a step. */
struct gt_budget_said {
	uint64_t ns; /* trace clock, of its end */
	uint64_t cpu;
	uint64_t cost;
	uint64_t held;
	uint64_t left_out[GT_BUDGET_KINDS];
	uint64_t left_out_ns[GT_BUDGET_KINDS];
	uint32_t limit[GT_BUDGET_KINDS];
	uint32_t depth;
};

/* Takes the oldest that is not written yet; false: there is none. Whoever advances. */
bool gt_budget_take(struct gt_budget_said *said);
/* How many were left out so far. */
uint64_t gt_budget_left_out(enum gt_budget_kind kind);
