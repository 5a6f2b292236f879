/*
 * Description: a signal to the process, blocked in all its threads, stays for sigwait.
 */
#include "scene.h"

static void *worker(void *arg)
{
	await(1);
	return arg;
}

int main(void)
{
	pthread_t thread;
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
	OK(pthread_create(&thread, NULL, worker, NULL));
	/* Any other thread with these signals open, were there one, would die of them. */
	OK(kill(getpid(), SIGTERM));
	scene_pause(20000);
	OK(sigwait(&set, &number));
	IS(number, SIGTERM);
	OK(kill(getpid(), SIGUSR1));
	OK(sigwait(&set, &number));
	IS(number, SIGUSR1);
	reach(1);
	join_ended(thread);
	puts("both came here");
	return 0;
}
