/*
 * Threads: creation, the trampolines, join, keys, cancellation and signals, names.
 *
 * C11's are pthread's in glibc, and reach no hook of these; their start routines return int.
 */
#include "hook.h"

#include <string.h>

#include "advancer.h"
#include "codes.h"
#include "emit.h"
#include "price.h"
#include "quick.h"
#include "rights.h"
#include "root.h"
#include "symbol.h"

/* --- Creation --------------------------------------------------------------------------------- */

/* frame: of the root. */
static void begin_thread(struct gt_thread *t, void *frame)
{
	pthread_t self;

	gt_guard_up(frame);
	if (gt_tls.epoch == gt_load_relaxed(&gt_gate->epoch)) {
		/* A handler, or another library on the way here, has come by hooks: that was us. */
		gt_thread_end(gt_tls.thread);
	}
	self = pthread_self();
	gt_root_mark(t, frame);
	gt_store_relaxed(&t->tid, gt_root_tid(self));
	gt_thread_set_pthread(t, gt_thread_id(t), self);
	gt_thread_start(t, true);
	gt_root_watch_end(t);
	gt_tls.busy--;
}

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

	begin_thread(t, GT_FRAME());
	r = start(start_arg);
	GT_OPAQUE(r);
	return r;
}

/* The same with C11's type of start routine. */
GT_ROOT static int thread_root_c11(void *arg)
{
	struct gt_thread *t = arg;
	thrd_start_t start = (thrd_start_t)(uintptr_t)t->start;
	void *start_arg = t->arg;
	int r;

	begin_thread(t, GT_FRAME());
	r = start(start_arg);
	GT_OPAQUE(r);
	return r;
}

/* A creation in progress. */
struct creating {
	struct gt_thread *self;
	struct gt_thread *t; /* NULL: it passes straight */
	uint64_t id;
};

/* start: a start routine of either type. */
static struct creating open_create(uintptr_t start, void *arg, const pthread_attr_t *attr,
				   void *frame)
{
	struct creating c = {.t = NULL};
	int saved = errno;

	gt_quick_not_single();
	gt_root_start_late();
	c.self = gt_self(frame);
	if (c.self) {
		gt_tls.busy++;
		gt_meter_in(&c.self->meter);
		gt_advancer_start(c.self);
		gt_root_before_create(c.self);
		c.t = gt_thread_new(start);
		if (c.t) {
			c.id = gt_thread_id(c.t);
			c.t->start = (void *(*)(void *))start;
			c.t->arg = arg;
			c.t->root.lo = gt_root_stack_size(attr);
			gt_thread_register(c.t);
			gt_thread_announce(c.self, c.t, frame);
		}
		gt_meter_out(&c.self->meter, GT_COST_LIFE);
		gt_tls.busy--;
	}
	errno = saved;
	return c;
}

static void close_create(const struct creating *c, bool made, const pthread_t *thread)
{
	gt_guard_up(GT_FRAME());
	if (made) {
		gt_thread_learn_pthread(c->t, c->id, thread);
		gt_price_threads();
	} else {
		gt_thread_create_failed(c->self, c->t);
	}
	gt_tls.busy--;
}

int gt_hook_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
			   void *arg)
{
	struct creating c = open_create((uintptr_t)start, arg, attr, GT_FRAME());
	int r;

	if (!c.t) {
		return GT_REAL(pthread_create)(thread, attr, start, arg);
	}
	r = GT_REAL(pthread_create)(thread, attr, thread_root, c.t);
	/* The limit on threads may leave room for one of ours or one of theirs. */
	if (gt_unlikely(r == EAGAIN) && gt_rights_one_thread_less()) {
		r = GT_REAL(pthread_create)(thread, attr, thread_root, c.t);
	}
	close_create(&c, r == 0, thread);
	return r;
}

int gt_hook_thrd_create(thrd_t *thread, thrd_start_t start, void *arg)
{
	struct creating c = open_create((uintptr_t)start, arg, NULL, GT_FRAME());
	int r;

	if (!c.t) {
		return GT_REAL(thrd_create)(thread, start, arg);
	}
	r = GT_REAL(thrd_create)(thread, thread_root_c11, c.t);
	if (gt_unlikely(r == thrd_error) && gt_rights_one_thread_less()) {
		r = GT_REAL(thrd_create)(thread, thread_root_c11, c.t);
	}
	close_create(&c, r == thrd_success, thread);
	return r;
}

/* --- Join ------------------------------------------------------------------------------------- */

/* A join in progress; a cancelled one is closed later, as in cond.c. */
struct joining {
	struct gt_thread *t;
	struct gt_thread *target;
	uint32_t wait;
};

static int close_join(const struct joining *j, int result)
{
	if (j->t) {
		gt_join_end(j->t, j->target, j->wait, gt_ended_of(result), result);
	}
	return result;
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

int gt_hook_pthread_join(pthread_t thread, void **value)
{
	struct joining j = open_join(thread, GT_FRAME());

	return close_join(&j, GT_REAL(pthread_join)(thread, value));
}

int gt_hook_pthread_tryjoin_np(pthread_t thread, void **value)
{
	return GT_REAL(pthread_tryjoin_np)(thread, value);
}

int gt_hook_pthread_timedjoin_np(pthread_t thread, void **value, const struct timespec *until)
{
	struct joining j = open_join(thread, GT_FRAME());

	return close_join(&j, GT_REAL(pthread_timedjoin_np)(thread, value, until));
}

int gt_hook_pthread_clockjoin_np(pthread_t thread, void **value, clockid_t clock,
				 const struct timespec *until)
{
	struct joining j = open_join(thread, GT_FRAME());

	return close_join(&j, GT_REAL(pthread_clockjoin_np)(thread, value, clock, until));
}

int gt_hook_thrd_join(thrd_t thread, int *value)
{
	struct joining j = open_join(thread, GT_FRAME());
	int r = GT_REAL(thrd_join)(thread, value);

	if (j.t) {
		gt_join_end(j.t, j.target, j.wait, gt_ended_of_c11(r), r);
	}
	return r;
}

/* --- Keys ------------------------------------------------------------------------------------- */

int gt_hook_pthread_key_create(pthread_key_t *key, void (*destroy)(void *))
{
	int r = GT_REAL(pthread_key_create)(key, destroy);

	if (r == 0 && destroy) {
		gt_root_note_key(*key);
	}
	return r;
}

int gt_hook_tss_create(tss_t *key, tss_dtor_t destroy)
{
	int r = GT_REAL(tss_create)(key, destroy);

	if (r == thrd_success && destroy) {
		gt_root_note_key(*key);
	}
	return r;
}

/* --- Cancellation, signals, names ------------------------------------------------------------- */

/* What is about to be done to that thread may end its wait. */
static void hint_cut(pthread_t thread, void *frame)
{
	struct gt_thread *t = gt_self(frame);

	if (t) {
		struct gt_thread *target;
		uint64_t id = 0;

		gt_tls.busy++;
		target = gt_thread_of_pthread((uintptr_t)thread, &id);
		if (target && target != t) {
			gt_cancel_hint(t, target, id, frame);
		}
		gt_tls.busy--;
	}
}

int gt_hook_pthread_cancel(pthread_t thread)
{
	hint_cut(thread, GT_FRAME());
	return GT_REAL(pthread_cancel)(thread);
}

/* Signal 0 only asks whether there is such a thread. */
static void before_signal(pthread_t thread, int signal, void *frame)
{
	if (thread == pthread_self()) {
		gt_root_before_signal(signal);
	} else if (signal != 0) {
		hint_cut(thread, frame);
	}
}

int gt_hook_pthread_kill(pthread_t thread, int signal)
{
	before_signal(thread, signal, GT_FRAME());
	return GT_REAL(pthread_kill)(thread, signal);
}

int gt_hook_old_pthread_kill(pthread_t thread, int signal)
{
	before_signal(thread, signal, GT_FRAME());
	return GT_REAL(old_pthread_kill)(thread, signal);
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
