/*
 * Description: exit while threads are inside read, poll, a futex and a semaphore.
 * Exit: 4
 * Expect: 1 wait in=wait_once by=holder
 */
#include "once.h"

#include <linux/futex.h>
#include <poll.h>
#include <semaphore.h>

static int fds[2];
static atomic_int inside;
static atomic_int word;
static sem_t sem;

static void *in_read(void *arg)
{
	char byte;

	atomic_fetch_add(&inside, 1);
	IS((int)read(fds[0], &byte, 1), 1);
	return arg;
}

static void *in_poll(void *arg)
{
	struct pollfd one = {.fd = fds[0], .events = POLLIN};

	atomic_fetch_add(&inside, 1);
	IS(poll(&one, 1, -1), 1);
	return arg;
}

static void *in_futex(void *arg)
{
	atomic_fetch_add(&inside, 1);
	OK((int)syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	return arg;
}

static void *in_sem(void *arg)
{
	atomic_fetch_add(&inside, 1);
	OK(sem_wait(&sem));
	return arg;
}

int main(void)
{
	void *(*const starts[])(void *) = {in_read, in_poll, in_futex, in_sem};
	pthread_t thread;

	wait_once();
	OK(pipe(fds));
	OK(sem_init(&sem, 0, 0));
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		OK(pthread_create(&thread, NULL, starts[i], NULL));
	}
	await_at_least(&inside, 4);
	scene_pause(20000);
	exit(4);
}
