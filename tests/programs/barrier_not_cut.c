/*
 * Description: neither a signal nor a cancellation ends a wait at a barrier; the last to come does.
 */
#include "scene.h"

static pthread_barrier_t barrier;
static atomic_int tid;
static atomic_int handled;

static void handler(int signal)
{
	atomic_fetch_add(&handled, signal == SIGUSR1);
}

static void *waiter(void *arg)
{
	tell_tid(&tid);
	OK(pthread_barrier_wait(&barrier));
	reach(1);
	pthread_testcancel();
	reach(2);
	return arg;
}

static void *last(void *arg)
{
	await_at_least(&handled, 1);
	AWAIT_ASLEEP_ON(&tid, &barrier);
	IS(pthread_barrier_wait(&barrier), PTHREAD_BARRIER_SERIAL_THREAD);
	await(1);
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler};
	pthread_t waiting;
	pthread_t coming;
	void *result;

	OK(sigaction(SIGUSR1, &action, NULL));
	OK(pthread_barrier_init(&barrier, NULL, 2));
	OK(pthread_create(&waiting, NULL, waiter, NULL));
	OK(pthread_create(&coming, NULL, last, NULL));
	AWAIT_ASLEEP_ON(&tid, &barrier);
	OK(pthread_cancel(waiting));
	OK(pthread_kill(waiting, SIGUSR1));
	join_ended(coming);
	while (pthread_tryjoin_np(waiting, &result) == EBUSY) {
		scene_pause(500);
	}
	IS(result == PTHREAD_CANCELED, 1);
	IS(atomic_load(&scene_stage), 1);
	puts("later");
	return 0;
}
