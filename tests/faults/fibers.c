/*
 * Description: stacks that are no thread's: two fibers that switch, and wait for locks on each.
 * Expect: 4 wait in=fiber by=holder
 */
#include "filter.h"

#include <ucontext.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int wanted;
static atomic_int held;
static atomic_int tid;
static ucontext_t contexts[3];

/* Has the mutex whenever a fiber asks for it, and gives it up when that one sleeps. */
static void *holder(void *arg)
{
	for (int i = 1; i <= 4; i++) {
		await_at_least(&wanted, i);
		OK(pthread_mutex_lock(&mutex));
		atomic_store(&held, i);
		AWAIT_ASLEEP_ON(&tid, &mutex);
		OK(pthread_mutex_unlock(&mutex));
	}
	/* Of a thread that has ended, nobody can be told that it woke another. */
	await(1);
	return arg;
}

static void fiber(int self)
{
	for (int i = 0; i < 2; i++) {
		int round = atomic_fetch_add(&wanted, 1) + 1;

		await_at_least(&held, round);
		OK(pthread_mutex_lock(&mutex));
		OK(pthread_mutex_unlock(&mutex));
		OK(swapcontext(&contexts[self], &contexts[3 - self]));
	}
	OK(swapcontext(&contexts[self], &contexts[0]));
}

int main(void)
{
	pthread_t thread;

	tell_tid(&tid);
	for (int i = 1; i < 3; i++) {
		OK(getcontext(&contexts[i]));
		contexts[i].uc_stack.ss_sp = malloc(64 << 10);
		contexts[i].uc_stack.ss_size = 64 << 10;
		makecontext(&contexts[i], (void (*)(void))fiber, 1, i);
	}
	OK(pthread_create(&thread, NULL, holder, NULL));
	OK(swapcontext(&contexts[0], &contexts[1]));
	reach(1);
	join_ended(thread);
	puts("two fibers");
	return 0;
}
