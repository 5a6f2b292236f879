/*
 * Description: a thread signals itself in each way; only the last ends it, and its trace.
 * Exit: SIGTERM
 * Expect: 2 wait in=wait_once by=holder
 */
#include "once.h"

#include <sys/resource.h>

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught += number == SIGUSR1;
}

static void *last(void *arg)
{
	/* With a handler, ignored, harmless, none, and blocked. */
	OK(pthread_kill(pthread_self(), SIGUSR1));
	OK((int)syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1));
	OK((int)syscall(SYS_tkill, syscall(SYS_gettid), SIGUSR1));
	IS(caught, 3);
	OK((int)syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR2));
	OK(pthread_kill(pthread_self(), SIGCHLD));
	OK(pthread_kill(pthread_self(), 0));
	OK(pthread_kill(pthread_self(), SIGHUP));
	wait_once();
	OK(pthread_kill(pthread_self(), SIGTERM));
	return arg;
}

/* The limits and rights that are set by their numbers. */
static void by_number(void)
{
	struct rlimit64 limit;

	OK((int)syscall(SYS_prlimit64, 0, RLIMIT_AS, NULL, &limit));
	OK((int)syscall(SYS_setrlimit, RLIMIT_AS, &limit));
	OK((int)syscall(SYS_prlimit64, getpid(), RLIMIT_AS, &limit, NULL));
	IS((int)syscall(SYS_setrlimit, RLIMIT_AS, (void *)16), -1);
	IS(errno, EFAULT);
	IS((int)syscall(SYS_capset, NULL, NULL), -1);
	IS(errno, EFAULT);
}

int main(void)
{
	pthread_t thread;
	sigset_t set;

	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
	by_number();
	wait_once();
	OK(pthread_create(&thread, NULL, last, NULL));
	pthread_join(thread, NULL);
	return 0;
}
