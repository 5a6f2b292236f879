/*
 * Description: neither a signal nor a cancellation ends a wait for a rwlock; who unlocks does.
 */
#include "scene.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_int tid;
static atomic_int handled;
static int got;

static void handler(int signal)
{
	atomic_fetch_add(&handled, signal == SIGUSR1);
}

static void *waiter(void *arg)
{
	tell_tid(&tid);
	OK(pthread_rwlock_wrlock(&lock));
	got = 1;
	OK(pthread_rwlock_unlock(&lock));
	reach(2);
	await(3);
	pthread_testcancel();
	got = 2;
	return arg;
}

static void *holder(void *arg)
{
	OK(pthread_rwlock_rdlock(&lock));
	reach(1);
	await_at_least(&handled, 1);
	AWAIT_ASLEEP_ON(&tid, &lock);
	OK(pthread_rwlock_unlock(&lock));
	await(2);
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler};
	pthread_t holding;
	pthread_t waiting;
	void *result;

	OK(sigaction(SIGUSR1, &action, NULL));
	OK(pthread_create(&holding, NULL, holder, NULL));
	await(1);
	OK(pthread_create(&waiting, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &lock);
	OK(pthread_cancel(waiting));
	OK(pthread_kill(waiting, SIGUSR1));
	join_ended(holding);
	reach(3);
	while (pthread_tryjoin_np(waiting, &result) == EBUSY) {
		scene_pause(500);
	}
	IS(result == PTHREAD_CANCELED, 1);
	IS(got, 1);
	puts("later");
	return 0;
}
