/*
 * Description: processes made, replaced and ended by syscall(): the children are not traced, the
 *     parent's trace is whole.
 * Exit: 5
 */
#include <sched.h>
#include <sys/wait.h>

#include "scene.h"

static void ended(long pid, int status)
{
	int is;

	IS(waitpid((pid_t)pid, &is, 0), (int)pid);
	IS(WIFEXITED(is) ? WEXITSTATUS(is) : -1, status);
}

/* A child with a copy of our memory. */
static void forked(long number, int status)
{
	long pid = syscall(number, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0) {
		pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
		struct timespec soon = deadline_in(CLOCK_REALTIME, 2);

		OK(pthread_mutex_lock(&mutex));
		IS(pthread_mutex_timedlock(&mutex, &soon), ETIMEDOUT);
		syscall(SYS_exit_group, status);
	}
	ended(pid, status);
}

#ifdef __x86_64__
/*
 * A child in our own memory, and on our stack: all that it may do is to end, by no function, since
 * the return address of the call lies where the next call would put its own.
 */
static void shared(void)
{
	long pid = syscall(SYS_vfork);

	if (pid == 0) {
		__asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(4) : "memory");
	}
	ended(pid, 4);
}
#endif

/* A child in our memory, on a stack of its own, where it finds a place to return to. */
static _Noreturn void returned_to(void)
{
	raw_syscall(SYS_exit_group, 6, 0, 0, 0);
	__builtin_unreachable();
}

static void own_stack(void)
{
	static uintptr_t stack[4096] __attribute__((aligned(16)));
	uintptr_t *top = &stack[4000];
	long pid;

	top[0] = (uintptr_t)returned_to;
	pid = syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, top, NULL, NULL, NULL);
	ended(pid, 6);
}

static void *thread(void *arg)
{
	forked(SYS_clone, 3);
#ifdef __x86_64__
	forked(SYS_fork, 2);
	shared();
	own_stack();
#endif
	return arg;
}

int main(void)
{
	pthread_t t;

	OK(pthread_create(&t, NULL, thread, NULL));
	join_ended(t);
	syscall(SYS_exit_group, 5);
	return 0;
}
