/*
 * Description: a signal handler posts a semaphore: to another thread, and to the one it interrupts.
 */
#include <semaphore.h>

#include "scene.h"

static sem_t sem;
static sem_t own;
static atomic_int tid;

/* Deep enough that the text of the trace ends before libc's frames, which are not everywhere. */
static void innermost(int signal)
{
	if (signal == SIGUSR1) {
		OK(sem_post(&sem));
	} else {
		OK(sem_post(&own));
	}
}

static void inner(int signal)
{
	innermost(signal);
}

static void posts(int signal)
{
	inner(signal);
}

static void handler(int signal)
{
	posts(signal);
}

static void *waiter(void *arg)
{
	tell_tid(&tid);
	OK(sem_wait(&sem));
	reach(1);
	tell_tid(&tid);
	/* The handler runs in the wait that it ends. */
	OK(sem_wait(&own));
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
	pthread_t thread;

	OK(sigaction(SIGUSR1, &action, NULL));
	OK(sigaction(SIGUSR2, &action, NULL));
	OK(sem_init(&sem, 0, 0));
	OK(sem_init(&own, 0, 0));
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &sem);
	atomic_store(&tid, 0);
	OK(raise(SIGUSR1));
	await(1);
	AWAIT_ASLEEP_ON(&tid, &own);
	OK(pthread_kill(thread, SIGUSR2));
	join_ended(thread);
	puts("posted");
	return 0;
}
