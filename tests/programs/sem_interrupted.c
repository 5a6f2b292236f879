/*
 * Description: a signal that main sends ends a wait for a semaphore; one that restarts it does not.
 */
#include <semaphore.h>

#include "scene.h"

static sem_t sem;
static atomic_int tid;
static atomic_int handled;

static void handler(int signal)
{
	atomic_fetch_add(&handled, signal == SIGUSR1 || signal == SIGUSR2);
}

static void interrupted(void)
{
	IS(sem_wait(&sem), -1);
	IS(errno, EINTR);
}

static void restarted(void)
{
	OK(sem_wait(&sem));
}

static void *waiter(void *arg)
{
	tell_tid(&tid);
	interrupted();
	reach(1);
	await(2);
	tell_tid(&tid);
	restarted();
	reach(3);
	return arg;
}

static void *poster(void *arg)
{
	await_at_least(&handled, 2);
	AWAIT_ASLEEP_ON(&tid, &sem);
	OK(sem_post(&sem));
	await(3);
	return arg;
}

int main(void)
{
	struct sigaction once = {.sa_handler = handler};
	struct sigaction again = {.sa_handler = handler, .sa_flags = SA_RESTART};
	pthread_t waiting;
	pthread_t posting;

	OK(sigaction(SIGUSR1, &once, NULL));
	OK(sigaction(SIGUSR2, &again, NULL));
	OK(sem_init(&sem, 0, 0));
	OK(pthread_create(&waiting, NULL, waiter, NULL));
	OK(pthread_create(&posting, NULL, poster, NULL));
	AWAIT_ASLEEP_ON(&tid, &sem);
	atomic_store(&tid, 0);
	OK(pthread_kill(waiting, 0));
	OK(pthread_kill(waiting, SIGUSR1));
	await(1);
	reach(2);
	AWAIT_ASLEEP_ON(&tid, &sem);
	OK(pthread_kill(waiting, SIGUSR2));
	join_ended(waiting);
	join_ended(posting);
	puts("interrupted");
	return 0;
}
