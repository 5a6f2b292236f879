/*
 * Description: handlers that interrupt anything fork; parent and child both return to where it was.
 * Traces: 1+
 */
#include "filter.h"

#include <sys/wait.h>

enum { FORKS = 300 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int stop;
static atomic_int forks;
static _Thread_local volatile int in_child;

static void on_signal(int number)
{
	int saved = errno;
	int n = atomic_fetch_add(&forks, 1);
	pid_t pid = n % 2 ? _Fork() : fork();
	int status;

	(void)number;
	if (pid == 0) {
		in_child = 1;
	} else if (pid > 0) {
		if (waitpid(pid, &status, 0) == pid && status != 0) {
			dprintf(2, "a child ended with %#x\n", (unsigned)status);
			_exit(98);
		}
	}
	errno = saved;
}

/* What a child can do that has come back: locks of its own, and no others. */
static void child_leaves(void)
{
	pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;

	for (int i = 0; i < 10; i++) {
		OK(pthread_mutex_lock(&own));
		OK(pthread_mutex_unlock(&own));
	}
	_exit(0);
}

static void *target(void *arg)
{
	pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
	struct timespec soon;

	while (!atomic_load(&stop)) {
		/* Waits that end by themselves, in a child too, where nobody signals. */
		OK(pthread_mutex_lock(&own));
		soon = deadline_in(CLOCK_REALTIME, 0);
		pthread_cond_timedwait(&cond, &own, &soon);
		OK(pthread_mutex_unlock(&own));
		if (in_child) {
			child_leaves();
		}
		if (pthread_mutex_trylock(&mutex) == 0) {
			OK(pthread_mutex_unlock(&mutex));
		}
		pthread_cond_signal(&cond);
		if (in_child) {
			child_leaves();
		}
	}
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	pthread_t thread;

	OK(sigaction(SIGUSR1, &action, NULL));
	OK(pthread_create(&thread, NULL, target, NULL));
	while (atomic_load(&forks) < FORKS) {
		int before = atomic_load(&forks);

		OK(pthread_kill(thread, SIGUSR1));
		while (atomic_load(&forks) == before) {
			scene_pause(50);
		}
		scene_pause(rand() % 300);
	}
	atomic_store(&stop, 1);
	OK(pthread_join(thread, NULL));
	puts("all children ended well");
	return 0;
}
