/*
 * Description: two threads hand a turn to each other through one condition variable.
 */
#include "scene.h"

enum { ROUNDS = 5 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tid_pong;
static int turn; /* 0 ping, 1 pong */

static void play(int me, const char *text)
{
	for (int i = 0; i < ROUNDS; i++) {
		while (turn != me) {
			OK(pthread_cond_wait(&cond, &mutex));
		}
		puts(text);
		turn = !me;
		OK(pthread_cond_signal(&cond));
	}
}

static void *ping(void *arg)
{
	AWAIT_ASLEEP_ON(&tid_pong, &cond);
	OK(pthread_mutex_lock(&mutex));
	play(0, "ping");
	OK(pthread_mutex_unlock(&mutex));
	/* Who has ended can no longer be named as the waker. */
	await(1);
	return arg;
}

static void *pong(void *arg)
{
	tell_tid(&tid_pong);
	OK(pthread_mutex_lock(&mutex));
	play(1, "pong");
	OK(pthread_mutex_unlock(&mutex));
	reach(1);
	return arg;
}

int main(void)
{
	pthread_t a;
	pthread_t b;

	OK(pthread_create(&a, NULL, ping, NULL));
	OK(pthread_create(&b, NULL, pong, NULL));
	join_ended(a);
	join_ended(b);
	return 0;
}
