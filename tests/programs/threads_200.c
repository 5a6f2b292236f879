/*
 * Description: two hundred threads live and wait at once.
 * Schedule: free
 * Expect: 200 create
 * Expect: 200 destroy
 * Expect: 200+ wait in=waiter reason=cond
 */
#include "scene.h"

enum { N = 200 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int waiting;
static int go;

static void *waiter(void *arg)
{
	OK(pthread_mutex_lock(&mutex));
	waiting++;
	while (!go) {
		OK(pthread_cond_wait(&cond, &mutex));
	}
	waiting--;
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

int main(void)
{
	pthread_t threads[N];
	int all = 0;

	for (int i = 0; i < N; i++) {
		OK(pthread_create(&threads[i], NULL, waiter, NULL));
	}
	while (!all) {
		scene_pause(1000);
		OK(pthread_mutex_lock(&mutex));
		all = waiting == N;
		OK(pthread_mutex_unlock(&mutex));
	}
	OK(pthread_mutex_lock(&mutex));
	go = 1;
	OK(pthread_cond_broadcast(&cond));
	OK(pthread_mutex_unlock(&mutex));
	for (int i = 0; i < N; i++) {
		OK(pthread_join(threads[i], NULL));
	}
	printf("%d still waiting\n", waiting);
	return 0;
}
