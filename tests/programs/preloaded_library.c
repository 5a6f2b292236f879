/*
 * Description: another preloaded library, before and after ours, uses threads before main.
 * Schedule: free
 * Beside: early_library
 * Expect: 1+ create
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

	OK(pthread_create(&thread, NULL, worker, NULL));
	reach(1);
	join_ended(thread);
	dprintf(1, "main\n");
	return 0;
}
