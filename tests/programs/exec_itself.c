/*
 * Description: a program with threads waiting executes another one in its own place.
 * Schedule: free
 * Expect: 1 create
 * Expect: 1 wait in=waiter reason=mutex
 * Traces: 2
 * Exit: 12
 */
#include "waiter.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int main(int argc, char **argv)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, &mutex));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	if (argc > 1) {
		OK(pthread_mutex_unlock(&mutex));
		join_ended(thread);
		puts(argv[1]);
		return 12;
	}
	puts("the first");
	fflush(stdout);
	execl("/proc/self/exe", argv[0], "the second", NULL);
	return 98;
}
