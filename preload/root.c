/*
 * Roots: where stacks end, and how a thread's end is seen.
 */
#include "root.h"

#include <limits.h>
#include <sys/resource.h>

#include "hook.h"
#include "symbol.h"

/* The code of the GT_ROOT functions; the linker makes these two from the section's name. */
extern const char __start_gt_root[];
extern const char __stop_gt_root[];

enum { ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS };

/* [start] Functions of libc that have no hook, and what they gave us. */
static int (*stack_size)(const pthread_attr_t *, size_t *);
static int (*key_create)(pthread_key_t *, void (*)(void *));
static int (*set_specific)(pthread_key_t, const void *);
static pthread_key_t key;
static bool have_key;
static size_t default_stack = 8u << 20;

void gt_root_mark(struct gt_thread *t, void *frame)
{
	size_t bytes = t->root.lo ? t->root.lo : default_stack;

	/* Until here root.lo carries the size that pthread_create was given. */
	t->root.hi = (uintptr_t)frame;
	t->root.lo = t->root.hi > bytes ? t->root.hi - bytes : 1;
	t->root.cut_lo = (uintptr_t)__start_gt_root;
	t->root.cut_hi = (uintptr_t)__stop_gt_root;
	gt_tls.root = t->root;
}

void gt_root_mark_code(struct gt_thread *t)
{
	t->root.cut_lo = (uintptr_t)__start_gt_root;
	t->root.cut_hi = (uintptr_t)__stop_gt_root;
}

/* The destructor of our key: called in each round of destructors, the last time for good. */
static void at_end(void *value)
{
	struct gt_thread *t = value;

	if (gt_tls.thread != t || gt_tls.epoch != gt_load_relaxed(&gt_gate->epoch)) {
		return;
	}
	if (++gt_tls.rounds < ROUNDS) {
		set_specific(key, t);
		return;
	}
	if (gt_tls.busy == GT_BUSY_CALL) {
		/* Cancelled in a call. */
		gt_call_left(t);
	}
	if (gt_tls.busy) {
		/* A handler jumped out of the tracer, and no hook has been called since. */
		gt_call_recover(t);
	}
	/* Cancelled in a wait whose frame could not say so: closed here. */
	if (gt_state_g(gt_load_acquire(&t->x_state)) != GT_GO_RUNNING) {
		gt_wait_end(t, t->wait_number, GT_ENDED_CANCELLED, 0);
	}
	gt_guard_up(GT_FRAME());
	gt_thread_end(t);
	gt_tls.busy--;
}

/*
 * Not through the PLT: another preloaded library may stand there. Before glibc 2.34 libpthread may
 * not be loaded yet; when it is, the program has still one thread, and is about to create another.
 */
static void find_functions(void)
{
	have_key = gt_hook_lookup("pthread_attr_getstacksize", &stack_size) &&
		   gt_hook_lookup("pthread_key_create", &key_create) &&
		   gt_hook_lookup("pthread_setspecific", &set_specific) &&
		   key_create(&key, at_end) == 0;
}

size_t gt_root_stack_size(const pthread_attr_t *attr)
{
	size_t bytes = 0;

	return stack_size && stack_size(attr, &bytes) == 0 ? bytes : 0;
}

void gt_root_watch_end(struct gt_thread *t)
{
	if (have_key) {
		set_specific(key, t);
	}
}

void gt_root_before_create(struct gt_thread *self)
{
	if (gt_unlikely(!have_key)) {
		find_functions();
		gt_root_watch_end(self);
	}
}

void gt_root_init(void)
{
	struct rlimit limit;

	find_functions();
	if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
		default_stack = limit.rlim_cur;
	}
	gt_symbol_name_entry(gt_root_main(), "main");
	gt_symbol_name_entry((uintptr_t)gt_self_slow, "thread not seen being created");
}
