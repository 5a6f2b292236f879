/*
 * Description: signals rain on threads that fight for a mutex; the handler tries for one too.
 * Schedule: free
 * Expect: 4 create
 * Expect: 4 destroy
 */
#include "scene.h"

enum { THREADS = 4, ROUNDS = 2000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t handlers = PTHREAD_MUTEX_INITIALIZER;
static atomic_int finished;
static int sum;

static void on_signal(int number)
{
	int kept = errno;

	(void)number;
	if (pthread_mutex_trylock(&handlers) == 0) {
		pthread_mutex_unlock(&handlers);
	}
	errno = kept;
}

static void *fighter(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		OK(pthread_mutex_lock(&mutex));
		sum++;
		for (volatile int j = 0; j < 200; j++) {
		}
		OK(pthread_mutex_unlock(&mutex));
	}
	atomic_fetch_add(&finished, 1);
	await(1);
	return arg;
}

int main(void)
{
	pthread_t threads[THREADS];
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	OK(sigaction(SIGUSR1, &action, NULL));
	for (int i = 0; i < THREADS; i++) {
		OK(pthread_create(&threads[i], NULL, fighter, NULL));
	}
	while (atomic_load(&finished) < THREADS) {
		for (int i = 0; i < THREADS; i++) {
			OK(pthread_kill(threads[i], SIGUSR1));
		}
		scene_pause(50);
	}
	reach(1);
	for (int i = 0; i < THREADS; i++) {
		OK(pthread_join(threads[i], NULL));
	}
	printf("%d\n", sum);
	return 0;
}
