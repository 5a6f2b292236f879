/*
 * Description: an unlock that somebody waits for, by a function that finds its caller through its
 * frame pointer: its stack is whole.
 * Expect: 1 wait in=waiter reason=mutex by=release
 * Expect: 1 wait in=waiter reason=mutex by=main
 * Expect: 0 loss of=stack
 */
#include "waiter.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* An array of a size that only the run knows: the frame is found by no other register. */
static void release(int n)
{
	volatile char frame[n];

	frame[0] = 0;
	OK(pthread_mutex_unlock(&mutex));
	frame[0]++;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, &mutex));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	release((int)sizeof(mutex));
	join_ended(thread);
	puts("released");
	return 0;
}
