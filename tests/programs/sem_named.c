/*
 * Description: a named semaphore: opened twice it is one object, made again it is another.
 */
#include <semaphore.h>

#include "scene.h"

static atomic_int tid;
static sem_t *sem;

static void *waiter(void *arg)
{
	tell_tid(&tid);
	OK(sem_wait(sem));
	reach(*(int *)arg);
	return NULL;
}

static void play(const char *name, int turn)
{
	pthread_t thread;
	sem_t *again;

	tid = 0;
	sem = sem_open(name, O_CREAT | O_EXCL, 0600, 0);
	IS(sem != SEM_FAILED, 1);
	again = sem_open(name, 0);
	IS(again == sem, 1);
	OK(pthread_create(&thread, NULL, waiter, &turn));
	AWAIT_ASLEEP_ON(&tid, sem);
	OK(sem_post(again));
	await(turn);
	join_ended(thread);
	OK(sem_unlink(name));
	OK(sem_close(again));
	OK(sem_close(sem));
}

int main(void)
{
	char name[32];

	snprintf(name, sizeof name, "/gtrace-test.%d", getpid());
	play(name, 1);
	play(name, 2);
	IS(sem_open(name, 0) == SEM_FAILED, 1);
	puts("gone");
	return 0;
}
