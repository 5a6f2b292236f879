/*
 * Description: a thread is cancelled while it waits for another one, which can still be joined.
 */
#include "scene.h"

static atomic_int tid;
static pthread_t slow;

static void *wait_for_the_end(void *arg)
{
	reach(1);
	await(2);
	return arg;
}

static void cleaned_up(void *arg)
{
	puts(arg);
}

static void *joiner(void *arg)
{
	pthread_cleanup_push(cleaned_up, "cleaned up");
	tell_tid(&tid);
	pthread_join(slow, NULL);
	pthread_cleanup_pop(0);
	return arg;
}

int main(void)
{
	pthread_t thread;
	void *result;

	OK(pthread_create(&slow, NULL, wait_for_the_end, NULL));
	await(1);
	OK(pthread_create(&thread, NULL, joiner, NULL));
	await_joining(&tid, slow);
	OK(pthread_cancel(thread));
	while (pthread_tryjoin_np(thread, &result) == EBUSY) {
		scene_pause(500);
	}
	IS(result == PTHREAD_CANCELED, 1);
	reach(2);
	join_ended(slow);
	puts("joined by main");
	return 0;
}
