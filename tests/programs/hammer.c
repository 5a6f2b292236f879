/*
 * Description: runs until it is killed: locks, conditions, threads that come and go. For kill9.
 */
#include "scene.h"

enum { FIGHTERS = 3 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t queue_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static int queue;

static void *fighter(void *arg)
{
	for (;;) {
		OK(pthread_mutex_lock(&mutex));
		for (volatile int i = 0; i < 2000; i++) {
		}
		OK(pthread_mutex_unlock(&mutex));
	}
	return arg;
}

static void *consumer(void *arg)
{
	for (;;) {
		OK(pthread_mutex_lock(&queue_mutex));
		while (queue == 0) {
			OK(pthread_cond_wait(&not_empty, &queue_mutex));
		}
		queue--;
		OK(pthread_mutex_unlock(&queue_mutex));
	}
	return arg;
}

static void *brief(void *arg)
{
	OK(pthread_mutex_lock(&queue_mutex));
	queue += 2;
	OK(pthread_cond_broadcast(&not_empty));
	OK(pthread_mutex_unlock(&queue_mutex));
	return arg;
}

int main(void)
{
	pthread_t thread;

	for (int i = 0; i < FIGHTERS; i++) {
		OK(pthread_create(&thread, NULL, fighter, NULL));
	}
	for (int i = 0; i < 2; i++) {
		OK(pthread_create(&thread, NULL, consumer, NULL));
	}
	for (;;) {
		OK(pthread_create(&thread, NULL, brief, NULL));
		OK(pthread_join(thread, NULL));
	}
}
