/*
 * Advancing.
 *
 * The order of the steps (docs/design.md, section 4) is numbered at the code. Why nobody
 * races for a status: trace states change only inside sections, so a G that is untraced in N after
 * the last section of N has ended was unchanged during all of N, and what was noted of it before
 * the bump is still so. Noted after the bump, it could be a state of N + 1.
 */
#include "advance.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/check.h"

#include "advancer.h"
#include "dump.h"
#include "emit.h"
#include "hand_off.h"
#include "shm.h"
#include "writer.h"

/* Step 2: the states of all Gs that have none in this generation yet. */
static void note_silent(uint64_t gen)
{
	for (struct gt_thread *t = gt_thread_first(); t; t = gt_thread_next(t)) {
		/* Acquire: partner is gt_set_state; the block stack is whole. */
		uint64_t state = gt_load_acquire(&t->x_state);
		unsigned g = gt_state_g(state);

		if (g == GT_GO_NEW || g == GT_GO_DEAD ||
		    gt_load_relaxed(&t->traced[gen & 1]) == gen) {
			continue;
		}
		t->noted_gen = gen;
		t->noted_state = state;
		/*
		 * Its stack now, not later: in N + 1 it may block elsewhere. If it wakes in N
		 * meanwhile, the copy is torn and never used, since it is traced then.
		 */
		t->noted_stack = gt_dump_note_stack(t, g, gen);
	}
}

/*
 * Step 7: no section of the old generation is open any more. In the last generation not for ever: a
 * thread may have been stopped inside one by a handler that never returns. False: it was.
 */
static bool wait_for_sections(bool last)
{
	uint64_t until = gt_clock_monotonic() + 1000000000;

	for (struct gt_thread *t = gt_thread_first(); t; t = gt_thread_next(t)) {
		/* Partner: gt_open; see thread.h, Protocol. */
		uint64_t seq = gt_load_seq(&t->x_seq);

		/* Even or changed: a busy writer is odd often, but each time in a new section. */
		for (unsigned i = 0; seq & 1 && gt_load_acquire(&t->x_seq) == seq; i++) {
			if (i < 100) {
				gt_pause();
			} else if (i < 200) {
				gt_sys_yield();
			} else if (last && gt_clock_monotonic() > until) {
				return false;
			} else {
				gt_sys_sleep(50000);
			}
		}
	}
	return true;
}

/* Writes the batches of a generation: sealed ones first, as they are the older of each M. */
static void write_batches(uint64_t gen)
{
	unsigned parity = gen & 1;
	struct gt_buf *b;

	gt_buf_close_packed(parity);
	b = gt_buf_take_full(parity);

	while (b) {
		struct gt_buf *next = gt_buf_next(b);

		gt_writer_put_buf(b);
		b = next;
	}
	for (struct gt_thread *t = gt_thread_first(); t; t = gt_thread_next(t)) {
		/* Acquire: partner is the store in gt_buf_refill. */
		uint32_t ref = gt_exchange_acq_rel(&t->x_slot[parity], 0);

		if (ref) {
			GT_INVARIANT(2, ((struct gt_buf *)gt_ref_ptr(ref))->gen == gen);
			gt_writer_put_buf(gt_ref_ptr(ref));
		}
	}
	gt_writer_flush();
}

/* In debug builds: nothing of the generation is left anywhere. */
static void check_finished(uint64_t gen)
{
#ifdef GT_DEBUG
	unsigned parity = gen & 1;

	GT_INVARIANT(3, gt_load_relaxed(&gt_trace->full[parity]) == 0);
	for (struct gt_thread *t = gt_thread_first(); t; t = gt_thread_next(t)) {
		unsigned g = gt_state_g(gt_load_acquire(&t->x_state));

		GT_INVARIANT(3, gt_load_relaxed(&t->x_slot[parity]) == 0);
		GT_INVARIANT(3, gt_mailbox_left(&t->mailbox[parity]) == 0);
		GT_INVARIANT(3, !gt_in_section(t) || gt_load_relaxed(&t->x_section_gen) != gen);
		/* Not one that was born later, or (0) after tracing ended. */
		GT_INVARIANT(9, g == GT_GO_NEW || g == GT_GO_DEAD ||
					gt_load_relaxed(&t->born_gen) > gen ||
					gt_load_relaxed(&t->born_gen) == 0 ||
					gt_load_relaxed(&t->traced[parity]) == gen ||
					gt_load_relaxed(&gt_trace->broken));
	}
#else
	(void)gen;
#endif
}

/* Step 3: the clock of the next generation, and its stamp. */
static void prepare_clock(uint64_t gen)
{
	const struct gt_clock *now = &gt_trace->clock[gen & 1];
	struct gt_clock *next = &gt_trace->clock[~gen & 1];

	/* Stored before gen (its release is the store of gen); read after it in gt_open. */
	gt_clock_next(now, next, gt_env.period);
	gt_store_relaxed(&gt_trace->due, (next->base_ns + gt_env.period) >> GT_TICK_SHIFT);
	gt_dump_stamp(&gt_trace->stamp[~gen & 1], next, &gt_trace->stamp[gen & 1]);
}

/* The last whole generation says that recording has ended, and why. */
static void amend(enum gt_broken why, int error)
{
	uint64_t last = gt_trace->first_gen + gt_load_relaxed(&gt_trace->head.generations) - 1;
	const uint8_t *batch;
	size_t n;
	int r;

	if (last < gt_trace->first_gen) {
		return; /* nothing is there that could say it */
	}
	n = gt_dump_compose_broken(last, why, error, &batch);
	r = gt_writer_amend(batch, n);
	if (r == -ENOSPC || r == -EDQUOT) {
		/* Blocks of the same disk, with what a recovery would need; here it has no use. */
		gt_spool_drop_maps();
		gt_writer_amend(batch, n);
	}
	gt_store_release(&gt_trace->head.written, gt_writer_bytes());
}

/*
 * A generation that lacks something is dropped whole, with what stands of it in the file, and no
 * other begins: a generation missing in the middle would break the file. Hooks pass straight now.
 */
static void give_up(int error)
{
	static const char *const reasons[] = {
#define GT_BROKEN(id, NAME, text) [GT_BROKEN_##NAME] = text ", the trace ends here: ",
#include "base/events.def"
	};
	enum gt_broken why = gt_load_relaxed(&gt_trace->broken);

	if (why == GT_BROKEN_WRITE) {
		gt_say("writing ", gt_trace->path, error);
	} else {
		gt_say(reasons[why], gt_trace->path, 0);
	}
	gt_writer_cut(gt_load_relaxed(&gt_trace->head.written));
	amend(why, why == GT_BROKEN_WRITE ? -error : 0);
	gt_store_seq(&gt_trace->head.gen, 0);
	gt_store_seq(&gt_gate->epoch, GT_EPOCH_OFF);
}

static void break_file(int error)
{
	gt_trace_break(GT_BROKEN_WRITE);
	give_up(error);
}

void gt_advance_amend(enum gt_broken why)
{
	enum { SECOND = 1000000000 };
	uint32_t not = GT_BROKEN_NOT;

	if (!gt_lock_take_until(&gt_trace->x_advance, gt_clock_monotonic() + SECOND)) {
		return;
	}
	/* Not what did not end well: it has said so itself, or is unfinished. */
	if (gt_load_relaxed(&gt_trace->head.gen) == 0 &&
	    gt_cas_acq_rel(&gt_trace->broken, &not, why)) {
		amend(why, 0);
	}
	gt_lock_drop(&gt_trace->x_advance);
}

bool gt_advance(struct gt_thread *self, bool last, bool keep)
{
	uint64_t gen;
	int r;

	gt_lock_take(&gt_trace->x_advance);
	gen = gt_load_relaxed(&gt_trace->head.gen);
	if (gen == 0) {
		gt_lock_drop(&gt_trace->x_advance);
		return false;
	}
	/* Before the bump, after which there is no way back: a want of descriptors may pass. */
	r = gt_writer_begin(keep);
	if (!last && (r == -EMFILE || r == -ENFILE || r == -ENOMEM)) {
		gt_lock_drop(&gt_trace->x_advance);
		if (self && self->is_advancer) {
			gt_sys_sleep(10000000);
		}
		return true;
	}
	/* 1. Threads that make a call. */
	gt_hand_off_draft(gen);
	/* 2. Silent Gs. */
	if (GT_WRONG != GT_WRONG_NOTE_AFTER_BUMP) {
		note_silent(gen);
	}
	GT_DELAY();
	/* 3. Tables (empty since they were dumped), clock. */
	prepare_clock(gen);
	/* 4, 5. The bump, and the barrier between it and the loads of x_seq. */
	gt_store_seq(&gt_trace->head.gen, last ? 0 : gen + 1);
	gt_fence_all();
	GT_STALL(GT_STALL_BUMPED);
	GT_DELAY();
	if (GT_WRONG == GT_WRONG_NOTE_AFTER_BUMP) {
		note_silent(gen);
	}
	/* 6. What every generation begins with, by whoever runs here. */
	if (!last && self) {
		struct gt_w w = gt_acquire(self);

		gt_event(&w, PROCS_CHANGE, gt_value(gt_sys_cpus((pid_t)gt_trace->head.pid)),
			 gt_stack(0));
		gt_release(&w);
	}
	/* 7. The last section of the old generation. */
	if (!wait_for_sections(last)) {
		gt_trace_break(GT_BROKEN_STUCK);
	}
	if (!gt_load_relaxed(&gt_trace->broken)) {
		write_batches(gen);
		/* 8, 9. Mailboxes, calls, statuses. 10. Stacks, strings, clock. */
		gt_dump_posts(gen);
		gt_hand_off_write(gen);
		gt_dump_statuses(gen);
		gt_dump_budget(gen, last);
		gt_dump_losses(gen);
		gt_dump_about(gen);
		gt_dump_ends(gen, last);
		gt_dump_tables(gen);
		gt_dump_clock(gen);
	}
	if (gt_load_relaxed(&gt_trace->broken)) {
		/* Before, or a table found no room while it was dumped. */
		gt_writer_flush();
		give_up(0);
		last = true;
	} else {
		r = r < 0 ? r : gt_writer_end_generation(last);
		if (r < 0) {
			break_file(r);
			last = true;
		} else {
			gt_store_release(&gt_trace->head.written, gt_writer_bytes());
			gt_add_relaxed(&gt_trace->head.generations, 1);
		}
		check_finished(gen);
	}
	/* To who may still write after the advancer, a descriptor of its table means nothing. */
	if (last) {
		gt_writer_close();
	} else {
		gt_writer_end();
	}
	gt_table_reset(&gt_trace->stacks[gen & 1], 1);
	gt_table_reset(&gt_trace->strings[gen & 1], GT_REASON_END);
	gt_thread_reap(gen);
	gt_lock_drop(&gt_trace->x_advance);
	return !last;
}

void gt_advance_stream(bool keep)
{
	uint64_t gen;

	gt_lock_take(&gt_trace->x_advance);
	gen = gt_load_relaxed(&gt_trace->head.gen);
	if (gen && !gt_load_relaxed(&gt_trace->broken)) {
		int r = gt_writer_begin(keep);
		struct gt_buf *b = gt_buf_take_full(gen & 1);

		while (b) {
			struct gt_buf *next = gt_buf_next(b);

			gt_writer_put_buf(b);
			b = next;
		}
		r = r < 0 ? r : gt_writer_sync();
		if (r < 0) {
			break_file(r);
		}
		gt_writer_end();
	}
	gt_lock_drop(&gt_trace->x_advance);
}

void gt_advance_alone(struct gt_thread *self)
{
	struct gt_w w = gt_acquire(self);
	/* In a section, so that another thread that advances leaves the line as it is. */
	uint64_t age = w.ticks - gt_trace->clock[w.parity].base_ticks;
	uint64_t signals = 0;
	uint64_t began;
	int saved;

	gt_release(&w);
	if (!w.gen || age < gt_env.period >> GT_TICK_SHIFT || gt_trace_stopping()) {
		return;
	}
	/* Of what passes by here, libzstd alone may set it: the rest calls nothing of libc. */
	saved = errno;
	began = gt_budget_clock();
	/* A handler must not find the descriptor that is open here, nor the lock. */
	gt_sys_block_signals(~UINT64_C(0), &signals);
	/* Another thread may be at it. */
	if (gt_lock_try(&gt_trace->x_advance)) {
		gt_lock_drop(&gt_trace->x_advance);
		gt_advance(self, false, false);
	}
	gt_sys_restore_signals(signals);
	gt_budget_add_fixed(began);
	errno = saved;
}
