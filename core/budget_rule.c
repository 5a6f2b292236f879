/*
 * The overhead governor's rule: pure, without any state of the process. Why so: docs/adr/0012.
 */
#include "budget.h"

enum {
	UNIT_NS = 400,       /* what a traced call or wait is taken to cost at first */
	PARTS = 1000000,     /* of the share */
	AIM = 85,            /* percent of the share: costs are estimates, and it is a limit */
	SMOOTH = 4,          /* steps over which costs are smoothed */
	REPAY = 8,           /* and over which a debt is paid back */
	SAVED_STEPS = 8,     /* what was saved, at most: the allowance of so many steps */
	DEBT_STEPS = 16,     /* what is owed, at most */
	PLACE_SHARE = 4,     /* one place can cost so many times the allowance of a step */
	FIRST_PART = 8,      /* of that, its allowance in the first step */
	LIMIT_MIN = 4,       /* what every place is always allowed */
	SEEN_PART = 8,       /* the part of its budget that tracing always has for events */
	DOWN = 8,            /* an allowance falls to this part at once, at most */
	UP = 4,              /* and grows to so many times */
	DEPTH_REST_DOWN = 3, /* steps before stacks get shorter again, */
	DEPTH_REST_UP = 20,  /* and longer */
};

/*
 * What a passage really takes, in hundredths of what its meter saw: lines of the cache that the
 * program has to fetch again, and what runs before the meter and after. Measured by
 * tests/bench/detour.c (docs/budget.md).
 */
static const uint32_t margins[GT_COSTS] = {
	[GT_COST_CALL] = 115,
	[GT_COST_WAIT] = 175,
	[GT_COST_HELD] = 175,
	[GT_COST_LIFE] = 220,
};

uint64_t gt_budget_real(enum gt_cost cost, uint64_t metered)
{
	return (uint64_t)((gt_u128)metered * margins[cost] / 100);
}

static uint64_t part_of(const struct gt_budget_rule *r, uint64_t ns)
{
	return (uint64_t)((gt_u128)ns * r->aim / PARTS);
}

static uint64_t smooth(uint64_t old, uint64_t now)
{
	return old ? (old * (SMOOTH - 1) + now) / SMOOTH : now;
}

/* The allowance at which one place alone costs PLACE_SHARE times what a step may cost. */
static uint32_t limit_max(const struct gt_budget_rule *r, uint64_t unit, uint64_t ns)
{
	/* Who has been idle may begin to work. */
	uint64_t step = GT_MAX(part_of(r, r->cpu), part_of(r, ns / 4));
	uint64_t max = step * PLACE_SHARE / GT_MAX(unit, UINT64_C(1));

	return (uint32_t)GT_MIN(GT_MAX(max, (uint64_t)LIMIT_MIN * FIRST_PART), UINT64_C(1) << 24);
}

void gt_budget_rule_init(struct gt_budget_rule *r, uint32_t share, uint32_t depth)
{
	*r = (struct gt_budget_rule){
		.aim = (uint32_t)((uint64_t)share * AIM / 100), .depth_max = depth, .depth = depth};
	for (int i = 0; i < GT_BUDGET_KINDS; i++) {
		r->unit[i] = UNIT_NS;
		r->limit[i] = limit_max(r, UNIT_NS, GT_BUDGET_STEP_NS) / FIRST_PART;
	}
}

/* What it would cost to leave nothing out. */
static uint64_t wanted(const struct gt_budget_seen *seen, enum gt_budget_kind kind)
{
	uint64_t kept = GT_MAX(seen->kept[kind], UINT64_C(1));

	return (uint64_t)((gt_u128)seen->spent[kind] * (kept + seen->left_out[kind]) / kept);
}

/* The allowance with which the same load costs goal. */
static uint32_t adjust(uint32_t limit, uint64_t spent, uint64_t goal, bool short_of, uint32_t max)
{
	uint64_t to = limit;

	if (spent > goal + goal / 5) {
		to = (uint64_t)((gt_u128)limit * goal / spent);
		to = GT_MAX(to, (uint64_t)limit / DOWN);
	} else if (!short_of) {
		to = (uint64_t)limit * 2;
	} else if (spent < goal - goal / 5) {
		to = (uint64_t)((gt_u128)limit * goal / GT_MAX(spent, UINT64_C(1)));
		to = GT_MIN(to, (uint64_t)limit * UP);
	}
	return (uint32_t)GT_MIN(GT_MAX(to, (uint64_t)LIMIT_MIN), (uint64_t)max);
}

static void adjust_depth(struct gt_budget_rule *r, bool too_much, bool plenty)
{
	uint32_t min = GT_MIN(r->depth_max, (uint32_t)GT_BUDGET_DEPTH_MIN);

	if (r->depth_rest) {
		r->depth_rest--;
	} else if (too_much && r->depth > min) {
		r->depth = GT_MAX(r->depth / 2, min);
		r->depth_rest = DEPTH_REST_DOWN;
	} else if (plenty && r->depth < r->depth_max) {
		r->depth = GT_MIN(r->depth * 2, r->depth_max);
		r->depth_rest = DEPTH_REST_UP;
	}
}

void gt_budget_decide(struct gt_budget_rule *r, const struct gt_budget_seen *seen)
{
	uint64_t events = seen->spent[GT_BUDGET_CALL] + seen->spent[GT_BUDGET_WAIT];
	uint64_t left_out = seen->left_out[GT_BUDGET_CALL] + seen->left_out[GT_BUDGET_WAIT];
	uint64_t calls = wanted(seen, GT_BUDGET_CALL);
	uint64_t waits = wanted(seen, GT_BUDGET_WAIT);
	uint64_t goals[GT_BUDGET_KINDS];
	int64_t allowed;
	int64_t step;

	r->cpu = smooth(r->cpu, seen->cpu);
	r->fixed = smooth(r->fixed, seen->fixed);
	step = (int64_t)part_of(r, r->cpu);
	r->debt += (int64_t)(seen->fixed + events) - (int64_t)part_of(r, seen->cpu);
	r->debt = GT_MAX(r->debt, -step * SAVED_STEPS);
	r->debt = GT_MIN(r->debt, step * DEBT_STEPS);
	allowed = step - (int64_t)r->fixed - r->debt / REPAY;
	/* Something is always seen, whatever else it costs. */
	allowed = GT_MAX(allowed, step / SEEN_PART);
	goals[GT_BUDGET_WAIT] = (uint64_t)allowed - GT_MIN(calls, (uint64_t)allowed / 8);
	goals[GT_BUDGET_CALL] = (uint64_t)allowed - GT_MIN(waits, goals[GT_BUDGET_WAIT]);
	for (int i = 0; i < GT_BUDGET_KINDS; i++) {
		if (seen->spent[i] && seen->kept[i]) {
			r->unit[i] = smooth(r->unit[i], seen->spent[i] / seen->kept[i]);
		}
		r->limit[i] = adjust(r->limit[i], seen->spent[i], goals[i], seen->left_out[i] != 0,
				     limit_max(r, r->unit[i], seen->ns));
	}
	adjust_depth(r, left_out || events > (uint64_t)allowed,
		     !left_out && events < (uint64_t)allowed / 2);
}
