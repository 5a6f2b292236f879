/*
 * Description: a handler jumps out of a wait for a futex; life goes on.
 * Schedule: free
 * Expect: 2 wait in=jumper reason=futex
 * Expect: 1 wait in=jumper reason=futex by=wake
 */
#include <linux/futex.h>
#include <setjmp.h>

#include "scene.h"

static atomic_int words[2];
static atomic_int tid;
static sigjmp_buf back;

static void on_signal(int number)
{
	siglongjmp(back, number);
}

static void *jumper(void *arg)
{
	tell_tid(&tid);
	if (sigsetjmp(back, 1) == 0) {
		for (;;) {
			syscall(SYS_futex, &words[0], FUTEX_WAIT, 0, NULL);
		}
	}
	OK((int)syscall(SYS_futex, &words[1], FUTEX_WAIT, 0, NULL));
	reach(1);
	return arg;
}

static void wake(void)
{
	AWAIT_ASLEEP_ON(&tid, &words[1]);
	/* Nobody waits there any more, in the kernel or in the trace. */
	IS((int)syscall(SYS_futex, &words[0], FUTEX_WAKE, 1), 0);
	IS((int)syscall(SYS_futex, &words[1], FUTEX_WAKE, 1), 1);
	await(1);
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	pthread_t t;

	OK(sigaction(SIGUSR1, &action, NULL));
	OK(pthread_create(&t, NULL, jumper, NULL));
	AWAIT_ASLEEP_ON(&tid, &words[0]);
	OK(pthread_kill(t, SIGUSR1));
	wake();
	join_ended(t);
	return 0;
}
