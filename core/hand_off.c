/*
 * Hand-offs: drafts before the bump, written after the last section.
 */
#include "hand_off.h"

#include <string.h>

#include "base/check.h"
#include "base/varint.h"

#include "call.h"
#include "delay.h"
#include "fence.h"
#include "trace.h"
#include "writer.h"

/* What a thread has noted of its call, under x_advance; and the last number of its P. */
static struct {
	uint64_t at;
	uint64_t seq;
	uint32_t p;
	uint32_t as;
	uint32_t n;
	uint64_t pcs[GT_WIRE_FRAMES_MAX];
} seen;

_Static_assert(GT_DRAFT_BYTES >= GT_WIRE_BATCH_HEADER_MAX + 4 + 12 * GT_VARINT_MAX,
	       "a draft has room for two statuses, the beginning of the call and ProcStop");

/* Reads what another thread may be writing, and finds out afterwards whether it was. */
#define GT_RACY __attribute__((no_sanitize("thread"), noinline))

/*
 * Copies of what the thread may be writing at this moment, since it has come back: then they are
 * torn, and not used. No atomics, which would be in the way of each walk. Where the list is and how
 * long may not belong together either; what is read then lies in the record all the same.
 */
GT_RACY static uint32_t copy_stack(const struct gt_thread *t, uint64_t *pcs)
{
	const volatile uint64_t *from = *(const uint64_t *const volatile *)&t->walks.pcs;
	uint32_t n = *(const volatile uint32_t *)&t->call_stack;

	n = GT_MIN(n, (uint32_t)GT_WIRE_FRAMES_MAX);
	for (uint32_t i = 0; i < n; i++) {
		pcs[i] = from[i];
	}
	return n;
}

GT_RACY static void look(const struct gt_thread *t, unsigned parity)
{
	seen.p = gt_load_relaxed(&t->p);
	seen.at = *(const volatile uint64_t *)&t->call_at;
	seen.as = *(const volatile uint16_t *)&t->call_as;
	seen.n = copy_stack(t, seen.pcs);
	if (seen.p < GT_PROCS_MAX) {
		seen.seq = *(const volatile uint64_t *)&gt_trace->procs.proc[seen.p].seq[parity];
	}
}

unsigned gt_hand_off_stack(const struct gt_thread *t, uint64_t *pcs)
{
	return copy_stack(t, pcs);
}

static uint8_t *put(uint8_t *at, enum gt_ev number, uint64_t dt, unsigned n, const uint64_t *args)
{
	*at++ = (uint8_t)number;
	at = gt_varint_put(at, dt);
	for (unsigned i = 0; i < n; i++) {
		at = gt_varint_put(at, args[i]);
	}
	return at;
}

static uint64_t stack_id(uint64_t gen, const uint64_t *pcs, uint32_t n)
{
	uint32_t id = n ? gt_table_put(&gt_trace->stacks[gen & 1], pcs, n * sizeof(*pcs)) : 0;

	if (n && !id) {
		gt_loss_add(GT_LOSS_TABLE_FULL);
	}
	return id;
}

/* The batch: the events of gt_call_end's write_begin, after the statuses where there are none. */
static void compose(struct gt_thread *t, uint64_t gen, uint64_t now)
{
	enum { KEEP = GT_CALL_KEEP_NS >> GT_TICK_SHIFT };
	struct gt_draft *d = &t->draft;
	uint64_t start = gt_trace->stamp[gen & 1].ticks;
	uint64_t at = gt_clock_ticks_at(&gt_trace->clock[gen & 1], seen.at);
	uint64_t stack = stack_id(gen, seen.pcs, seen.n);
	uint8_t bytes[GT_BUF_HEAD + GT_DRAFT_BYTES];
	uint8_t *payload = bytes + GT_BUF_HEAD;
	uint8_t *to = payload;
	uint64_t base;
	uint32_t name;

	at = GT_MAX(at, start);
	d->p = seen.p;
	d->waits = seen.as != 0;
	d->lists = gt_load_relaxed(&t->traced[gen & 1]) != gen;
	base = d->lists ? start : at;
	if (d->lists) {
		to = put(to, GT_EV_PROC_STATUS, 0, 2, (const uint64_t[]){d->p, GT_PROC_RUNNING});
		to = put(to, GT_EV_GO_STATUS_STACK, 0, 4,
			 (const uint64_t[]){gt_thread_id(t), gt_thread_tid(t), GT_GO_RUNNING,
					    stack_id(gen, &t->root.entry, 1)});
		name = gt_thread_name_id(t, gen & 1);
		to = name ? put(to, GT_EV_GO_LABEL, 0, 1, (const uint64_t[]){name}) : to;
		seen.seq = 0;
	}
	if (d->waits) {
		to = put(to, GT_EV_GO_BLOCK, at - base, 2, (const uint64_t[]){seen.as, stack});
		to = put(to, GT_EV_PROC_STOP, 0, 0, NULL);
	} else {
		uint64_t kept = GT_MIN((uint64_t)KEEP, now > at ? now - at : 0);

		to = put(to, GT_EV_GO_SYSCALL_BEGIN, at - base, 2,
			 (const uint64_t[]){seen.seq + 1, stack});
		to = put(to, GT_EV_PROC_STOP, kept, 0, NULL);
	}
	payload = gt_wire_batch_head(payload, 0, gen, gt_thread_tid(t), base,
				     (uint64_t)(to - payload));
	d->len = (uint32_t)(to - payload);
	memcpy(d->bytes, payload, d->len);
}

/* Of a thread that is in a call, as far as the advancer knows. */
static void draft(struct gt_thread *t, uint64_t gen, uint64_t now)
{
	uint32_t wanted = GT_CLAIM_WANTED;

	look(t, gen & 1);
	GT_STALL(GT_STALL_LOOK);
	/* It has come back, and the copy is torn; or there was no P, and recording breaks off. */
	if (gt_load_acquire(&t->x_claim) != GT_CLAIM_WANTED || seen.p >= GT_PROCS_MAX) {
		gt_cas_acq_rel(&t->x_claim, &wanted, GT_CLAIM_NONE);
		return;
	}
	compose(t, gen, now);
	/* Whole before it counts, for a recovery. */
	gt_store_release(&t->draft.gen, gen);
	GT_DELAY();
	/*
	 * Release: partner is the load in leave. And what was copied has been read before: a
	 * thread that changes it takes WANTED away first.
	 */
	if (!gt_cas_acq_rel(&t->x_claim, &wanted, GT_CLAIM_TAKEN)) {
		gt_store_relaxed(&t->draft.gen, 0);
	}
	GT_STALL(GT_STALL_DRAFTED);
	GT_DELAY();
}

void gt_hand_off_draft(uint64_t gen)
{
	struct gt_thread *first = gt_thread_first();
	bool any = false;
	uint64_t now;

	for (struct gt_thread *t = first; t; t = gt_thread_next(t)) {
		uint32_t claim = gt_load_relaxed(&t->x_claim);

		if (claim != GT_CLAIM_NONE && claim != GT_CLAIM_BACK) {
			continue;
		}
		if (gt_load_relaxed(&t->x_in_call) != 0) {
			gt_store_seq(&t->x_claim, GT_CLAIM_WANTED);
			any = true;
		} else if (claim == GT_CLAIM_BACK) {
			gt_store_relaxed(&t->x_claim, GT_CLAIM_NONE);
		}
	}
	if (!any) {
		return;
	}
	gt_fence_all();
	GT_DELAY();
	now = gt_clock_ticks_now(&gt_trace->clock[gen & 1]);
	for (struct gt_thread *t = first; t; t = gt_thread_next(t)) {
		uint32_t wanted = GT_CLAIM_WANTED;

		if (gt_load_relaxed(&t->x_claim) != GT_CLAIM_WANTED) {
			continue;
		}
		/* Sequentially consistent, after the claim: in that call, or in one that began
		 * since. Acquire: partner is the store in gt_call_begin. */
		if (gt_load_seq(&t->x_in_call) != 0) {
			draft(t, gen, now);
		} else {
			gt_cas_acq_rel(&t->x_claim, &wanted, GT_CLAIM_NONE);
		}
	}
}

void gt_hand_off_write(uint64_t gen)
{
	for (struct gt_thread *t = gt_thread_first(); t; t = gt_thread_next(t)) {
		struct gt_draft *d = &t->draft;
		uint32_t taken = GT_CLAIM_TAKEN;

		if (gt_load_relaxed(&d->gen) != gen) {
			continue;
		}
		/* Taken away in a section of the generation: these have ended, so it is seen. */
		if (gt_load_acquire(&t->x_claim) < GT_CLAIM_TAKEN) {
			gt_store_relaxed(&d->gen, 0);
			continue;
		}
		if (d->lists) {
			struct gt_proc *proc = &gt_trace->procs.proc[d->p];

			GT_INVARIANT(4, gt_load_relaxed(&t->traced[gen & 1]) != gen);
			GT_INVARIANT(4, proc->traced[gen & 1] != gen);
			proc->traced[gen & 1] = gen;
			gt_store_relaxed(&t->traced[gen & 1], gen);
		}
		gt_writer_put(d->bytes, d->len);
		GT_DELAY();
		gt_hand_off_settle(t);
		/* Release: partner is the load in leave. It may be back already. */
		gt_cas_acq_rel(&t->x_claim, &taken, GT_CLAIM_WRITTEN);
		GT_STALL(GT_STALL_SETTLED);
		GT_DELAY();
		gt_proc_give(d->p);
	}
	gt_writer_flush();
	/* Not before: a recovery looks for them there until they are in the file. */
	for (struct gt_thread *t = gt_thread_first(); t; t = gt_thread_next(t)) {
		uint32_t back = GT_CLAIM_BACK;

		if (gt_load_relaxed(&t->draft.gen) == gen) {
			gt_store_release(&t->draft.gen, 0);
			gt_cas_acq_rel(&t->x_claim, &back, GT_CLAIM_NONE);
		}
	}
}
