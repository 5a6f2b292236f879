/*
 * Threads: creation, the trampoline, join, cancellation, names.
 */
#include "hook.h"

#include <string.h>

#include "advancer.h"
#include "emit.h"
#include "root.h"
#include "symbol.h"

/* --- Creation --------------------------------------------------------------------------------- */

/*
 * What a created thread runs first. Its frame ends every stack of the thread (root.h), so the start
 * routine must be called, not jumped to.
 */
GT_ROOT static void *thread_root(void *arg)
{
	struct gt_thread *t = arg;
	void *(*start)(void *) = t->start;
	void *start_arg = t->arg;
	void *r;

	gt_tls.busy++;
	gt_root_mark(t, GT_FRAME());
	gt_thread_start(t, true);
	gt_root_watch_end(t);
	gt_tls.busy--;
	r = start(start_arg);
	__asm__ volatile("" : "+r"(r));
	return r;
}

/* Writes the creation of t, before t can write anything itself (invariant 10). */
static void emit_create(struct gt_thread *creator, struct gt_thread *t, void *frame)
{
	uint64_t pcs[GT_WIRE_FRAMES_MAX];
	unsigned n = gt_thread_walk(creator, frame, pcs);
	uint64_t entry[1] = {t->root.entry};
	struct gt_w w = gt_acquire(creator);

	t->born_gen = w.gen;
	gt_store_relaxed(&t->traced[w.parity], w.gen);
	gt_event(&w, GO_CREATE, gt_g(gt_thread_id(t)), gt_stack_put(&w, entry, 1),
		 gt_stack_put(&w, pcs, n));
	gt_set_state(&w, t, GT_GO_RUNNABLE, 0, 0);
	gt_release(&w);
}

/*
 * The real call failed: the G that was announced ends without having run, on the creator's M, in
 * the one way that a reader accepts (trace-model section 2).
 */
static void emit_create_failed(struct gt_thread *creator, struct gt_thread *t)
{
	struct gt_w w = gt_acquire(creator);

	gt_status_other(&w, t);
	gt_event(&w, GO_STOP, gt_str(GT_REASON_YIELD), gt_stack(0));
	gt_event(&w, GO_START, gt_g(gt_thread_id(t)), gt_seq_g(&w, t));
	gt_event0(&w, GO_DESTROY);
	gt_event(&w, GO_START, gt_g(gt_thread_id(creator)), gt_seq_g(&w, creator));
	gt_set_state(&w, t, GT_GO_DEAD, 0, 0);
	gt_release(&w);
	gt_add_relaxed(&gt_trace->live, (uint32_t)-1);
	gt_add_relaxed(&gt_trace->dead, 1);
	gt_store_release(&t->dead_gen, GT_MAX(w.gen, UINT64_C(1)));
}

int gt_hook_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
			   void *arg)
{
	struct gt_thread *self;
	struct gt_thread *t = NULL;
	uint64_t id = 0;
	int saved = errno;
	int r;

	gt_root_start_late();
	self = gt_self(GT_FRAME());
	if (self) {
		gt_tls.busy++;
		gt_advancer_start(self);
		t = gt_thread_new((uintptr_t)start);
		if (t) {
			id = gt_thread_id(t);
			t->start = start;
			t->arg = arg;
			t->root.lo = attr ? gt_root_stack_size(attr) : 0;
			gt_thread_register(t);
			emit_create(self, t, GT_FRAME());
		}
		gt_tls.busy--;
	}
	errno = saved;
	if (!t) {
		return GT_REAL(pthread_create)(thread, attr, start, arg);
	}
	r = GT_REAL(pthread_create)(thread, attr, thread_root, t);
	gt_tls.busy++;
	if (r == 0) {
		gt_thread_set_pthread(t, id, (uintptr_t)*thread);
	} else {
		emit_create_failed(self, t);
	}
	gt_tls.busy--;
	return r;
}

/* --- Join ------------------------------------------------------------------------------------- */

/* A join in progress; ends the wait also when the thread is cancelled in it (see cond.c). */
struct joining {
	struct gt_thread *t;
	struct gt_thread *target;
	uint32_t wait;
	int result;
	bool returned;
};

static void close_join(struct joining *j)
{
	if (j->t) {
		gt_join_end(j->t, j->target, j->wait,
			    !j->returned             ? GT_ENDED_CANCELLED
			    : j->result == ETIMEDOUT ? GT_ENDED_TIMEOUT
			    : j->result == 0         ? GT_ENDED_WAKER
						     : GT_ENDED_ERROR,
			    j->result);
	}
}

/*
 * Blocks only if the thread is known and still runs: one whose end is recorded is joined at once,
 * and a join that the real call refuses (itself, a second joiner) is seen by its error only.
 */
static struct joining open_join(pthread_t thread, void *frame)
{
	struct joining j = {.t = gt_self(frame)};
	uint64_t id = 0;

	if (!j.t) {
		return j;
	}
	gt_tls.busy++;
	j.target = gt_thread_of_pthread((uintptr_t)thread, &id);
	gt_tls.busy--;
	if (j.target && j.target != j.t) {
		j.wait = gt_join_begin(j.t, j.target, id, frame);
	} else {
		j.t = NULL;
	}
	return j;
}

static int joined(struct joining *j, int result)
{
	j->result = result;
	j->returned = true;
	return result;
}

int gt_hook_pthread_join(pthread_t thread, void **value)
{
	struct joining j GT_CLEANUP(close_join) = open_join(thread, GT_FRAME());

	return joined(&j, GT_REAL(pthread_join)(thread, value));
}

int gt_hook_pthread_tryjoin_np(pthread_t thread, void **value)
{
	return GT_REAL(pthread_tryjoin_np)(thread, value);
}

int gt_hook_pthread_timedjoin_np(pthread_t thread, void **value, const struct timespec *until)
{
	struct joining j GT_CLEANUP(close_join) = open_join(thread, GT_FRAME());

	return joined(&j, GT_REAL(pthread_timedjoin_np)(thread, value, until));
}

int gt_hook_pthread_clockjoin_np(pthread_t thread, void **value, clockid_t clock,
				 const struct timespec *until)
{
	struct joining j GT_CLEANUP(close_join) = open_join(thread, GT_FRAME());

	return joined(&j, GT_REAL(pthread_clockjoin_np)(thread, value, clock, until));
}

/* --- Cancellation and names ------------------------------------------------------------------- */

int gt_hook_pthread_cancel(pthread_t thread)
{
	struct gt_thread *t = gt_self(GT_FRAME());

	if (t) {
		struct gt_thread *target;
		uint64_t id = 0;

		gt_tls.busy++;
		target = gt_thread_of_pthread((uintptr_t)thread, &id);
		if (target && target != t) {
			gt_cancel_hint(t, target, id, GT_FRAME());
		}
		gt_tls.busy--;
	}
	return GT_REAL(pthread_cancel)(thread);
}

int gt_hook_pthread_setname_np(pthread_t thread, const char *name)
{
	int r = GT_REAL(pthread_setname_np)(thread, name);
	struct gt_thread *t = r == 0 ? gt_self(GT_FRAME()) : NULL;

	if (t) {
		struct gt_thread *target;
		uint64_t id = 0;

		gt_tls.busy++;
		target = gt_thread_of_pthread((uintptr_t)thread, &id);
		if (target) {
			gt_thread_name(target, name);
		}
		gt_tls.busy--;
	}
	return r;
}

#define GT_EXPORT_thread(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
