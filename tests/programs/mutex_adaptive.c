/*
 * Description: an adaptive mutex spins before it sleeps; held long enough, it sleeps.
 */
#include "waiter.h"

static pthread_mutex_t mutex = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;

int main(void)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, &mutex));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	puts("slept");
	return 0;
}
