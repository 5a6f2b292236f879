/*
 * Description: a handler interrupts a call that blocks: it makes calls of its own, which are not
 *              traced; the second time it leaves the call by siglongjmp, and the thread goes on.
 * Events: io,sleep
 */
#include <setjmp.h>

#include "blocking.h"

static sigjmp_buf back;
static volatile sig_atomic_t jumps;
static atomic_int tid;
static int fds[2];

static void handler(int number)
{
	const struct timespec soon = {.tv_nsec = 100000};
	int saved = errno;
	char byte;

	(void)number;
	OK(nanosleep(&soon, NULL));
	OK(read(-1, &byte, 1) != -1);
	errno = saved;
	if (jumps++) {
		siglongjmp(back, 1);
	}
}

static void deeper(void)
{
	char byte;

	read(fds[0], &byte, 1);
}

static void *reader(void *unused)
{
	char byte;

	tell_tid(&tid);
	IS(read(fds[0], &byte, 1), -1);
	IS(errno, EINTR);
	reach(1);
	if (sigsetjmp(back, 1) == 0) {
		deeper();
		IS(0, 1);
	}
	OK(read(-1, &byte, 1) != -1); /* from above the frame that was left */
	reach(2);
	return unused;
}

static void disturb(int stage)
{
	await_at_least(&tid, 1);
	await_in(atomic_load(&tid), SYS_read);
	raw_syscall(SYS_tgkill, getpid(), atomic_load(&tid), SIGUSR1, 0);
	await(stage);
}

int main(void)
{
	pthread_t thread;

	OK(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handler}, NULL));
	OK(pipe(fds));
	OK(pthread_create(&thread, NULL, reader, NULL));
	disturb(1);
	disturb(2);
	join_ended(thread);
	return 0;
}
