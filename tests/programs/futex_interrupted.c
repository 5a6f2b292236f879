/*
 * Description: a signal ends a wait for a futex, and its handler waits for a mutex meanwhile.
 */
#include <linux/futex.h>

#include "scene.h"

static atomic_int word;
static atomic_int tid;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void handler(int number)
{
	int saved = errno;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	IS((int)syscall(SYS_futex, &word, FUTEX_WAKE, 1), 0);
	errno = saved;
	(void)number;
}

static void *waiter(void *arg)
{
	struct timespec long_time = {.tv_sec = 20};

	tell_tid(&tid);
	IS((int)syscall(SYS_futex, &word, FUTEX_WAIT, 0, &long_time), -1);
	IS(errno, EINTR);
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler};
	pthread_t t;

	OK(sigaction(SIGUSR1, &action, NULL));
	OK(pthread_create(&t, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &word);
	/* Not by pthread_kill, which would be named as the waker. */
	OK((int)raw_syscall(SYS_tgkill, getpid(), atomic_load(&tid), SIGUSR1, 0));
	join_ended(t);
	puts("interrupted");
	return 0;
}
