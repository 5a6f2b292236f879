/*
 * Description: a handler runs in a thread that waits for a condition, uses a mutex, and signals.
 * Schedule: free
 * Expect: 1+ wait in=waiter reason=cond
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t nobody = PTHREAD_COND_INITIALIZER;
static atomic_int tid;
static atomic_int handled;
static int ready;

static void on_signal(int number)
{
	(void)number;
	OK(pthread_mutex_lock(&other));
	OK(pthread_cond_signal(&nobody));
	OK(pthread_mutex_unlock(&other));
	atomic_fetch_add(&handled, 1);
}

static void *waiter(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	tell_tid(&tid);
	while (!ready) {
		OK(pthread_cond_wait(&cond, &mutex));
	}
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

int main(void)
{
	pthread_t thread;
	struct sigaction action = {.sa_handler = on_signal};

	OK(sigaction(SIGUSR1, &action, NULL));
	OK(pthread_create(&thread, NULL, waiter, NULL));
	for (int i = 0; i < 3; i++) {
		AWAIT_ASLEEP_ON(&tid, &cond);
		OK(pthread_kill(thread, SIGUSR1));
		await_at_least(&handled, i + 1);
	}
	AWAIT_ASLEEP_ON(&tid, &cond);
	OK(pthread_mutex_lock(&mutex));
	ready = 1;
	OK(pthread_cond_signal(&cond));
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	printf("%d handled\n", atomic_load(&handled));
	return 0;
}
