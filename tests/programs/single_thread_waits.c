/*
 * Description: a program without threads lives through many generations, waiting and computing.
 * Schedule: free
 * Expect: 0 create
 * Expect: 10 wait in=main reason=cond by=nobody
 */
#include "scene.h"

int main(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

	OK(pthread_mutex_lock(&mutex));
	for (int i = 0; i < 10; i++) {
		struct timespec t = deadline_in(CLOCK_REALTIME, 15);
		uint64_t end = clock_ns(CLOCK_MONOTONIC) + 5000000;

		IS(pthread_cond_timedwait(&cond, &mutex, &t), ETIMEDOUT);
		while (clock_ns(CLOCK_MONOTONIC) < end) {
		}
	}
	OK(pthread_mutex_unlock(&mutex));
	puts("alone for long");
	return 0;
}
