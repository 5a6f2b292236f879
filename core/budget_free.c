/*
 * The overhead governor: what free locks cost, which nothing counts.
 *
 * A lock that is free is taken without a word to anybody, and is over in some nanoseconds: to count
 * each would take as long as what it costs. So all are counted for a quarter of a ms of each step,
 * a look, and are taken to go on so for the rest. That time begins with the first BATCH that a
 * thread has counted, since until then the process may have been idle, or not on a processor; where
 * few are taken it does not end, and all of them are counted. Who has counted BATCH sees to that,
 * and nobody else.
 *
 * Of two that change over at once, one ending a look and the other beginning the next, the last may
 * leave hooks not counting, or counting on: then that step has few, or takes longer than it need,
 * and the next one has a look again. What a thread has counted and not added comes with a later
 * one, or not if it ends before.
 *
 * The clock may be a system call, or forbidden as one is (seccomp's strict mode takes the counter
 * away): nothing is counted behind a trace, nor in a child that has none.
 */
#include "budget.h"

#include "base/clock.h"

enum {
	LOOK_NS = 250000,
	BATCH = 64, /* locks of a thread that are added at once */
	OPEN = 1,   /* no moment: the look's time has not begun */
};

/* What the calling thread has counted. A handler in between may lose one. */
static GT_TLS struct {
	uint32_t n;
	uint32_t ps;
} due;

/* since and lasted: of whoever is the first to see that it is over, and with x_advance. */
static struct {
	_Atomic uint64_t since;  /* moment when its time began, or OPEN; 0: it is over */
	_Atomic uint64_t lasted; /* ns */
	_Atomic uint64_t ps;     /* what was counted cost */
} look;

static void (*count)(bool);

void gt_budget_free(enum gt_price price)
{
	uint64_t since;
	uint64_t now;

	due.ps += gt_budget_price(price);
	if (++due.n < BATCH) {
		return;
	}
	gt_add_relaxed(&look.ps, due.ps);
	due.n = due.ps = 0;
	since = gt_load_relaxed(&look.since);
	if (!since) {
		return;
	}
	now = gt_clock_moment();
	if (since == OPEN) {
		gt_cas_acq_rel(&look.since, &since, now);
	} else if (gt_clock_between(since, now) >= LOOK_NS) {
		/* Two may be here, with nearly the same. Before it is over; partner is the step. */
		gt_store_relaxed(&look.lasted, gt_clock_between(since, now));
		if (gt_cas_acq_rel(&look.since, &since, 0)) {
			count(false);
		}
	}
}

void gt_budget_free_begin(void)
{
	if (count) {
		count(true);
		gt_store_release(&look.since, OPEN);
	}
}

void gt_budget_free_stop(void)
{
	if (count) {
		gt_store_relaxed(&look.since, 0);
		count(false);
		gt_store_relaxed(&look.ps, 0);
	}
}

void gt_budget_count_free(void (*how)(bool on))
{
	count = how;
	gt_budget_free_begin();
}

uint64_t gt_budget_free_end(uint64_t ns, uint64_t cpu)
{
	/* One that is not over, or was none, counted all. */
	bool over = gt_exchange_acq_rel(&look.since, 0) == 0;
	uint64_t cost = gt_exchange_acq_rel(&look.ps, 0) / 1000;
	uint64_t lasted = over ? gt_load_relaxed(&look.lasted) : 0;
	/* As often in all of the step; but not while nobody ran, and one did in the look. */
	uint64_t rest = GT_MIN(ns, cpu);

	return lasted && rest > lasted ? (uint64_t)((gt_u128)cost * rest / lasted) : cost;
}
