/*
 * Hooks: how a function of libc is interposed.
 *
 * How to add one: HACKING.md. A body is semantics only. It decides nothing about tracing but asks
 * gt_self() once, calls GT_REAL(id) exactly once on every path, returns its result and leaves errno
 * as the real call left it. What is nothing but a traced call is one line (plain.h). (Plain
 * mutexes are another matter: mutex.c, quick.h, docs/adr/0010 and 0018.)
 *
 * The shape of a hook that may block:
 *
 *	try first; a call that does not block is no event and asks nothing else;
 *	t = gt_self(frame); NULL: call straight through;
 *	n = gt_wait_begin(t, &what);	the block is written, no section is open
 *	r = GT_REAL(...)(...);		may be cancelled, interrupted, may run handlers
 *	gt_wait_end(t, n, ...);		as little as possible between acquiring and returning
 *
 * Nothing here calls malloc, stdio or a pthread function except through gt_real.
 */
#pragma once

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

#include "call.h"
#include "libc.h"
#include "thread.h"
#include "wait.h"

/* What no header declares. */
typedef int gt_main_fn(int, char **, char **);
int __libc_start_main(gt_main_fn *main, int argc, char **argv, void (*init)(void),
		      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

/* The real functions (real.c). Where they are looked up twice, the same is written again. */
struct gt_real {
#define GT_HOOK(name, id, family, need, doc) __typeof__(name) *id;
#include "hooks.def"
};
extern GT_HIDDEN struct gt_real gt_real;

/* Looks all of them up. Before the constructor has run, the first hook does it. */
GT_COLD void gt_hook_resolve(void);
/* Looks for one that is absent (slot: its offset); where it stays so, gives what fails for it. */
GT_COLD struct gt_real *gt_hook_look_again(size_t slot);
/* *function = a function of libc that has no hook; false: there is none. Constructor only. */
bool gt_hook_lookup(const char *name, void *function);

GT_INLINE struct gt_real *gt_real_with(const void *pointer, size_t slot)
{
	return gt_likely(pointer) ? &gt_real : gt_hook_look_again(slot);
}
#define GT_REAL(id) \
	(gt_real_with((const void *)(uintptr_t)gt_real.id, offsetof(struct gt_real, id))->id)
/* The same for the few functions whose pointer is never NULL (real.c): no test on the hot path. */
#define GT_REAL_HOT(id) (gt_real.id)

/*
 * One exported symbol: an alias of the body, to which .symver gives the name and the version that
 * programs bind. A family exports its own by export.h.
 */
#define GT_V_GLIBC_2_2_5 "GLIBC_2.2.5"
#define GT_V_GLIBC_2_2_6 "GLIBC_2.2.6"
#define GT_V_GLIBC_2_3   "GLIBC_2.3"
#define GT_V_GLIBC_2_3_2 "GLIBC_2.3.2"
#define GT_V_GLIBC_2_3_3 "GLIBC_2.3.3"
#define GT_V_GLIBC_2_3_4 "GLIBC_2.3.4"
#define GT_V_GLIBC_2_4   "GLIBC_2.4"
#define GT_V_GLIBC_2_5   "GLIBC_2.5"
#define GT_V_GLIBC_2_6   "GLIBC_2.6"
#define GT_V_GLIBC_2_7   "GLIBC_2.7"
#define GT_V_GLIBC_2_9   "GLIBC_2.9"
#define GT_V_GLIBC_2_10  "GLIBC_2.10"
#define GT_V_GLIBC_2_11  "GLIBC_2.11"
#define GT_V_GLIBC_2_12  "GLIBC_2.12"
#define GT_V_GLIBC_2_13  "GLIBC_2.13"
#define GT_V_GLIBC_2_14  "GLIBC_2.14"
#define GT_V_GLIBC_2_15  "GLIBC_2.15"
#define GT_V_GLIBC_2_16  "GLIBC_2.16"
#define GT_V_GLIBC_2_17  "GLIBC_2.17"
#define GT_V_GLIBC_2_25  "GLIBC_2.25"
#define GT_V_GLIBC_2_26  "GLIBC_2.26"
#define GT_V_GLIBC_2_27  "GLIBC_2.27"
#define GT_V_GLIBC_2_28  "GLIBC_2.28"
#define GT_V_GLIBC_2_30  "GLIBC_2.30"
#define GT_V_GLIBC_2_31  "GLIBC_2.31"
#define GT_V_GLIBC_2_33  "GLIBC_2.33"
#define GT_V_GLIBC_2_34  "GLIBC_2.34"
#define GT_V_GLIBC_2_35  "GLIBC_2.35"

#define GT_EXPORT_NODE(name, id, at, version)                                  \
	extern __typeof__(gt_hook_##id) gt_node_##id##_##name##_##version      \
		__attribute__((alias("gt_hook_" #id), visibility("default"))); \
	__asm__(".symver gt_node_" #id "_" #name "_" #version ", " #name at GT_V_##version);

/* The body of every hook has the type of what it stands for. */
#define GT_HOOK(name, id, family, need, doc) __typeof__(name) gt_hook_##id;
#include "hooks.def"

/* --- Traced or straight through: the one place ------------------------------------------------ */

/* Slow: a thread without a record, or one that is in a wait. NULL: straight through. */
GT_COLD struct gt_thread *gt_self_slow(void *frame);

/*
 * The record of the calling thread, if its call is to be traced: tracing is on, the thread is not
 * inside the tracer (a signal handler that interrupted it), has not ended, and is running (not in
 * a signal handler during a wait). NULL: the hook calls the real function and nothing else.
 * frame: __builtin_frame_address(0) of the hook.
 */
GT_INLINE struct gt_thread *gt_self(void *frame)
{
	struct gt_tls *tls = &gt_tls;

	/* Relaxed: a hook that reads the gate just before it changes is as one that ran before. */
	if (gt_likely(((tls->epoch ^ gt_load_relaxed(&gt_gate->epoch)) | tls->busy) == 0)) {
		struct gt_thread *t = tls->thread;

		if (gt_likely(gt_state_g(gt_load_relaxed(&t->x_state)) == GT_GO_RUNNING)) {
			tls->frame = (uintptr_t)frame;
			GT_THERE(t);
			return t;
		}
	}
	return gt_self_slow(frame);
}

#define GT_FRAME() __builtin_frame_address(0)

/*
 * The same for a wait that is about to begin; object: what it will stand under in the registry;
 * price: what it costs to come by here.
 * NULL also where GTRACE_BUDGET leaves it out: as a whole, and with the real call.
 */
GT_INLINE struct gt_thread *gt_self_to_wait(const void *object, enum gt_price price, void *frame)
{
	struct gt_thread *t = gt_self(frame);

	return t && gt_budget_wait(&t->meter, object, price) ? t : NULL;
}

/* The same for a call. */
GT_INLINE struct gt_thread *gt_self_to_call(enum gt_class class, enum gt_call call, void *frame)
{
	struct gt_thread *t = gt_class_on(class) ? gt_self(frame) : NULL;

	return t && gt_budget_call(&t->meter, call) ? t : NULL;
}

/* --- Calls (core/call.h): the shape of a hook that is nothing but a traced call --------------- */

/*
 *	struct gt_thread *t = gt_call_open(GT_CALL_READ, fd, GT_FRAME());
 *	ssize_t r = GT_REAL(read)(fd, to, n);
 *
 *	gt_call_close(t, gt_result(r));
 *	return r;
 *
 * NULL: its class is off, or the call passes straight.
 */
GT_INLINE struct gt_thread *gt_call_open_as(enum gt_class class, enum gt_call call,
					    enum gt_reason as, int64_t arg, void *frame)
{
	struct gt_thread *t = gt_self_to_call(class, call, frame);

	if (t) {
		gt_call_begin(t, call, as, arg, frame);
	}
	return t;
}

/* By the name of the call, GT_CALL_*. */
#define gt_call_open(call, arg, frame)                                                            \
	gt_call_open_as((enum gt_class)GT_CLASS_OF_##call, call, (enum gt_reason)GT_AS_OF_##call, \
			(arg), (frame))

/* One that is not known before. */
GT_INLINE struct gt_thread *gt_call_open_any(enum gt_call call, int64_t arg, void *frame)
{
	return gt_call_open_as(gt_calls[call].class, call, gt_calls[call].as, arg, frame);
}

GT_INLINE void gt_call_close(struct gt_thread *t, int64_t result)
{
	if (t) {
		gt_call_end(t, result);
	}
}

/* What a call that says -1 and errno means, in one number. */
GT_INLINE int64_t gt_result(int64_t r)
{
	return r == -1 ? -(int64_t)errno : r;
}
