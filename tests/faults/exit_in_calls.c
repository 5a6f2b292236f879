/*
 * Description: exit while threads are inside read, poll, a futex and a semaphore.
 * Exit: 4
 * Expect: 1 wait in=wait_once by=holder
 */
#include "in_calls.h"

#include <linux/futex.h>
#include <semaphore.h>

static atomic_int word;
static sem_t sem;

static void *in_futex(void *arg)
{
	atomic_fetch_add(&in_calls_now, 1);
	OK((int)syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
	return arg;
}

static void *in_sem(void *arg)
{
	atomic_fetch_add(&in_calls_now, 1);
	OK(sem_wait(&sem));
	return arg;
}

int main(void)
{
	void *(*const starts[])(void *) = {in_read, in_poll, in_futex, in_sem};

	wait_once();
	OK(sem_init(&sem, 0, 0));
	in_calls_start(starts, 4);
	exit(4);
}
