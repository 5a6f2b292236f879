/*
 * Description: a mutex that others than its owner unlock, which glibc lets them: one unlock comes
 *              as soon as the first taker has it, and still lets the second one through.
 * Schedule: free
 * Beside: post_library
 * Expect: 2 wait in=taker reason=mutex
 */
#include "scene.h"

extern atomic_int posts_left __attribute__((weak));

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tids[2];
static atomic_int taken;

static int set_posts_left(int n)
{
	return &posts_left ? atomic_exchange(&posts_left, n) : !n;
}

static void *taker(void *tid)
{
	tell_tid(tid);
	OK(pthread_mutex_lock(&mutex));
	taken++;
	return tid;
}

int main(void)
{
	pthread_t threads[2];

	/* What was lost would be waited for without end. */
	alarm(60);
	OK(pthread_mutex_lock(&mutex));
	for (int i = 0; i < 2; i++) {
		OK(pthread_create(&threads[i], NULL, taker, &tids[i]));
		AWAIT_ASLEEP_ON(&tids[i], &mutex);
	}
	set_posts_left(1);
	OK(pthread_mutex_unlock(&mutex));
	await_at_least(&taken, 1);
	/* Nobody has tried: the second post is still to be made. */
	if (set_posts_left(0)) {
		OK(pthread_mutex_unlock(&mutex));
	}
	for (int i = 0; i < 2; i++) {
		OK(pthread_join(threads[i], NULL));
	}
	puts("both");
	return 0;
}
