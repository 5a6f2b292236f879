/*
 * Description: calls that are shorter than GTRACE_MIN are counted; the others, and locks, are kept.
 * Events: sync,sleep,file
 * Min: 300ms
 * Expect: 0 call name=close
 * Expect: 1 call name=nanosleep
 * Expect: 40 loss of=short
 * Expect: 1 wait in=waiter reason=mutex by=main
 */
#include "waiter.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
	struct timespec t = {.tv_nsec = 400000000};
	pthread_t thread;

	for (int i = 0; i < 40; i++) {
		IS(close(-1), -1);
		IS(errno, EBADF);
	}
	OK(nanosleep(&t, NULL));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, &mutex));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	puts("one of forty-one");
	return 0;
}
