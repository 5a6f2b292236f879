/*
 * Description: a timed wait on the real-time clock that nobody ends.
 */
#include "scene.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

static void *waiter(void *arg)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 20);

	OK(pthread_mutex_lock(&mutex));
	IS(pthread_cond_timedwait(&cond, &mutex, &t), ETIMEDOUT);
	IS(pthread_cond_timedwait(&cond, &mutex, &t), ETIMEDOUT);
	t.tv_nsec = -1;
	IS(pthread_cond_timedwait(&cond, &mutex, &t), EINVAL);
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_create(&thread, NULL, waiter, NULL));
	join_ended(thread);
	puts("nobody came");
	return 0;
}
