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
static int (*set_specific)(pthread_key_t, const void *);
static void *(*get_specific)(pthread_key_t);
static int (*cpu_clock)(pthread_t, clockid_t *);
static pthread_key_t key;
static bool have_key;
/* Where there is no limit, what glibc takes then (ARCH_STACK_DEFAULT_SIZE). */
static size_t default_stack = 2u << 20;

/*
 * Until here root.lo carries the size of the stack that pthread_create was asked for, 0: none is
 * known. At its top are glibc's record of the thread, which pthread_self() is, and below that the
 * thread's TLS. So counting from the record, what remains below is less than a page; what is below
 * the stack may be a fiber's, and must not count as ours.
 */
static uintptr_t end_of_stack(const struct gt_thread *t)
{
	enum { RECORD = 4096 };
	const uintptr_t top = t->root.lo ? (uintptr_t)pthread_self() + RECORD : t->root.hi;
	const size_t bytes = t->root.lo ? t->root.lo : default_stack;

	return top > bytes ? top - bytes : 1;
}

void gt_root_mark(struct gt_thread *t, void *frame)
{
	t->root.hi = (uintptr_t)frame;
	t->root.lo = end_of_stack(t);
	t->root.cut_lo = (uintptr_t)__start_gt_root;
	t->root.cut_hi = (uintptr_t)__stop_gt_root;
	gt_tls.root = t->root;
}

void gt_root_mark_code(struct gt_thread *t)
{
	t->root.cut_lo = (uintptr_t)__start_gt_root;
	t->root.cut_hi = (uintptr_t)__stop_gt_root;
}

/* Keys of the program that have a destructor, a bit for each. One that was deleted has no value. */
static _Atomic uint64_t keys[PTHREAD_KEYS_MAX / 64];
static _Atomic bool any_key;

void gt_root_note_key(pthread_key_t k)
{
	gt_or_acq_rel(&keys[k / 64 % GT_LEN(keys)], UINT64_C(1) << k % 64);
	gt_store_release(&any_key, true);
}

/* Whether a destructor of the program's is still to be called in this thread, as far as we know. */
static bool others_left(void)
{
	if (!gt_load_relaxed(&any_key)) {
		return false;
	}
	for (size_t i = 0; i < GT_LEN(keys); i++) {
		uint64_t left = gt_load_relaxed(&keys[i]);

		for (; left; left &= left - 1) {
			if (get_specific((pthread_key_t)(i * 64) + __builtin_ctzll(left))) {
				return true;
			}
		}
	}
	return false;
}

/*
 * The destructor of our key. It puts itself back while others are left, at most until the last
 * round. Each round is a walk of glibc's over all keys that can be: three more than needed were the
 * half of what a short thread's end cost.
 */
static void at_end(void *value)
{
	struct gt_thread *t = value;

	if (gt_tls.thread != t || gt_tls.epoch != gt_load_relaxed(&gt_gate->epoch)) {
		return;
	}
	if (++gt_tls.rounds < ROUNDS && others_left()) {
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
 * glibc knows the tid of each pthread, and gives it away in the number of its clock, which the
 * kernel defines: ~tid << 3 | 6 (CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED, posix-timers.h). No
 * system call.
 */
static uint32_t tid_by_clock(pthread_t self)
{
	clockid_t clock = 0;

	return cpu_clock(self, &clock) == 0 && (clock & 7) == 6 ? ~(uint32_t)(clock >> 3) : 0;
}

/*
 * Not through the PLT: another preloaded library may stand there. Before glibc 2.34 libpthread may
 * not be loaded yet; when it is, the program has still one thread, and is about to create another.
 */
static void find_functions(void)
{
	have_key = gt_hook_lookup("pthread_attr_getstacksize", &stack_size) &&
		   gt_hook_lookup("pthread_getspecific", &get_specific) &&
		   gt_hook_lookup("pthread_setspecific", &set_specific) &&
		   GT_REAL(pthread_key_create)(&key, at_end) == 0;
	/* Believed if it is right about this thread. */
	if (!gt_hook_lookup("pthread_getcpuclockid", &cpu_clock) ||
	    tid_by_clock(pthread_self()) != (uint32_t)gt_sys_tid()) {
		cpu_clock = NULL;
	}
}

uint32_t gt_root_tid(pthread_t self)
{
	return cpu_clock ? tid_by_clock(self) : 0;
}

size_t gt_root_stack_size(const pthread_attr_t *attr)
{
	/* For attributes that do not say it, glibc gives the default of this moment. */
	static const pthread_attr_t silent;
	size_t bytes = 0;

	return stack_size && stack_size(attr ? attr : &silent, &bytes) == 0 ? bytes : 0;
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
