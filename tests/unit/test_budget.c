/*
 * The overhead governor's rule: measured costs in, allowances out. The load is a play: places that
 * want to be traced so often a step, at a known price.
 */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "budget.h"

enum { STEP = 100000000, PERCENT = 10000 };

struct load {
	uint64_t cpu; /* of the program alone, a step */
	uint64_t fixed;
	uint64_t unit[GT_BUDGET_KINDS];
	uint64_t places[GT_BUDGET_KINDS];
	uint64_t wanted[GT_BUDGET_KINDS]; /* of each place */
};

/* What a step of that load costs under the rule's allowances. */
static struct gt_budget_seen play(const struct load *l, const struct gt_budget_rule *r)
{
	struct gt_budget_seen seen = {.cpu = l->cpu + l->fixed, .fixed = l->fixed, .ns = STEP};

	for (int i = 0; i < GT_BUDGET_KINDS; i++) {
		uint64_t each = GT_MIN(l->wanted[i], (uint64_t)r->limit[i]);

		seen.kept[i] = each * l->places[i];
		seen.left_out[i] = (l->wanted[i] - each) * l->places[i];
		seen.spent[i] = seen.kept[i] * l->unit[i];
		seen.cpu += seen.spent[i];
	}
	return seen;
}

/* Runs so many steps; returns the share that tracing had in the last half, millionths. */
static uint64_t run(struct gt_budget_rule *r, const struct load *l, unsigned steps,
		    struct gt_budget_seen *last)
{
	uint64_t cost = 0;
	uint64_t cpu = 0;

	for (unsigned i = 0; i < steps; i++) {
		struct gt_budget_seen seen = play(l, r);

		if (i >= steps / 2) {
			cost += seen.fixed + seen.spent[0] + seen.spent[1];
			cpu += seen.cpu;
		}
		gt_budget_decide(r, &seen);
		*last = seen;
	}
	return cost * 1000000 / cpu;
}

Test(budget, leaves_nothing_out_that_is_cheap)
{
	const struct load quiet = {
		.cpu = STEP, .unit = {300, 500}, .places = {4, 4}, .wanted = {100, 100}};
	struct gt_budget_rule r;
	struct gt_budget_seen last;

	gt_budget_rule_init(&r, PERCENT, 64);
	for (unsigned i = 0; i < 50; i++) {
		struct gt_budget_seen seen = play(&quiet, &r);

		cr_expect_eq(seen.left_out[0] + seen.left_out[1], 0u, "step %u", i);
		gt_budget_decide(&r, &seen);
	}
	run(&r, &quiet, 10, &last);
	cr_expect_eq(r.depth, 64u, "stacks stay as they were set");
}

Test(budget, holds_each_share_in_a_storm)
{
	static const uint32_t shares[] = {PERCENT / 2, PERCENT, 3 * PERCENT, 20 * PERCENT};
	static const struct load storms[] = {
		{.cpu = STEP, .unit = {300, 0}, .places = {1, 0}, .wanted = {500000, 0}},
		{.cpu = STEP, .unit = {0, 600}, .places = {0, 1}, .wanted = {0, 50000}},
		{.cpu = 2 * STEP, .unit = {200, 900}, .places = {30, 30}, .wanted = {9000, 9000}},
		{.cpu = STEP,
		 .fixed = 200000,
		 .unit = {300, 500},
		 .places = {8, 2},
		 .wanted = {50000, 20000}},
		{.cpu = STEP / 20, .unit = {300, 500}, .places = {1, 1}, .wanted = {5000, 5000}},
	};

	for (size_t s = 0; s < GT_LEN(shares); s++) {
		for (size_t l = 0; l < GT_LEN(storms); l++) {
			struct gt_budget_rule r;
			struct gt_budget_seen last;
			uint64_t share;

			gt_budget_rule_init(&r, shares[s], 64);
			share = run(&r, &storms[l], 200, &last);
			cr_expect_leq(share, shares[s], "load %zu: %lu of %u", l,
				      (unsigned long)share, shares[s]);
			if (last.left_out[0] + last.left_out[1]) {
				cr_expect_geq(share, shares[s] * 3 / 4,
					      "load %zu: what is allowed is used: %lu of %u", l,
					      (unsigned long)share, shares[s]);
			}
		}
	}
}

Test(budget, a_storm_begins_and_costs_a_step_at_most)
{
	const struct load quiet = {
		.cpu = STEP, .unit = {300, 500}, .places = {1, 1}, .wanted = {10, 10}};
	const struct load storm = {
		.cpu = STEP, .unit = {300, 500}, .places = {1, 1}, .wanted = {300000, 10}};
	struct gt_budget_rule r;
	struct gt_budget_seen first;
	struct gt_budget_seen last;

	gt_budget_rule_init(&r, PERCENT, 64);
	run(&r, &quiet, 100, &last);
	first = play(&storm, &r);
	cr_expect_leq(first.spent[0], 5ull * STEP / 100,
		      "one place has an allowance from the first");
	run(&r, &storm, 5, &last);
	cr_expect_leq(last.spent[0], 2ull * STEP / 100, "five steps later it is held");
	cr_expect_eq(last.left_out[1], 0u, "what is rare stays whole");
}

Test(budget, calls_before_waits)
{
	const struct load both = {
		.cpu = STEP, .unit = {300, 500}, .places = {1, 1}, .wanted = {100000, 1500}};
	struct gt_budget_rule r;
	struct gt_budget_seen last;

	gt_budget_rule_init(&r, PERCENT, 64);
	run(&r, &both, 200, &last);
	cr_expect_eq(last.left_out[GT_BUDGET_WAIT], 0u, "there is room for all waits");
	cr_expect_gt(last.left_out[GT_BUDGET_CALL], 0u);
	cr_expect_gt(last.kept[GT_BUDGET_CALL], 0u, "and some for calls");
}

Test(budget, never_wholly_blind)
{
	/* Nothing can be left out of this: it is over budget, and each place is still seen. */
	const struct load fixed = {.cpu = STEP,
				   .fixed = STEP / 10,
				   .unit = {300, 500},
				   .places = {1, 1},
				   .wanted = {1000, 1000}};
	struct gt_budget_rule r;
	struct gt_budget_seen last;

	gt_budget_rule_init(&r, PERCENT, 64);
	run(&r, &fixed, 100, &last);
	cr_expect_gt(last.kept[0], 0u);
	cr_expect_gt(last.kept[1], 0u);
	cr_expect_eq(r.depth, (uint32_t)GT_BUDGET_DEPTH_MIN);
}

Test(budget, comes_back_after_a_storm)
{
	const struct load storm = {
		.cpu = STEP, .unit = {300, 500}, .places = {1, 1}, .wanted = {300000, 300000}};
	const struct load quiet = {
		.cpu = STEP, .unit = {300, 500}, .places = {1, 1}, .wanted = {100, 100}};
	struct gt_budget_rule r;
	struct gt_budget_seen last;

	gt_budget_rule_init(&r, PERCENT, 64);
	run(&r, &storm, 100, &last);
	run(&r, &quiet, 30, &last);
	cr_expect_eq(last.left_out[0] + last.left_out[1], 0u, "three seconds later all is traced");
	run(&r, &quiet, 100, &last);
	cr_expect_eq(r.depth, 64u, "with whole stacks");
}

Test(budget, short_stacks_stay_as_they_are_set)
{
	const struct load storm = {
		.cpu = STEP, .unit = {300, 500}, .places = {1, 1}, .wanted = {300000, 300000}};
	struct gt_budget_rule r;
	struct gt_budget_seen last;

	gt_budget_rule_init(&r, PERCENT, 3);
	run(&r, &storm, 100, &last);
	cr_expect_eq(r.depth, 3u);
}

Test(budget, what_is_said_is_never_below_what_was_metered)
{
	static const uint64_t metered[] = {0, 1, 99, 1000, STEP, UINT64_C(1) << 60};

	for (int cost = 0; cost < GT_COSTS; cost++) {
		for (size_t i = 0; i < GT_LEN(metered); i++) {
			uint64_t real = gt_budget_real((enum gt_cost)cost, metered[i]);

			cr_expect_geq(real, metered[i], "cost %d of %lu", cost,
				      (unsigned long)metered[i]);
			cr_expect_leq(real / 4, metered[i], "cost %d of %lu: a margin, no more",
				      cost, (unsigned long)metered[i]);
		}
	}
}

/* Without a trace: what a thread pays is passed on in lumps, and all of it arrives. */
Test(budget, prices_add_up)
{
	uint64_t due = 0;

	gt_budget_set_price(GT_PRICE_CALL, 17000);
	cr_expect_eq(gt_budget_price(GT_PRICE_CALL), 17000u);
	gt_budget_set_price(GT_PRICE_CALL, 0);
	cr_expect_eq(gt_budget_price(GT_PRICE_CALL), 6000u, "an hour that was too good");
	gt_budget_set_price(GT_PRICE_CALL, UINT64_MAX);
	cr_expect_lt(gt_budget_price(GT_PRICE_CALL), 1000000u, "what was disturbed is cut");
	gt_budget_set_price(GT_PRICE_SEM, 7000);
	for (int i = 0; i < 1000; i++) {
		gt_budget_pay(GT_PRICE_SEM);
		due += 7000;
		due = due >= GT_BUDGET_PAID_PS ? 0 : due;
		cr_assert_eq(gt_budget_due, due, "after %d", i);
	}
}

/* --- Looks at free locks --- */

static unsigned begun, ended;

static void count(bool on)
{
	begun += on;
	ended += !on;
}

enum {
	LOCKS = 640,   /* a multiple of what a thread adds at once */
	LOOK = 250000, /* ns, at least */
};

/* What so many locks cost that are counted now, ns. */
static uint64_t take_locks(void)
{
	for (int i = 0; i < LOCKS; i++) {
		gt_budget_free(GT_PRICE_SEM);
	}
	return (uint64_t)LOCKS * gt_budget_price(GT_PRICE_SEM) / 1000;
}

static void pass(uint64_t ns)
{
	uint64_t began = gt_clock_monotonic();
	uint64_t now;

	do {
		now = gt_clock_monotonic();
	} while (now < began + ns);
}

/* The same, from the beginning of a look's time beyond its end: 1 ms. */
static uint64_t take_locks_for_long(void)
{
	uint64_t cost = take_locks();

	pass(1000000);
	return cost + take_locks();
}

Test(budget, few_free_locks_are_counted_whole)
{
	uint64_t cost, said;

	gt_budget_count_free(count);
	cr_expect_eq(begun, 1u, "a look begins at once");
	cost = take_locks();
	/* Seldom enough, the machine is so slow that the look is over. */
	said = gt_budget_free_end(STEP, STEP);
	cr_expect(ended ? said > cost : said == cost, "%lu of %lu", (unsigned long)said,
		  (unsigned long)cost);
	cr_expect_eq(gt_budget_free_end(STEP, STEP), 0u, "it is said once");
}

Test(budget, many_free_locks_are_taken_to_go_on_as_they_began)
{
	uint64_t began, cost, lasted, said;

	gt_budget_count_free(count);
	pass(10000000);
	began = gt_clock_monotonic();
	cost = take_locks_for_long();
	lasted = gt_clock_monotonic() - began;
	cr_expect_eq(ended, 1u, "the time of the look is over: counting ends, once");
	said = gt_budget_free_end(2 * STEP, 3 * STEP);
	cr_expect_geq(said, cost * 2 * STEP / lasted, "what was before the first is none of it");
	cr_expect_leq(said, cost * 2 * STEP / LOOK, "in no less than a look");
	gt_budget_free_begin();
	cr_expect_eq(begun, 2u, "the next step has its own");
	cr_expect_eq(gt_budget_free_end(STEP, STEP), 0u, "without a lock");
}

Test(budget, free_locks_do_not_go_on_where_nobody_runs)
{
	uint64_t cost, said;

	gt_budget_count_free(count);
	cost = take_locks_for_long();
	cr_expect_eq(ended, 1u);
	said = gt_budget_free_end(STEP, STEP / 20);
	cr_expect_leq(said, cost * (STEP / 20) / LOOK);
	gt_budget_free_begin();
	cost = take_locks_for_long();
	cr_expect_eq(ended, 2u);
	cr_expect_eq(gt_budget_free_end(STEP, 1), cost, "the process ran in the look alone");
}

Test(budget, behind_a_trace_no_free_lock_is_counted)
{
	gt_budget_count_free(count);
	take_locks();
	gt_budget_free_stop();
	cr_expect_eq(ended, 1u);
	cr_expect_eq(gt_budget_free_end(STEP, STEP), 0u, "nor what was before");
	gt_budget_free_begin();
	cr_expect_eq(begun, 2u, "but by another trace");
}

Test(budget, refuses_only_what_is_left_out_for_sure)
{
	struct gt_meter m = {.since = 0};
	struct gt_budget_place *place = &m.place[5];

	gt_store_relaxed(&gt_budget.step, 7);
	gt_store_relaxed(&m.step, 7);
	gt_store_relaxed(&place->left, 1);
	cr_expect_not(gt_budget_refuses(&m, 5), "one is left");
	cr_expect_eq(gt_load_relaxed(&place->left), 1, "and stays");
	gt_store_relaxed(&place->left, 0);
	cr_expect(gt_budget_refuses(&m, 5));
	cr_expect_eq(gt_load_relaxed(&place->left), -1, "it is counted");
	gt_store_relaxed(&place->left, 1 - GT_BUDGET_LOOK);
	cr_expect_not(gt_budget_refuses(&m, 5), "one of so many looks after the steps");
	gt_store_relaxed(&place->left, -3);
	gt_store_relaxed(&gt_budget.step, 8);
	cr_expect_not(gt_budget_refuses(&m, 5), "a step has begun");
}
