/*
 * Description: threads end by pthread_exit, deep in their calls, with a value for the joiner.
 */
#include "scene.h"

static int value;

static void cleaned_up(void *arg)
{
	puts(arg);
}

static void deeper(int n)
{
	if (n == 0) {
		pthread_exit(&value);
	}
	if (n > 0) {
		deeper(n - 1);
	}
	puts("never here");
}

static void *worker(void *arg)
{
	pthread_cleanup_push(cleaned_up, "cleaned up");
	deeper(5);
	pthread_cleanup_pop(0);
	return arg;
}

int main(void)
{
	pthread_t thread;
	void *result;

	OK(pthread_create(&thread, NULL, worker, NULL));
	while (pthread_tryjoin_np(thread, &result) == EBUSY) {
		scene_pause(500);
	}
	IS(result == &value, 1);
	return 0;
}
