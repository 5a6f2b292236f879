/*
 * Description: threads cancelled at once, many of them before their start routine has begun.
 * Schedule: free
 * Expect: 50 create
 */
#include "scene.h"

enum { N = 50 };

static void *sleeper(void *arg)
{
	for (;;) {
		pause();
	}
	return arg;
}

int main(void)
{
	for (int i = 0; i < N; i++) {
		pthread_t thread;
		void *result;

		OK(pthread_create(&thread, NULL, sleeper, NULL));
		OK(pthread_cancel(thread));
		OK(pthread_join(thread, &result));
		IS(result == PTHREAD_CANCELED, 1);
	}
	puts("all cancelled");
	return 0;
}
