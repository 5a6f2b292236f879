/*
 * Description: syscall() is no cancellation point: who is cancelled in a wait for a futex goes on
 *     waiting, and ends later; only where cancellation is asynchronous the wait ends by it.
 */
#include <linux/futex.h>

#include "scene.h"

static atomic_int word;
static atomic_int tid;

static void cleaned_up(void *arg)
{
	puts(arg);
}

static void *deferred(void *arg)
{
	pthread_cleanup_push(cleaned_up, "deferred: cleaned up");
	tell_tid(&tid);
	OK((int)syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL));
	puts("deferred: woken");
	reach(1);
	pthread_testcancel();
	pthread_cleanup_pop(0);
	return arg;
}

static void *asynchronous(void *arg)
{
	pthread_cleanup_push(cleaned_up, "asynchronous: cleaned up");
	OK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL));
	tell_tid(&tid);
	for (;;) {
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL);
	}
	pthread_cleanup_pop(0);
	return arg;
}

static void start(pthread_t *t, void *(*routine)(void *))
{
	atomic_store(&tid, 0);
	OK(pthread_create(t, NULL, routine, NULL));
	AWAIT_ASLEEP_ON(&tid, &word);
	OK(pthread_cancel(*t));
}

static void ended(pthread_t t)
{
	void *result;

	while (pthread_tryjoin_np(t, &result) == EBUSY) {
		scene_pause(500);
	}
	IS(result == PTHREAD_CANCELED, 1);
}

int main(void)
{
	pthread_t t;

	start(&t, deferred);
	scene_pause(5000);
	IS((int)syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1), 1);
	await(1);
	ended(t);
	start(&t, asynchronous);
	ended(t);
	return 0;
}
