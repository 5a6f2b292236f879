/*
 * Description: the condition variables of glibc 2.2.5, bound by a program from before 2003.
 */
#include "scene.h"

/* Their pthread_cond_t is one pointer to the real one. */
#define OLD(name) __asm__(".symver old_" #name ", pthread_cond_" #name "@GLIBC_2.2.5")
OLD(init);
OLD(destroy);
OLD(wait);
OLD(timedwait);
OLD(signal);
OLD(broadcast);
int old_init(pthread_cond_t *, const pthread_condattr_t *);
int old_destroy(pthread_cond_t *);
int old_wait(pthread_cond_t *, pthread_mutex_t *);
int old_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
int old_signal(pthread_cond_t *);
int old_broadcast(pthread_cond_t *);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/* More bytes than the old type has: a call that reaches the new functions must not go unseen. */
static pthread_cond_t cond;
static atomic_int tid;
static int ready;

static void *waiter(void *arg)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 20);

	OK(pthread_mutex_lock(&mutex));
	IS(old_timedwait(&cond, &mutex, &t), ETIMEDOUT);
	tell_tid(&tid);
	while (!ready) {
		OK(old_wait(&cond, &mutex));
	}
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

static int bytes_behind_the_pointer(void)
{
	const unsigned char *byte = (const unsigned char *)&cond;
	int sum = 0;

	for (size_t i = sizeof(void *); i < sizeof cond; i++) {
		sum += byte[i];
	}
	return sum;
}

int main(void)
{
	pthread_t thread;

	OK(old_init(&cond, NULL));
	OK(pthread_create(&thread, NULL, waiter, NULL));
	await_at_least(&tid, 1); /* it has waited once, so the real one is there */
	await_asleep(&tid, *(void **)(void *)&cond, sizeof cond);
	OK(pthread_mutex_lock(&mutex));
	ready = 1;
	OK(old_signal(&cond));
	OK(old_broadcast(&cond));
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	IS(bytes_behind_the_pointer(), 0);
	OK(old_destroy(&cond));
	puts("still served");
	return 0;
}
