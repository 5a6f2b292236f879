/*
 * Description: a handler that interrupts locks and waits ends the process.
 * Exit: 5
 */
#include "filter.h"

#include <sys/time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void on_signal(int number)
{
	_exit(number == SIGALRM ? 5 : 6);
}

static void *fighter(void *arg)
{
	for (;;) {
		OK(pthread_mutex_lock(&mutex));
		OK(pthread_mutex_unlock(&mutex));
	}
	return arg;
}

int main(void)
{
	struct itimerval soon = {.it_value = {.tv_usec = 30000}};
	pthread_t thread;

	signal(SIGALRM, on_signal);
	OK(pthread_create(&thread, NULL, fighter, NULL));
	OK(pthread_create(&thread, NULL, fighter, NULL));
	OK(setitimer(ITIMER_REAL, &soon, NULL));
	fighter(NULL);
}
