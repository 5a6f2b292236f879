/*
 * Description: a thread wakes many and then sits in a long system call, over many generations,
 *              while those that it has woken come back one after the other.
 * Schedule: free
 * Expect: 20 wait in=waiter reason=cond
 * Expect: 10+ wait in=waiter reason=cond by=main
 */
#include "scene.h"

enum { WAITERS = 20 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int go;
static int waiting;
static atomic_int done;
static int fds[2];

static void *waiter(void *unused)
{
	OK(pthread_mutex_lock(&mutex));
	waiting++;
	while (!go) {
		OK(pthread_cond_wait(&cond, &mutex));
	}
	scene_pause(1500); /* the next one has to wait for the mutex */
	OK(pthread_mutex_unlock(&mutex));
	if (atomic_fetch_add(&done, 1) == WAITERS - 1) {
		raw_syscall(SYS_write, fds[1], (long)"", 1, 0);
	}
	return unused;
}

int main(void)
{
	pthread_t threads[WAITERS];
	char byte;
	int all = 0;

	OK(pipe(fds));
	for (int i = 0; i < WAITERS; i++) {
		OK(pthread_create(&threads[i], NULL, waiter, NULL));
	}
	while (!all) {
		OK(pthread_mutex_lock(&mutex));
		all = waiting == WAITERS;
		OK(pthread_mutex_unlock(&mutex));
		scene_pause(1000);
	}
	OK(pthread_mutex_lock(&mutex));
	go = 1;
	OK(pthread_cond_broadcast(&cond));
	OK(pthread_mutex_unlock(&mutex));
	IS((int)read(fds[0], &byte, 1), 1);
	for (int i = 0; i < WAITERS; i++) {
		join_ended(threads[i]);
	}
	return 0;
}
