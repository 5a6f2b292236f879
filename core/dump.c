/*
 * What the advancer itself writes into a generation.
 */
#include "dump.h"

#include <string.h>

#include "base/check.h"
#include "base/varint.h"

#include "closed.h"
#include "emit.h"
#include "hand_off.h"
#include "module.h"
#include "shm.h"
#include "symbol.h"
#include "writer.h"

/* One batch that is being made; private memory, under x_advance like all here. */
static struct {
	size_t n;
	uint8_t head[GT_BUF_HEAD];
	uint8_t bytes[GT_WIRE_BATCH_MAX];
} scratch;

/* Writes the batch and begins the next; an empty one is no batch. */
static void emit_batch(unsigned experiment, uint64_t gen, uint64_t m, uint64_t ticks)
{
	if (scratch.n) {
		uint8_t *head =
			gt_wire_batch_head(scratch.bytes, experiment, gen, m, ticks, scratch.n);

		gt_writer_put(head, (size_t)(scratch.bytes - head) + scratch.n);
		gt_writer_flush();
		scratch.n = 0;
	}
}

static bool room(size_t bytes)
{
	return scratch.n + bytes <= sizeof(scratch.bytes);
}

static void put(uint64_t v)
{
	scratch.n = (size_t)(gt_varint_put(scratch.bytes + scratch.n, v) - scratch.bytes);
}

static void put_byte(unsigned b)
{
	scratch.bytes[scratch.n++] = (uint8_t)b;
}

/* An event of n arguments at the time of its batch. */
static void put_event(enum gt_ev number, uint64_t dt, unsigned n, const uint64_t *args)
{
	put_byte(number);
	put(dt);
	for (unsigned i = 0; i < n; i++) {
		put(args[i]);
	}
}

static uint64_t start_of(uint64_t gen)
{
	return gt_trace->stamp[gen & 1].ticks;
}

/* --- Clock ------------------------------------------------------------------------------------ */

void gt_dump_stamp(struct gt_stamp *to, const struct gt_clock *clock, const struct gt_stamp *before)
{
	struct timespec wall = {0, 0};

	to->ticks = gt_clock_ticks_now(clock);
	to->mono = gt_clock_monotonic();
	gt_sys_clock(CLOCK_REALTIME, &wall);
	to->sec = (uint64_t)wall.tv_sec;
	to->nsec = (uint64_t)wall.tv_nsec;
	/* Go's validator wants each of them to grow; the wall clock may be set back. */
	to->ticks = GT_MAX(to->ticks, before->ticks + 1);
	to->mono = GT_MAX(to->mono, before->mono + 1);
	if (to->sec < before->sec || (to->sec == before->sec && to->nsec <= before->nsec)) {
		to->sec = before->sec + (before->nsec == 999999999);
		to->nsec = before->nsec == 999999999 ? 0 : before->nsec + 1;
	}
}

void gt_dump_clock(uint64_t gen)
{
	const struct gt_stamp *s = &gt_trace->stamp[gen & 1];

	put_byte(GT_EV_SYNC);
	put_byte(GT_EV_FREQUENCY);
	put(GT_TICK_HZ);
	put_event(GT_EV_CLOCK_SNAPSHOT, 0, 3, (const uint64_t[]){s->mono, s->sec, s->nsec});
	emit_batch(0, gen, GT_WIRE_NO_M, s->ticks);
}

/* --- Posts and statuses ----------------------------------------------------------------------- */

/* The noted state of a G that is still untraced: it was so during all of the generation. */
static bool still_silent(struct gt_thread *t, uint64_t gen)
{
	return t->noted_gen == gen && gt_load_relaxed(&t->traced[gen & 1]) != gen;
}

static void put_silent(struct gt_thread *t, uint64_t gen)
{
	gt_store_relaxed(&t->traced[gen & 1], gen);
	put_event(GT_EV_GO_STATUS_STACK, 0, 4,
		  (const uint64_t[]){gt_thread_id(t),
				     gt_thread_tid(t) ? gt_thread_tid(t) : GT_WIRE_NO_M,
				     gt_state_g(t->noted_state), t->noted_stack});
}

void gt_dump_posts(uint64_t gen)
{
	unsigned parity = gen & 1;

	for (struct gt_thread *t = gt_thread_first(); t; t = gt_thread_next(t)) {
		struct gt_mailbox *box = &t->mailbox[parity];
		uint32_t left = gt_mailbox_left(box);
		uint32_t first = gt_load_relaxed(&box->written);
		uint64_t base = 0;
		uint64_t last = 0;

		/*
		 * The sections that posted have ended, and the drain acquired that.
		 * Without the lock for the same reason, so that nobody waits for it: who takes it
		 * still is a thread that ends in the next generation and shuts the box
		 * (gt_mailbox_close).
		 */
		if (!left) {
			continue;
		}
		/*
		 * In a system call during all of the generation: a reader wants to know that of an
		 * M before anything else of it.
		 */
		if (still_silent(t, gen) && gt_state_g(t->noted_state) == GT_GO_SYSCALL) {
			base = last = start_of(gen);
			put_silent(t, gen);
		}
		for (uint32_t i = 0; i < left; i++) {
			const struct gt_post *post = &t->posts[parity][(first + i) % GT_MAILBOX];
			uint64_t ticks = post->ns >> GT_TICK_SHIFT;

			if (base == 0) {
				base = last = ticks;
			}
			ticks = GT_MAX(ticks, last);
			put_event(GT_EV_GO_UNBLOCK, ticks - last, 3,
				  (const uint64_t[]){post->g, post->seq, post->stack});
			last = ticks;
		}
		GT_STALL(GT_STALL_POSTS);
		/*
		 * Of a waker that has ended, the kernel may have given its tid to another thread,
		 * whose batches of this generation stand before this one. Such posts are a stream
		 * of their own, under a number that is no tid: one stream for all of them (as of
		 * no M) would order what is not ordered.
		 */
		emit_batch(0, gen,
			   gt_load_acquire(&t->dead_gen) ? GT_WIRE_DEAD_M | gt_thread_id(t)
							 : gt_thread_tid(t),
			   base);
		/* Not before: a recovery looks for them here until they are in the file. */
		gt_store_release(&box->written, first + left);
	}
}

uint32_t gt_dump_note_stack(struct gt_thread *t, unsigned g, uint64_t gen)
{
	struct gt_table *stacks = &gt_trace->stacks[gen & 1];
	static uint64_t pcs[GT_WIRE_FRAMES_MAX];
	unsigned n = 0;

	/* Where it comes back meanwhile, the copy is torn and never used, as above. */
	if (g == GT_GO_WAITING || g == GT_GO_SYSCALL) {
		n = gt_load_acquire(&t->x_claim) == GT_CLAIM_WRITTEN ? gt_hand_off_stack(t, pcs)
								     : gt_thread_get_stack(t, pcs);
	}
	if (n == 0) {
		pcs[n++] = t->root.entry;
	}
	return gt_table_put(stacks, pcs, n * sizeof(pcs[0]));
}

void gt_dump_statuses(uint64_t gen)
{
	unsigned parity = gen & 1;
	uint64_t start = start_of(gen);

	/* Those that hold a P: it is bound to their M, and only a batch of that M can say so. */
	for (struct gt_thread *t = gt_thread_first(); t; t = gt_thread_next(t)) {
		unsigned pstate = gt_state_proc(t->noted_state);
		uint32_t p = gt_state_p(t->noted_state);
		struct gt_proc *proc = &gt_trace->procs.proc[p];
		uint32_t name;

		if (!still_silent(t, gen) || !pstate) {
			continue;
		}
		GT_INVARIANT(4, proc->traced[parity] != gen);
		proc->traced[parity] = gen;
		gt_store_relaxed(&t->traced[parity], gen);
		put_event(GT_EV_PROC_STATUS, 0, 2, (const uint64_t[]){p, pstate});
		put_event(GT_EV_GO_STATUS_STACK, 0, 4,
			  (const uint64_t[]){gt_thread_id(t), gt_thread_tid(t),
					     gt_state_g(t->noted_state), t->noted_stack});
		name = gt_state_g(t->noted_state) == GT_GO_RUNNING ? gt_thread_name_id(t, parity)
								   : 0;
		if (name) {
			put_event(GT_EV_GO_LABEL, 0, 1, (const uint64_t[]){name});
		}
		emit_batch(0, gen, gt_thread_tid(t), start);
	}
	/* All others in batches of nobody. */
	for (struct gt_thread *t = gt_thread_first(); t; t = gt_thread_next(t)) {
		if (!still_silent(t, gen)) {
			continue;
		}
		if (!room(GT_WIRE_EVENT_MAX)) {
			emit_batch(0, gen, GT_WIRE_NO_M, start);
		}
		put_silent(t, gen);
	}
	emit_batch(0, gen, GT_WIRE_NO_M, start);
}

void gt_dump_losses(uint64_t gen)
{
	/* Of threads that live; those that have ended added theirs. */
	uint64_t more[GT_LOSS_END] = {
		[GT_LOSS_BUDGET_CALLS] = gt_budget_left_out(GT_BUDGET_CALL),
		[GT_LOSS_BUDGET_WAITS] = gt_budget_left_out(GT_BUDGET_WAIT),
	};

	for (struct gt_thread *t = gt_thread_first(); t; t = gt_thread_next(t)) {
		more[GT_LOSS_SHORT] += gt_load_relaxed(&t->calls_left_out);
	}
	for (unsigned i = 1; i < GT_LOSS_END; i++) {
		uint64_t count = gt_load_relaxed(&gt_trace->losses[i]) + more[i];

		if (!count) {
			continue;
		}
		if (scratch.n == 0) {
			put_byte(GT_FACT_MAGIC);
			put_byte(GT_FACT_VERSION);
		}
		put_event((enum gt_ev)GT_FACT_LOSS, 0, 2, (const uint64_t[]){i, count});
	}
	emit_batch(GT_FACT_EXPERIMENT, gen, GT_WIRE_NO_M, start_of(gen));
}

void gt_dump_budget(uint64_t gen, bool last)
{
	static const uint8_t losses[GT_BUDGET_KINDS] = {GT_LOSS_BUDGET_CALLS, GT_LOSS_BUDGET_WAITS};
	struct gt_budget_said said;
	uint64_t base = 0;
	uint64_t before = 0;

	if (last) {
		gt_budget_step_last();
	}
	while (gt_budget_take(&said)) {
		uint64_t ticks = said.ns >> GT_TICK_SHIFT;

		if (!base) {
			base = before = ticks;
			put_byte(GT_FACT_MAGIC);
			put_byte(GT_FACT_VERSION);
		}
		put_event((enum gt_ev)GT_FACT_BUDGET, ticks - before, 4,
			  (const uint64_t[]){said.cpu, said.cost, said.held, said.depth});
		for (int i = 0; i < GT_BUDGET_KINDS; i++) {
			if (said.left_out[i]) {
				put_event((enum gt_ev)GT_FACT_LEFT_OUT, 0, 4,
					  (const uint64_t[]){losses[i], said.left_out[i],
							     said.left_out_ns[i], said.limit[i]});
			}
		}
		before = ticks;
	}
	emit_batch(GT_FACT_EXPERIMENT, gen, GT_WIRE_NO_M, base);
}

void gt_dump_about(uint64_t gen)
{
	/* Acquire: partner is gt_about. */
	uint32_t what = gt_load_acquire(&gt_trace->about_said);

	put_byte(GT_FACT_MAGIC);
	put_byte(GT_FACT_VERSION);
	for (unsigned i = 1; i < GT_ABOUT_END; i++) {
		if (what >> i & 1) {
			put_event((enum gt_ev)GT_FACT_ABOUT, 0, 2,
				  (const uint64_t[]){i, gt_load_relaxed(&gt_trace->about[i])});
		}
	}
	emit_batch(GT_FACT_EXPERIMENT, gen, GT_WIRE_NO_M, start_of(gen));
}

/* At the time at which the generation after this one began, or would have. */
static void put_broken(uint64_t gen, enum gt_broken why, int error)
{
	const struct gt_clock *clock = &gt_trace->clock[~gen & 1];
	uint64_t ticks = gt_clock_ticks_now(clock);
	uint64_t more = ticks - GT_MIN(ticks, start_of(gen + 1));

	put_byte(GT_FACT_MAGIC);
	put_byte(GT_FACT_VERSION);
	put_event((enum gt_ev)GT_FACT_BROKEN, 0, 4,
		  (const uint64_t[]){1, why, (uint64_t)error, more << GT_TICK_SHIFT});
}

void gt_dump_ends(uint64_t gen, bool last)
{
	enum gt_broken why = gt_load_relaxed(&gt_trace->ends);

	if (last && why != GT_BROKEN_NOT) {
		put_broken(gen, why, 0);
		emit_batch(GT_FACT_EXPERIMENT, gen, GT_WIRE_NO_M, start_of(gen + 1));
	}
}

size_t gt_dump_compose_broken(uint64_t gen, enum gt_broken why, int error, const uint8_t **batch)
{
	uint8_t *head;
	size_t n;

	/* What was begun for a generation that is dropped. */
	scratch.n = 0;
	put_broken(gen, why, error);
	n = scratch.n;
	scratch.n = 0;
	head = gt_wire_batch_head(scratch.bytes, GT_FACT_EXPERIMENT, gen, GT_WIRE_NO_M,
				  start_of(gen + 1), n);
	*batch = head;
	return (size_t)(scratch.bytes - head) + n;
}

/* --- Tables ----------------------------------------------------------------------------------- */

/* String ids of a pc's function and module, remembered for the generation. */
struct frame {
	uint64_t gen;
	uint64_t pc;
	uint32_t func;
	uint32_t file;
};

static struct frame frames[4096];

static uint32_t string_id(struct gt_table *strings, const char *s)
{
	size_t n = strlen(s);
	uint32_t id = gt_table_put(strings, s, GT_MIN(n, (size_t)GT_WIRE_STRING_MAX));

	if (!id) {
		/* A frame without a name is no frame to Go's validator. */
		gt_trace_break(GT_BROKEN_MEMORY);
	}
	return id;
}

/* A place in code that has gone since that stack was walked; false: it has not. */
static bool frame_of_gone(uint64_t gen, uint32_t stack, uint64_t pc, struct frame *f)
{
	struct gt_table *strings = &gt_trace->strings[gen & 1];
	const struct gt_closing *gone = gt_closed_find(gen, stack, pc);
	static char text[GT_WIRE_STRING_MAX + 1];

	if (gone) {
		gt_symbol_find_gone(gone->path, pc - gone->base, text, sizeof(text));
		f->func = string_id(strings, text);
		f->file = string_id(strings, *gone->path ? gone->path : "?");
	}
	return gone != NULL;
}

static const struct frame *frame_of(uint64_t pc, uint64_t gen)
{
	struct gt_table *strings = &gt_trace->strings[gen & 1];
	struct frame *f = &frames[pc * UINT64_C(0x9e3779b97f4a7c15) >> 52];

	if (f->gen != gen || f->pc != pc) {
		static char text[GT_WIRE_STRING_MAX + 1];
		struct gt_symbol symbol = {0};

		*f = (struct frame){.gen = gen, .pc = pc};
		if (gt_symbol_find(pc, &symbol, text, sizeof(text))) {
			gt_module_note(symbol.mapping - 1);
		}
		/* Rule 20: from the second frame on, nothing may be empty. */
		f->func = string_id(strings, symbol.func && *symbol.func ? symbol.func : "?");
		f->file = string_id(strings, symbol.module && *symbol.module ? symbol.module : "?");
	}
	return f;
}

static void dump_stacks(uint64_t gen)
{
	const bool any_gone = gt_closed_any();

	for (struct gt_table_node *n = gt_table_first(&gt_trace->stacks[gen & 1]); n;
	     n = gt_table_next(n)) {
		unsigned depth = n->bytes / sizeof(uint64_t);
		static uint64_t pcs[GT_WIRE_FRAMES_MAX];

		/* Invariant 12: at least the entry. */
		GT_INVARIANT(12, depth > 0 && depth <= GT_WIRE_FRAMES_MAX);
		memcpy(pcs, n->data, n->bytes);
		if (!room(GT_WIRE_EVENT_MAX + depth * 4 * GT_VARINT_MAX)) {
			emit_batch(0, gen, GT_WIRE_NO_M, start_of(gen));
		}
		if (scratch.n == 0) {
			put_byte(GT_EV_STACKS);
		}
		put_byte(GT_EV_STACK);
		put(n->id);
		put(depth);
		for (unsigned i = 0; i < depth; i++) {
			struct frame gone;
			const struct frame *f = any_gone && frame_of_gone(gen, n->id, pcs[i], &gone)
							? &gone
							: frame_of(pcs[i], gen);

			put(pcs[i]);
			put(f->func);
			put(f->file);
			put(1);
		}
	}
	emit_batch(0, gen, GT_WIRE_NO_M, start_of(gen));
}

/* Those that frames of this generation lie in, so that it can be read alone. */
static void dump_mappings(uint64_t gen)
{
	struct gt_table *strings = &gt_trace->strings[gen & 1];
	struct gt_mapping m;

	for (size_t range = 0; gt_module_take_noted(&range, &m);) {
		char id[2 * GT_IMAGE_BUILD_ID_MAX + 1] = "";

		for (size_t i = 0; i < m.build_id_bytes; i++) {
			id[2 * i] = "0123456789abcdef"[m.build_id[i] >> 4];
			id[2 * i + 1] = "0123456789abcdef"[m.build_id[i] & 15];
		}
		if (!room(GT_WIRE_EVENT_MAX)) {
			emit_batch(GT_FACT_EXPERIMENT, gen, GT_WIRE_NO_M, start_of(gen));
		}
		if (scratch.n == 0) {
			put_byte(GT_FACT_MAGIC);
			put_byte(GT_FACT_VERSION);
		}
		put_event((enum gt_ev)GT_FACT_MAPPING, 0, 5,
			  (const uint64_t[]){m.start, m.bytes, m.offset, string_id(strings, m.path),
					     *id ? string_id(strings, id) : 0});
	}
	emit_batch(GT_FACT_EXPERIMENT, gen, GT_WIRE_NO_M, start_of(gen));
}

static void put_string(uint64_t gen, uint64_t id, const void *text, size_t bytes)
{
	if (!room(GT_WIRE_EVENT_MAX + bytes)) {
		emit_batch(0, gen, GT_WIRE_NO_M, start_of(gen));
	}
	if (scratch.n == 0) {
		put_byte(GT_EV_STRINGS);
	}
	put_byte(GT_EV_STRING);
	put(id);
	put(bytes);
	memcpy(scratch.bytes + scratch.n, text, bytes);
	scratch.n += bytes;
}

void gt_dump_tables(uint64_t gen)
{
	if (gt_symbol_refresh()) {
		gt_spool_keep_maps();
		gt_stack_forget();
	}
	/* Stacks before mappings and strings: in those their frames lie, of these are their names.
	 */
	dump_stacks(gen);
	gt_closed_forget(gen);
	dump_mappings(gen);
	for (uint64_t id = 1; id < GT_REASON_END; id++) {
		const char *text = gt_reason_text(id);

		put_string(gen, id, text, strlen(text));
	}
	for (struct gt_table_node *n = gt_table_first(&gt_trace->strings[gen & 1]); n;
	     n = gt_table_next(n)) {
		put_string(gen, n->id, n->data, n->bytes);
	}
	emit_batch(0, gen, GT_WIRE_NO_M, start_of(gen));
}

void gt_dump_forget(void)
{
	/* Ids are those of the parent's tables. */
	memset(frames, 0, sizeof(frames));
	gt_closed_reset();
	scratch.n = 0;
}
