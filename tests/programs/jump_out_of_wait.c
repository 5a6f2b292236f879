/*
 * Description: handlers jump out of a wait for a mutex and of one for a condition; life goes on.
 * Schedule: free
 * Expect: 4+ wait in=jumper
 * Expect: 1 wait in=plain_waiter by=main
 */
#include "scene.h"

#include <setjmp.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* Of each round its own: glibc does not say what a condition is worth after such a jump. */
static pthread_mutex_t guards[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static pthread_cond_t conds[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static pthread_mutex_t last = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;
static atomic_int round_at;
static sigjmp_buf back;

static void on_signal(int number)
{
	siglongjmp(back, number);
}

static void *jumper(void *arg)
{
	for (volatile int i = 0; i < 2; i++) {
		if (sigsetjmp(back, 1) == 0) {
			tell_tid(&tid);
			OK(pthread_mutex_lock(&mutex));
		}
		atomic_store(&tid, 0);
		atomic_fetch_add(&round_at, 1);
		OK(pthread_mutex_lock(&guards[i]));
		if (sigsetjmp(back, 1) == 0) {
			tell_tid(&tid);
			for (;;) {
				OK(pthread_cond_wait(&conds[i], &guards[i]));
			}
		}
		atomic_store(&tid, 0);
		atomic_fetch_add(&round_at, 1);
	}
	return arg;
}

static void *plain_waiter(void *arg)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&last));
	OK(pthread_mutex_unlock(&last));
	return arg;
}

int main(void)
{
	pthread_t thread;
	struct sigaction action = {.sa_handler = on_signal};

	OK(sigaction(SIGUSR1, &action, NULL));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, jumper, NULL));
	for (int i = 0; i < 2; i++) {
		AWAIT_ASLEEP_ON(&tid, &mutex);
		OK(pthread_kill(thread, SIGUSR1));
		await_at_least(&round_at, 2 * i + 1);
		AWAIT_ASLEEP_ON(&tid, &conds[i]);
		OK(pthread_kill(thread, SIGUSR1));
		await_at_least(&round_at, 2 * i + 2);
	}
	join_ended(thread);
	OK(pthread_mutex_unlock(&mutex));

	OK(pthread_mutex_lock(&last));
	OK(pthread_create(&thread, NULL, plain_waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &last);
	OK(pthread_mutex_unlock(&last));
	join_ended(thread);
	puts("jumped four times");
	return 0;
}
