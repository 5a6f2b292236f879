/*
 * Description: a handler runs in a thread that waits for a mutex, and uses other mutexes itself.
 * Schedule: free
 * Expect: 1+ wait in=waiter
 */
#include "waiter.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;
static atomic_int handled;

static void on_signal(int number)
{
	(void)number;
	IS(pthread_mutex_trylock(&mutex), EBUSY);
	OK(pthread_mutex_trylock(&other));
	OK(pthread_mutex_unlock(&other));
	OK(pthread_mutex_lock(&other));
	OK(pthread_mutex_unlock(&other));
	/* And a wait within the wait. */
	OK(pthread_mutex_lock(&busy));
	OK(pthread_mutex_unlock(&busy));
	atomic_fetch_add(&handled, 1);
}

int main(void)
{
	pthread_t thread;
	struct sigaction action = {.sa_handler = on_signal};

	OK(sigaction(SIGUSR1, &action, NULL));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, &mutex));
	for (int i = 0; i < 3; i++) {
		AWAIT_ASLEEP_ON(&tid, &mutex);
		OK(pthread_mutex_lock(&busy));
		OK(pthread_kill(thread, SIGUSR1));
		AWAIT_ASLEEP_ON(&tid, &busy);
		OK(pthread_mutex_unlock(&busy));
		await_at_least(&handled, i + 1);
	}
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	printf("%d handled\n", atomic_load(&handled));
	return 0;
}
