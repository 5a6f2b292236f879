/*
 * Description: deferred, asynchronous and disabled cancellation away from any wait of ours.
 */
#include "scene.h"

static void cleaned_up(void *arg)
{
	puts(arg);
}

static void *in_a_system_call(void *arg)
{
	pthread_cleanup_push(cleaned_up, "in a system call");
	reach(1);
	for (;;) {
		pause();
	}
	pthread_cleanup_pop(0);
	return arg;
}

static void *at_a_test(void *arg)
{
	pthread_cleanup_push(cleaned_up, "at a test");
	reach(1);
	for (;;) {
		pthread_testcancel();
	}
	pthread_cleanup_pop(0);
	return arg;
}

static void *anywhere(void *arg)
{
	pthread_cleanup_push(cleaned_up, "anywhere");
	OK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL));
	reach(1);
	for (volatile long i = 0;; i++) {
	}
	pthread_cleanup_pop(0);
	return arg;
}

static void *not_at_all(void *arg)
{
	OK(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL));
	reach(1);
	await(2);
	pthread_testcancel();
	puts("not at all");
	return arg;
}

static void cancel(void *(*routine)(void *), int cancelled)
{
	pthread_t thread;
	void *result;

	reach(0);
	OK(pthread_create(&thread, NULL, routine, NULL));
	await(1);
	OK(pthread_cancel(thread));
	reach(2);
	while (pthread_tryjoin_np(thread, &result) == EBUSY) {
		scene_pause(500);
	}
	IS(result == PTHREAD_CANCELED, cancelled);
}

int main(void)
{
	cancel(in_a_system_call, 1);
	cancel(at_a_test, 1);
	cancel(anywhere, 1);
	cancel(not_at_all, 0);
	return 0;
}
