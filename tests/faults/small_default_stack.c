/*
 * Description: threads of small stacks by pthread_setattr_default_np, much of which are TLS, and a
 * fiber's stack right below one; it waits for a lock with a frame pointer into the guard between.
 * Expect: 1 wait in=lock_with_rbp by=holder
 */
#include "filter.h"

#include <sys/mman.h>
#include <ucontext.h>

enum { SMALL = 128 << 10, GUARD = 4096, BELOW = 6 << 20 };

static _Thread_local volatile char large[48 << 10];

int lock_with_rbp(pthread_mutex_t *mutex, uintptr_t rbp);

/* Code that uses rbp for something else, as all may that has unwind tables. */
__asm__(".text\n"
	".type lock_with_rbp, @function\n"
	"lock_with_rbp:\n"
	".cfi_startproc\n"
	"push %rbp\n"
	".cfi_def_cfa_offset 16\n"
	".cfi_offset %rbp, -16\n"
	"mov %rsi, %rbp\n"
	"call pthread_mutex_lock@plt\n"
	"pop %rbp\n"
	".cfi_def_cfa_offset 8\n"
	"ret\n"
	".cfi_endproc\n"
	".size lock_with_rbp, . - lock_with_rbp\n");

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int held;
static atomic_int tid;
static char *own;   /* the thread's stack, below which is its guard */
static char *stack; /* the fiber's */
static ucontext_t contexts[2];

static void *holder(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	atomic_store(&held, 1);
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	/* Of a thread that has ended, nobody can be told that it woke another. */
	await(1);
	return arg;
}

static void fiber(void)
{
	OK(lock_with_rbp(&mutex, (uintptr_t)own - 64));
	OK(pthread_mutex_unlock(&mutex));
}

/* The nearest place below this thread's stack that is free; far from it in a run without any. */
static void map_stack(void)
{
	pthread_attr_t attr;
	void *lowest;
	size_t size;

	OK(pthread_getattr_np(pthread_self(), &attr));
	OK(pthread_attr_getstack(&attr, &lowest, &size));
	OK(pthread_attr_destroy(&attr));
	own = lowest;
	for (size_t below = GUARD + SMALL; stack == NULL; below += GUARD) {
		const bool near = below <= BELOW;
		char *p =
			mmap(near ? own - below : NULL, SMALL, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | (near ? MAP_FIXED_NOREPLACE : 0), -1, 0);

		if (p == own - below || (!near && p != MAP_FAILED)) {
			stack = p;
		} else if (!near) {
			perror("mmap");
			exit(1);
		} else if (p != MAP_FAILED) {
			munmap(p, SMALL);
		}
	}
}

static void *small(void *arg)
{
	tell_tid(&tid);
	large[0] = 1;
	map_stack();
	OK(getcontext(&contexts[1]));
	contexts[1].uc_stack.ss_sp = stack;
	contexts[1].uc_stack.ss_size = SMALL;
	contexts[1].uc_link = &contexts[0];
	makecontext(&contexts[1], fiber, 0);
	await_at_least(&held, 1);
	OK(swapcontext(&contexts[0], &contexts[1]));
	reach(1);
	return arg;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t threads[2];

	OK(pthread_attr_init(&attr));
	OK(pthread_attr_setstacksize(&attr, SMALL));
	OK(pthread_setattr_default_np(&attr));
	OK(pthread_attr_destroy(&attr));
	OK(pthread_create(&threads[0], NULL, holder, NULL));
	OK(pthread_create(&threads[1], NULL, small, NULL));
	OK(pthread_join(threads[1], NULL));
	join_ended(threads[0]);
	puts("a small stack, and one below it");
	return 0;
}
