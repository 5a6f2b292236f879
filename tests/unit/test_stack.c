/*
 * Stacks: lists with a known answer, and the same lists as glibc's own unwinder finds them.
 */
#include "stack.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "unwind.h"

#if defined(__x86_64__)

#include "frames.h"

/* --- A thread that calls through a chain of them, and is walked at its end -------------------- */

enum { CHAIN_MAX = 200 };

struct chain {
	struct gt_stack_root root;
	const struct kind *link[CHAIN_MAX];
	unsigned links;
	unsigned at;
	void (*end)(struct chain *c); /* called at the end of the chain */
	unsigned max;
	uint64_t pcs[GT_STACK_MAX];
	unsigned n;
	bool truncated;
	void *all[CHAIN_MAX * 3];
	void **theirs; /* glibc's list of return addresses, from capture's caller on, in all */
	int ntheirs;
	struct gt_walks fresh; /* here, since stacks are small in some tests */
};

/* With a memory that has seen nothing. */
GT_INLINE void walk_fresh(struct chain *c)
{
	const uint64_t key = gt_seen_key((uintptr_t)__builtin_frame_address(0));
	struct gt_walks *walks = &c->fresh;

	memset(walks->memory.set, 0, sizeof(walks->memory.set));
	c->n = gt_stack_walk(&c->root, __builtin_frame_address(0), c->max, walks);
	/* Nobody was there: where it is looked for first. */
	cr_assert(!walks->id || walks->id == &walks->memory.walk[gt_seen_usual(key)].id);
	memcpy(c->pcs, walks->pcs, c->n * sizeof(*c->pcs));
	c->truncated = walks->truncated;
}

/*
 * The same with a memory that all chains of a test share: what another has left there, or the first
 * of the two walks, changes nothing.
 */
static void walk_remembered(const struct chain *c, void *frame)
{
	static struct gt_walks walks;

	for (int i = 0; i < 2; i++) {
		cr_assert_eq(gt_stack_walk(&c->root, frame, c->max, &walks), c->n);
		cr_assert_eq(memcmp(walks.pcs, c->pcs, c->n * sizeof(*c->pcs)), 0);
		cr_assert_eq(walks.truncated, c->truncated);
		cr_assert(!walks.id || (walks.hash != 0 && !walks.truncated));
		/* By the second time it has been judged: a list has a hash, also if it is cut. */
		cr_assert(i == 0 || walks.hash != 0);
	}
}

static __attribute__((noinline)) void capture(struct chain *c)
{
	int (*list)(void **, int);

	/* glibc's own: AddressSanitizer has another. */
	*(void **)&list = dlsym(dlopen("libc.so.6", RTLD_NOW), "backtrace");
	c->ntheirs = list(c->all, (int)(sizeof(c->all) / sizeof(*c->all)));
	c->theirs = c->all;
	while (c->ntheirs > 0 && *c->theirs != __builtin_return_address(0)) {
		c->theirs++;
		c->ntheirs--;
	}
	cr_assert_gt(c->ntheirs, 0);
	walk_fresh(c);
	walk_remembered(c, __builtin_frame_address(0));
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

static __attribute__((noinline)) void forward(void *arg)
{
	struct chain *c = arg;

	if (c->at == c->links) {
		c->end(c);
	} else {
		c->link[c->at++]->call(forward, c);
	}
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

static __attribute__((noinline)) void *start_routine(void *arg)
{
	forward(arg);
	__asm__ volatile("" ::: "memory");
	return NULL;
}

/* As core's trampoline: its frame ends the walk. */
static __attribute__((noinline)) void *trampoline(void *arg)
{
	struct chain *c = arg;
	void *r;

	c->root.hi = (uintptr_t)__builtin_frame_address(0);
	c->root.lo = c->root.hi - (64 << 10); /* within the smallest stack that is used below */
	c->root.entry = (uintptr_t)start_routine;
	c->root.cut_lo = (uintptr_t)trampoline;
	c->root.cut_hi = c->root.cut_lo + 512;
	r = start_routine(c);
	__asm__ volatile("" ::: "memory");
	return r;
}

static void run(struct chain *c)
{
	pthread_t t;

	c->at = 0;
	c->n = 0;
	cr_assert_eq(pthread_create(&t, NULL, trampoline, c), 0);
	pthread_join(t, NULL);
}

static struct chain *chain_new(unsigned links)
{
	struct chain *c = calloc(1, sizeof(*c));

	c->links = links;
	c->end = capture;
	c->max = 64;
	for (unsigned i = 0; i < links; i++) {
		c->link[i] = &kinds[0];
	}
	return c;
}

/* Our list is glibc's from capture's caller on: all of it up to the trampoline, or the first of it.
 */
static void assert_as_theirs(const struct chain *c, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		cr_assert_lt((int)i, c->ntheirs);
		cr_assert_eq(c->pcs[i] + 1, (uint64_t)c->theirs[i],
			     "frame %u of %u: %#lx, glibc has %p", i, c->n, c->pcs[i],
			     c->theirs[i]);
	}
}

static void assert_whole(const struct chain *c)
{
	uintptr_t above = (uintptr_t)c->theirs[c->n];

	cr_assert_not(c->truncated);
	cr_assert_geq(c->n, c->links + 2);
	assert_as_theirs(c, c->n);
	cr_assert(above >= c->root.cut_lo && above < c->root.cut_hi, "the walk ended too early");
}

static bool in_list(const struct chain *c, const struct kind *kind)
{
	for (unsigned i = 0; i < c->n; i++) {
		if (c->pcs[i] + 1 == (uint64_t)kind->behind) {
			return true;
		}
	}
	return false;
}

static void assert_mixtures(void)
{
	unsigned random = 1;

	for (unsigned round = 0; round < 300; round++) {
		struct chain *c = chain_new(round % 13);

		for (unsigned i = 0; i < c->links; i++) {
			random = random * 1103515245 + 12345;
			c->link[i] = &kinds[round < 30 ? 0 : (random >> 16) % 5];
		}
		/* The second time from what is remembered. */
		run(c);
		assert_whole(c);
		run(c);
		assert_whole(c);
		free(c);
	}
}

/* --- Tests ---------------------------------------------------------------------------------- */

Test(stack, code_of_every_kind_is_walked_as_glibc_does)
{
	gt_stack_init();
	cr_assert(gt_unwind_ready());
	assert_mixtures();
	gt_stack_forget();
	assert_mixtures();
}

Test(stack, so_it_is_before_glibc_2_35)
{
	gt_unwind_init_snapshot();
	assert_mixtures();
}

Test(stack, frame_pointers_alone_are_believed_up_to_the_trampoline)
{
	struct chain *c = chain_new(5);

	/* No init: nobody to ask. forward may be built without frame pointers. */
	run(c);
	cr_assert_geq(c->n, 1);
	assert_as_theirs(c, 1);
	if (c->truncated) {
		cr_assert_eq(c->pcs[c->n - 1], (uint64_t)start_routine);
	} else {
		cr_assert_geq(c->n, 2);
	}
	free(c);
}

Test(stack, a_deep_one_ends_with_the_entry)
{
	static const unsigned limits[] = {1, 2, 64, 128, 1000};

	gt_stack_init();
	for (unsigned k = 0; k < 2; k++) {
		for (unsigned i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
			struct chain *c = chain_new(150);
			unsigned max = limits[i] < GT_STACK_MAX ? limits[i] : GT_STACK_MAX;

			for (unsigned l = 0; l < c->links; l++) {
				c->link[l] = &kinds[k];
			}
			c->max = limits[i];
			for (unsigned twice = 0; twice < 2; twice++) {
				run(c);
				cr_assert_eq(c->n, max);
				cr_assert(c->truncated);
				cr_assert_eq(c->pcs[max - 1], (uint64_t)start_routine);
				assert_as_theirs(c, max - 1);
			}
			free(c);
		}
	}
}

Test(stack, code_without_tables_is_passed_if_it_keeps_frame_pointers)
{
	struct chain *c = chain_new(6);

	gt_stack_init();
	c->link[2] = &without_table;
	c->link[4] = &kinds[1];
	run(c);
	cr_assert_not(c->truncated);
	cr_assert(in_list(c, &without_table));
	cr_assert(in_list(c, &kinds[0]));
	cr_assert_geq(c->n, 8);
	free(c);
}

Test(stack, code_without_anything_ends_it_honestly)
{
	struct chain *c = chain_new(6);

	gt_stack_init();
	c->link[2] = &without_anything;
	run(c);
	cr_assert(c->truncated);
	cr_assert_eq(c->pcs[c->n - 1], (uint64_t)start_routine);
	cr_assert_eq(c->pcs[c->n - 2] + 1, (uint64_t)no_table_wild_call);
	assert_as_theirs(c, c->n - 1);
	free(c);
}

Test(stack, a_thread_without_a_root_is_walked_to_its_end)
{
	struct chain *c = chain_new(0);

	gt_stack_init();
	capture(c);
	cr_assert_not(c->truncated);
	cr_assert_eq((int)c->n, c->ntheirs);
	assert_as_theirs(c, c->n);
	free(c);
}

/* --- Signals -------------------------------------------------------------------------------- */

static struct chain *in_signal;

static void on_signal(int signal)
{
	(void)signal;
	capture(in_signal);
}

static void interrupt(struct chain *c)
{
	in_signal = c;
	raise(SIGUSR1);
}

static void interrupt_on_own_stack(struct chain *c)
{
	stack_t own = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
	stack_t was;

	sigaltstack(&own, &was);
	interrupt(c);
	sigaltstack(&was, NULL);
	free(own.ss_sp);
}

Test(stack, a_signal_is_walked_through)
{
	for (unsigned own = 0; own < 2; own++) {
		struct chain *c = chain_new(6);
		struct sigaction act = {.sa_handler = on_signal, .sa_flags = own ? SA_ONSTACK : 0};
		unsigned i;

		gt_stack_init();
		sigaction(SIGUSR1, &act, NULL);
		c->link[3] = &kinds[2];
		c->end = own ? interrupt_on_own_stack : interrupt;
		run(c);
		cr_assert_not(c->truncated);
		/* Behind a signal the place is exact: glibc gives the same number, not one more. */
		for (i = 0; c->pcs[i] + 1 == (uint64_t)c->theirs[i]; i++) {
		}
		cr_assert_eq(c->pcs[i], (uint64_t)c->theirs[i]);
		for (i++; i < c->n; i++) {
			cr_assert_eq(c->pcs[i] + 1, (uint64_t)c->theirs[i]);
		}
		cr_assert(in_list(c, &kinds[0]));
		cr_assert(in_list(c, &kinds[2]));
		free(c);
	}
}

/* --- Other stacks --------------------------------------------------------------------------- */

static ucontext_t outside;
static ucontext_t inside;

static void coroutine(void)
{
	capture(in_signal);
	swapcontext(&inside, &outside);
}

static void enter_coroutine(struct chain *c)
{
	in_signal = c;
	getcontext(&inside);
	inside.uc_stack.ss_size = 1 << 16;
	inside.uc_stack.ss_sp = malloc(inside.uc_stack.ss_size);
	makecontext(&inside, coroutine, 0);
	swapcontext(&outside, &inside);
}

Test(stack, a_coroutine_ends_with_the_threads_entry)
{
	struct chain *c = chain_new(2);

	gt_stack_init();
	c->end = enter_coroutine;
	run(c);
	cr_assert(c->truncated);
	cr_assert_geq(c->n, 2);
	cr_assert_eq(c->pcs[c->n - 1], (uint64_t)start_routine);
	assert_as_theirs(c, c->n - 1);
	cr_assert_eq((int)c->n, c->ntheirs + 1); /* all that glibc knows, and the entry */
	free(c);
}

static void walk_only(struct chain *c)
{
	walk_fresh(c);
}

static void walk_anew(struct chain *c)
{
	gt_stack_forget(); /* the tables are read on this stack, too */
	walk_only(c);
}

static void no_walk(struct chain *c)
{
	c->truncated = false;
}

/* How much of the smallest stack there may be is used. */
static size_t stack_used(struct chain *c, void (*end)(struct chain *c))
{
	size_t bytes = (size_t)PTHREAD_STACK_MIN;
	uint8_t *stack = aligned_alloc(4096, bytes);
	size_t untouched = 0;
	pthread_attr_t attr;
	pthread_t t;

	memset(stack, 0xa5, bytes);
	c->at = 0;
	c->end = end;
	pthread_attr_init(&attr);
	cr_assert_eq(pthread_attr_setstack(&attr, stack, bytes), 0);
	cr_assert_eq(pthread_create(&t, &attr, trampoline, c), 0);
	pthread_join(t, NULL);
	cr_assert_not(c->truncated);
	while (untouched < bytes && stack[untouched] == 0xa5) {
		untouched++;
	}
	free(stack);
	return bytes - untouched;
}

Test(stack, the_smallest_stack_is_enough)
{
	struct chain *c = chain_new(3);
	size_t without;
	size_t with;

	gt_stack_init();
	c->link[1] = &kinds[2];
	run(c); /* lazy binding takes stack, too, but is not ours */
	without = stack_used(c, no_walk);
	with = stack_used(c, walk_anew);
	/* The bound is that of stack.h; a build without optimisation takes a little more. */
	cr_assert_leq(with - without, 4096, "a walk takes %zu bytes", with - without);
	cr_log_info("a walk takes %zu bytes of stack", with - without);
	free(c);
}

/* --- What a walk may not do ----------------------------------------------------------------- */

static void walk_under_seccomp(struct chain *c)
{
	gt_stack_forget(); /* so that it has to read the tables */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) {
		syscall(SYS_exit_group, 77);
	}
	walk_only(c);
	/* Strict mode knows no exit_group: the thread ends, and with it the process of one thread.
	 */
	syscall(SYS_exit, c->truncated ? 2 : 0);
}

Test(stack, no_system_call_is_made)
{
	struct chain *c = chain_new(4);
	int status;
	pid_t child;

	gt_stack_init();
	c->link[1] = &kinds[1];
	c->end = walk_under_seccomp;
	child = fork();
	if (child == 0) {
		trampoline(c);
		_exit(3);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status), "killed by signal %d", WTERMSIG(status));
	cr_assert_eq(WEXITSTATUS(status), 0);
	free(c);
}

static pthread_mutex_t of_program = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static int hold_loader(struct dl_phdr_info *info, size_t size, void *unused)
{
	(void)info;
	(void)size;
	(void)unused;
	pthread_barrier_wait(&both);
	pthread_mutex_lock(&of_program); /* as a constructor that dlopen runs may do */
	pthread_mutex_unlock(&of_program);
	return 1;
}

static void *loader_thread(void *unused)
{
	(void)unused;
	dl_iterate_phdr(hold_loader, NULL);
	return NULL;
}

static void walk_against_loader(struct chain *c)
{
	pthread_t t;

	gt_stack_forget();
	pthread_barrier_init(&both, NULL, 2);
	pthread_mutex_lock(&of_program);
	pthread_create(&t, NULL, loader_thread, NULL);
	pthread_barrier_wait(&both);
	walk_only(c); /* the loader's lock is held, and waits for ours */
	pthread_mutex_unlock(&of_program);
	pthread_join(t, NULL);
}

Test(stack, the_loaders_lock_is_not_taken, .timeout = 20)
{
	struct chain *c = chain_new(4);

	gt_stack_init();
	c->link[1] = &kinds[1];
	c->end = walk_against_loader;
	run(c);
	cr_assert_not(c->truncated);
	cr_assert(in_list(c, &kinds[1]));
	free(c);
}

/* --- Many at once --------------------------------------------------------------------------- */

static volatile bool stop_forgetting;

static void *forget_always(void *unused)
{
	(void)unused;
	while (!stop_forgetting) {
		gt_stack_forget();
	}
	return NULL;
}

/* Many walks of one stack; those that differ from the first are counted. */
static void walk_often(struct chain *c)
{
	uint64_t first[GT_STACK_MAX];
	unsigned n;

	walk_only(c);
	n = c->n;
	memcpy(first, c->pcs, sizeof(first));
	c->ntheirs = 0;
	for (unsigned i = 0; i < 20000; i++) {
		walk_only(c);
		/* The place of the call is another one in this loop. */
		c->ntheirs +=
			c->truncated || c->n != n || memcmp(c->pcs + 1, first + 1, 8 * (n - 1));
	}
}

Test(stack, forgetting_at_any_moment_changes_no_list, .timeout = 60)
{
	struct chain *c[3];
	pthread_t walker[3];
	pthread_t forgetter;

	gt_stack_init();
	pthread_create(&forgetter, NULL, forget_always, NULL);
	for (unsigned i = 0; i < 3; i++) {
		c[i] = chain_new(12 + i);
		c[i]->end = walk_often;
		c[i]->link[i] = &kinds[i];
		c[i]->link[5 + i] = &kinds[4 - i];
		pthread_create(&walker[i], NULL, trampoline, c[i]);
	}
	for (unsigned i = 0; i < 3; i++) {
		pthread_join(walker[i], NULL);
		cr_assert_eq(c[i]->ntheirs, 0, "%d lists of 20000 differ", c[i]->ntheirs);
		cr_assert_geq(c[i]->n, c[i]->links + 2);
		free(c[i]);
	}
	stop_forgetting = true;
	pthread_join(forgetter, NULL);
}

#endif
