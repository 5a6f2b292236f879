/*
 * The overhead governor: meters, allowances, steps. Its rule is budget_rule.c, its looks at free
 * locks budget_free.c.
 */
#include "budget.h"

#include <string.h>
#include <time.h>

#include "advancer.h"
#include "base/sys.h"
#include "thread.h"
#include "trace.h"

enum {
	STEP_THREADS = 256,   /* so many threads more make it longer by that */
	PRICE_MAX = 200000,   /* ps; what was measured to be more was disturbed */
	COLD_NS = 1000,       /* calls that take longer find the lines of the hook gone */
	PREEMPTED_NS = 50000, /* a passage that took longer was interrupted */
	PLACES = 1024,        /* of objects, by hash: a power of two */
	MEAN_PART = 8,        /* of a mean that the newest value is */
	SAID = 64,            /* steps that can be waiting to be written */
};

struct gt_budget gt_budget;
GT_OFTEN_READ bool gt_budget_on;

/* Of two machines (docs/budget.md). What needs no second thread is measured anew: these at least.
 */
#define LEAST                                                                                      \
	{                                                                                          \
		[GT_PRICE_CALL] = 6000, [GT_PRICE_CALL_COLD] = 25000,                              \
		[GT_PRICE_WAIT_MUTEX] = 25000, [GT_PRICE_WAIT_COND] = 65000,                       \
		[GT_PRICE_WAIT_SEM] = 70000, [GT_PRICE_WAIT_OTHER] = 45000,                        \
		[GT_PRICE_MUTEX] = 1000, [GT_PRICE_RWLOCK] = 2000, [GT_PRICE_RWLOCK_BUSY] = 40000, \
		[GT_PRICE_SEM] = 3000,                                                             \
	}
static const uint32_t least[GT_PRICES] = LEAST;
_Atomic uint32_t gt_budget_prices[GT_PRICES] = LEAST;

/* --- Meters ----------------------------------------------------------------------------------- */

void gt_budget_time(struct gt_meter *m)
{
	m->next = GT_BUDGET_TIMED;
	m->since = gt_clock_moment();
}

static void add(_Atomic uint64_t *to, uint64_t n)
{
	/* Of one writer: no locked instruction. */
	gt_store_relaxed(to, gt_load_relaxed(to) + n);
}

void gt_budget_timed(struct gt_meter *m, enum gt_cost cost)
{
	uint64_t took = gt_clock_between(m->since, gt_clock_moment());

	m->since = 0;
	if (took < PREEMPTED_NS) {
		add(&m->timed[cost], took);
	}
}

/* --- Prices ----------------------------------------------------------------------------------- */

GT_TLS uint32_t gt_budget_due;   /* ps that the thread has not passed on yet */
static _Atomic uint64_t paid_ps; /* by all, since the process began */

void gt_budget_set_price(enum gt_price what, uint64_t ps)
{
	ps = GT_MIN(ps, (uint64_t)PRICE_MAX);
	gt_store_relaxed(&gt_budget_prices[what], GT_MAX(least[what], (uint32_t)ps));
}

void gt_budget_paid(void)
{
	gt_add_relaxed(&paid_ps, gt_budget_due);
	gt_budget_due = 0;
}

/* What threads that have ended left; and what all have done so far. */
struct totals {
	uint64_t timed[GT_COSTS];
	uint64_t kept[GT_BUDGET_KINDS];
	uint64_t left_out[GT_BUDGET_KINDS];
	uint64_t left_out_ns[GT_BUDGET_KINDS];
	uint64_t paid_ps;
};
static struct {
	_Atomic uint64_t timed[GT_COSTS];
	_Atomic uint64_t kept[GT_BUDGET_KINDS];
	_Atomic uint64_t left_out[GT_BUDGET_KINDS];
	_Atomic uint64_t left_out_ns[GT_BUDGET_KINDS];
} gone;

void gt_budget_meter_reset(struct gt_meter *m)
{
	static _Atomic uint32_t turn;

	if (gt_unlikely(gt_budget_on)) {
		memset(m, 0, sizeof(*m));
		/* Threads that live for a few passages have each of them timed as often. */
		m->next = 1 + gt_add_relaxed(&turn, 17) % GT_BUDGET_TIMED;
	}
}

void gt_budget_meter_close(struct gt_meter *m)
{
	if (gt_likely(!gt_budget_on)) {
		return;
	}
	gt_budget_next_step(m);
	gt_store_relaxed(&m->step, 0);
	if (gt_budget_due) {
		gt_budget_paid();
	}
	for (int i = 0; i < GT_COSTS; i++) {
		gt_add_relaxed(&gone.timed[i], gt_exchange_acq_rel(&m->timed[i], 0));
	}
	for (int i = 0; i < GT_BUDGET_KINDS; i++) {
		gt_add_relaxed(&gone.kept[i], gt_exchange_acq_rel(&m->kept[i], 0));
		gt_add_relaxed(&gone.left_out[i], gt_exchange_acq_rel(&m->left_out[i], 0));
		gt_add_relaxed(&gone.left_out_ns[i], gt_exchange_acq_rel(&m->left_out_ns[i], 0));
	}
	gt_add_relaxed(&paid_ps, gt_exchange_acq_rel(&m->paid_ps, 0));
}

/* --- Allowances ------------------------------------------------------------------------------- */

/*
 * The place of objects, by hash. word: step << 32 | PARTIAL | what is left of the allowance. Two
 * that take from it at once may count as one: it is an allowance and no account.
 */
#define PARTIAL UINT64_C(0x80000000)

static struct place {
	_Atomic uint64_t word GT_ALIGNED(GT_LINE);
	_Atomic uint32_t mean; /* ns, of the waits traced lately */
} places[PLACES];

static struct place *place_of(const void *object)
{
	return &places[((uint64_t)(uintptr_t)object >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 54];
}

/*
 * left: of the allowance. The first of a step count for nothing: that a step begins, and why, has
 * disturbed them. One that is far out counts for little.
 */
static void take_mean(_Atomic uint32_t *mean, uint64_t ns, int64_t left, enum gt_budget_kind kind)
{
	int64_t old = gt_load_relaxed(mean);
	int64_t new = (int64_t)GT_MIN(ns, GT_MIN((uint64_t)old * 8 + 1000, (uint64_t)UINT32_MAX));

	if (left + 2 >= gt_load_relaxed(&gt_budget.limit[kind]) && old) {
		return;
	}
	gt_store_relaxed(mean, (uint32_t)(old ? old + (new - old) / MEAN_PART : new));
}

void gt_budget_look(void)
{
	if (gt_unlikely(!gt_advancer_there())) {
		gt_tls.busy++;
		gt_budget_step();
		gt_tls.busy--;
	}
}

static uint64_t call_price(uint64_t mean)
{
	uint32_t price = gt_budget_price(GT_PRICE_CALL);

	return mean > COLD_NS ? GT_MAX(price, gt_budget_price(GT_PRICE_CALL_COLD)) : price;
}

/* What the places of calls have counted since they were filled. */
static void add_places(const struct gt_meter *m, struct totals *sum)
{
	int64_t limit = gt_load_relaxed(&m->limit);

	if (!gt_load_relaxed(&m->step)) {
		return;
	}
	for (int i = 0; i < GT_BUDGET_CALLS; i++) {
		int64_t left = gt_load_relaxed(&m->place[i].left);
		uint64_t out = (uint64_t)GT_MAX(-left, 0);
		uint64_t kept = (uint64_t)(limit - GT_MAX(left, 0));
		uint64_t mean = gt_load_relaxed(&m->place[i].mean);

		sum->kept[GT_BUDGET_CALL] += kept;
		sum->left_out[GT_BUDGET_CALL] += out;
		sum->left_out_ns[GT_BUDGET_CALL] += out * mean;
		/* Each has come by, whatever became of it. */
		sum->paid_ps += (kept + out) * call_price(mean);
	}
}

/* The allowances of the step that has begun; what those before counted is kept. */
void gt_budget_next_step(struct gt_meter *m)
{
	uint32_t limit = gt_load_relaxed(&gt_budget.limit[GT_BUDGET_CALL]);
	struct totals counted = {.kept = {0}};

	add_places(m, &counted);
	add(&m->kept[GT_BUDGET_CALL], counted.kept[GT_BUDGET_CALL]);
	add(&m->left_out[GT_BUDGET_CALL], counted.left_out[GT_BUDGET_CALL]);
	add(&m->left_out_ns[GT_BUDGET_CALL], counted.left_out_ns[GT_BUDGET_CALL]);
	add(&m->paid_ps, counted.paid_ps);
	for (int i = 0; i < GT_BUDGET_CALLS; i++) {
		gt_store_relaxed(&m->place[i].left, (int32_t)limit);
	}
	gt_store_relaxed(&m->limit, limit);
	gt_store_relaxed(&m->step, gt_load_relaxed(&gt_budget.step));
}

bool gt_budget_ask_wait(struct gt_meter *m, const void *object, enum gt_price price)
{
	struct place *place = place_of(object);
	uint64_t word = gt_load_relaxed(&place->word);
	uint32_t step = gt_load_relaxed(&gt_budget.step);
	uint64_t out;

	gt_budget_pay(price);
	if (gt_unlikely(word >> 32 != step)) {
		word = (uint64_t)step << 32 | (word & PARTIAL) |
		       gt_load_relaxed(&gt_budget.limit[GT_BUDGET_WAIT]);
	}
	if (word & (PARTIAL - 1)) {
		gt_store_relaxed(&place->word, word - 1);
		add(&m->kept[GT_BUDGET_WAIT], 1);
		return true;
	}
	if (!(word & PARTIAL)) {
		gt_store_relaxed(&place->word, word | PARTIAL);
	}
	out = gt_load_relaxed(&m->left_out[GT_BUDGET_WAIT]) + 1;
	gt_store_relaxed(&m->left_out[GT_BUDGET_WAIT], out);
	add(&m->left_out_ns[GT_BUDGET_WAIT], gt_load_relaxed(&place->mean));
	if (out % GT_BUDGET_LOOK == 0) {
		gt_budget_look();
	}
	return false;
}

bool gt_budget_is_partial(const void *object)
{
	return (gt_load_relaxed(&place_of(object)->word) & PARTIAL) != 0;
}

void gt_budget_call_took(struct gt_meter *m, unsigned call, uint64_t began)
{
	struct gt_budget_place *place = &m->place[call % GT_BUDGET_CALLS];

	take_mean(&place->mean, gt_clock_between(began, gt_clock_moment()),
		  gt_load_relaxed(&place->left), GT_BUDGET_CALL);
}

void gt_budget_wait_took(const void *object, uint64_t began)
{
	struct place *place = place_of(object);

	take_mean(&place->mean, gt_clock_between(began, gt_clock_moment()),
		  (int64_t)(gt_load_relaxed(&place->word) & (PARTIAL - 1)), GT_BUDGET_WAIT);
}

/* --- Steps ------------------------------------------------------------------------------------ */

/* All of this under x_advance, but for due. */
static struct gt_budget_rule rule;
static struct totals before;
static uint64_t cpu_before;
static uint64_t advancer_before;
static uint64_t began_ns; /* CLOCK_MONOTONIC, of the step */
static _Atomic uint64_t due_ns;
static _Atomic uint64_t fixed_more; /* what gt_budget_add_fixed was told */

static struct gt_budget_said said[SAID];
static uint32_t said_first;
static uint32_t said_count;

static uint64_t cpu_clock(clockid_t clock)
{
	struct timespec ts = {0, 0};

	if (gt_sys_clock(clock, &ts) != 0) {
		return 0;
	}
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
}

uint64_t gt_budget_cpu(void)
{
	return cpu_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void gt_budget_start(uint64_t share, uint64_t cpu)
{
	gt_budget_on = share != 0;
	if (!share) {
		return;
	}
	memset(&gone, 0, sizeof(gone));
	memset(places, 0, sizeof(places));
	memset(&before, 0, sizeof(before));
	before.paid_ps = gt_load_relaxed(&paid_ps);
	said_first = said_count = 0;
	advancer_before = 0;
	/* The start itself is processor time of the process as well. */
	cpu_before = cpu;
	gt_store_relaxed(&fixed_more, gt_budget_cpu() - cpu);
	began_ns = gt_clock_monotonic();
	gt_store_relaxed(&due_ns, began_ns + GT_BUDGET_STEP_NS);
	gt_budget_rule_init(&rule, (uint32_t)share, (uint32_t)gt_env.depth);
	gt_store_relaxed(&gt_budget.limit[GT_BUDGET_CALL], rule.limit[GT_BUDGET_CALL]);
	gt_store_relaxed(&gt_budget.limit[GT_BUDGET_WAIT], rule.limit[GT_BUDGET_WAIT]);
	gt_store_relaxed(&gt_budget.step, 1);
	gt_budget_free_begin();
	gt_about(GT_ABOUT_BUDGET, share);
}

uint64_t gt_budget_clock(void)
{
	return gt_budget_on ? cpu_clock(CLOCK_THREAD_CPUTIME_ID) : 0;
}

void gt_budget_add_fixed(uint64_t since)
{
	if (gt_unlikely(gt_budget_on)) {
		gt_add_relaxed(&fixed_more, gt_budget_clock() - since);
	}
}

uint64_t gt_budget_next(uint64_t ns)
{
	uint64_t due;
	uint64_t now;

	if (gt_likely(!gt_budget_on)) {
		return ns;
	}
	due = gt_load_relaxed(&due_ns);
	now = gt_clock_monotonic();
	return GT_MIN(ns, due > now ? due - now : 0);
}

/* With x_advance. */
static void sum_up(struct totals *sum)
{
	sum->paid_ps = gt_load_relaxed(&paid_ps);
	for (int i = 0; i < GT_COSTS; i++) {
		sum->timed[i] = gt_load_relaxed(&gone.timed[i]);
	}
	for (int i = 0; i < GT_BUDGET_KINDS; i++) {
		sum->kept[i] = gt_load_relaxed(&gone.kept[i]);
		sum->left_out[i] = gt_load_relaxed(&gone.left_out[i]);
		sum->left_out_ns[i] = gt_load_relaxed(&gone.left_out_ns[i]);
	}
	for (struct gt_thread *t = gt_thread_first(); t; t = gt_thread_next(t)) {
		const struct gt_meter *m = &t->meter;

		for (int i = 0; i < GT_COSTS; i++) {
			sum->timed[i] += gt_load_relaxed(&m->timed[i]);
		}
		for (int i = 0; i < GT_BUDGET_KINDS; i++) {
			sum->kept[i] += gt_load_relaxed(&m->kept[i]);
			sum->left_out[i] += gt_load_relaxed(&m->left_out[i]);
			sum->left_out_ns[i] += gt_load_relaxed(&m->left_out_ns[i]);
		}
		sum->paid_ps += gt_load_relaxed(&m->paid_ps);
		add_places(m, sum);
	}
}

static uint64_t since(uint64_t now, uint64_t last)
{
	/* A thread that ended between two looks may have been counted twice the last time. */
	return now > last ? now - last : 0;
}

static void say(const struct gt_budget_said *step)
{
	if (said_count < SAID) {
		said[(said_first + said_count++) % SAID] = *step;
	} else {
		struct gt_budget_said *last = &said[(said_first + SAID - 1) % SAID];
		struct gt_budget_said sum = *step;

		sum.cpu += last->cpu;
		sum.cost += last->cost;
		sum.held += last->held;
		for (int i = 0; i < GT_BUDGET_KINDS; i++) {
			sum.left_out[i] += last->left_out[i];
			sum.left_out_ns[i] += last->left_out_ns[i];
		}
		*last = sum;
	}
}

/* What the step that ends now saw. With x_advance. */
static void see(uint64_t now, struct gt_budget_seen *seen, struct gt_budget_said *step)
{
	uint64_t cpu = gt_budget_cpu();
	uint64_t own = gt_tls.advancer ? cpu_clock(CLOCK_THREAD_CPUTIME_ID) : advancer_before;
	uint64_t cost[GT_COSTS];
	struct totals sum;

	sum_up(&sum);
	for (int i = 0; i < GT_COSTS; i++) {
		/* Those that were timed stand for all. */
		cost[i] = gt_budget_real((enum gt_cost)i,
					 since(sum.timed[i], before.timed[i]) * GT_BUDGET_TIMED);
	}
	seen->ns = now - began_ns;
	seen->cpu = since(cpu, cpu_before);
	/* One that began after another has left counts anew. */
	seen->fixed = cost[GT_COST_LIFE] + (own < advancer_before ? own : own - advancer_before) +
		      gt_exchange_acq_rel(&fixed_more, 0) +
		      since(sum.paid_ps, before.paid_ps) / 1000 +
		      gt_budget_free_end(seen->ns, seen->cpu);
	seen->spent[GT_BUDGET_CALL] = cost[GT_COST_CALL];
	seen->spent[GT_BUDGET_WAIT] = cost[GT_COST_WAIT] + cost[GT_COST_HELD];
	for (int i = 0; i < GT_BUDGET_KINDS; i++) {
		seen->kept[i] = since(sum.kept[i], before.kept[i]);
		seen->left_out[i] = since(sum.left_out[i], before.left_out[i]);
		step->left_out[i] = seen->left_out[i];
		/* An estimate, but nobody lives longer than he lives. */
		step->left_out_ns[i] = GT_MIN(since(sum.left_out_ns[i], before.left_out_ns[i]),
					      seen->ns * gt_load_relaxed(&gt_trace->live));
	}
	step->ns = gt_clock_now(&gt_trace->clock[gt_load_relaxed(&gt_trace->head.gen) & 1]);
	step->cpu = seen->cpu;
	step->cost = seen->fixed + seen->spent[GT_BUDGET_CALL] + seen->spent[GT_BUDGET_WAIT];
	step->held = cost[GT_COST_HELD];
	before = sum;
	cpu_before = cpu;
	advancer_before = own;
	began_ns = now;
}

static void step_locked(uint64_t now)
{
	struct gt_budget_seen seen;
	struct gt_budget_said step;
	uint64_t length = GT_BUDGET_STEP_NS * (1 + gt_load_relaxed(&gt_trace->live) / STEP_THREADS);

	see(now, &seen, &step);
	if (gt_load_relaxed(&gt_budget.step) == 1) {
		/* What the start has cost is said, and nothing is left out for it. */
		seen.fixed = 0;
	}
	gt_budget_decide(&rule, &seen);
	for (int i = 0; i < GT_BUDGET_KINDS; i++) {
		gt_store_relaxed(&gt_budget.limit[i], rule.limit[i]);
		step.limit[i] = rule.limit[i];
	}
	gt_store_relaxed(&gt_stack_depth, gt_env.stacks ? rule.depth : 0);
	step.depth = rule.depth;
	gt_store_relaxed(&gt_budget.step, gt_load_relaxed(&gt_budget.step) + 1);
	say(&step);
	/* A process that sleeps need not be watched so closely: that costs too. */
	length *= seen.cpu < seen.ns / 50 ? 4 : 1;
	gt_store_relaxed(&due_ns, now + length);
}

void gt_budget_step(void)
{
	uint64_t now;

	if (gt_likely(!gt_budget_on)) {
		return;
	}
	now = gt_clock_monotonic();
	if (now < gt_load_relaxed(&due_ns)) {
		return;
	}
	/* Later again, if this one comes to nothing: somebody advances, or the trace has ended. */
	gt_store_relaxed(&due_ns, now + GT_BUDGET_STEP_NS / 10);
	if (gt_lock_try(&gt_trace->x_advance)) {
		if (gt_load_relaxed(&gt_trace->head.gen)) {
			step_locked(now);
			gt_budget_free_begin();
		}
		gt_lock_drop(&gt_trace->x_advance);
	}
}

bool gt_budget_take(struct gt_budget_said *step)
{
	if (!said_count) {
		return false;
	}
	*step = said[said_first];
	said_first = (said_first + 1) % SAID;
	said_count--;
	return true;
}

void gt_budget_step_last(void)
{
	if (gt_unlikely(gt_budget_on)) {
		step_locked(gt_clock_monotonic());
	}
}

uint64_t gt_budget_left_out(enum gt_budget_kind kind)
{
	return before.left_out[kind];
}
