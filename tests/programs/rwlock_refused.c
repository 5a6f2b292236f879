/*
 * Description: what a rwlock refuses at once is no wait: to wait for oneself, and to try.
 */
#include "scene.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void *other(void *arg)
{
	IS(pthread_rwlock_tryrdlock(&lock), EBUSY);
	IS(pthread_rwlock_trywrlock(&lock), EBUSY);
	return arg;
}

int main(void)
{
	pthread_t thread;
	struct timespec t = deadline_in(CLOCK_REALTIME, 60000);

	OK(pthread_rwlock_wrlock(&lock));
	IS(pthread_rwlock_rdlock(&lock), EDEADLK);
	IS(pthread_rwlock_wrlock(&lock), EDEADLK);
	IS(pthread_rwlock_timedrdlock(&lock, &t), EDEADLK);
	IS(pthread_rwlock_timedwrlock(&lock, &t), EDEADLK);
	OK(pthread_create(&thread, NULL, other, NULL));
	join_ended(thread);
	OK(pthread_rwlock_unlock(&lock));

	/* Impossible times are refused although it is free. */
	t.tv_nsec = 1000000000;
	IS(pthread_rwlock_timedrdlock(&lock, &t), EINVAL);
	IS(pthread_rwlock_timedwrlock(&lock, &t), EINVAL);
	t.tv_nsec = -1;
	IS(pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &t), EINVAL);
	t.tv_nsec = 0;
	IS(pthread_rwlock_clockwrlock(&lock, CLOCK_PROCESS_CPUTIME_ID, &t), EINVAL);
	OK(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &t));
	OK(pthread_rwlock_unlock(&lock));
	OK(pthread_rwlock_timedrdlock(&lock, &t));
	OK(pthread_rwlock_clockrdlock(&lock, CLOCK_REALTIME, &t));
	OK(pthread_rwlock_unlock(&lock));
	OK(pthread_rwlock_unlock(&lock));
	OK(pthread_rwlock_destroy(&lock));
	OK(pthread_rwlock_init(&lock, NULL));
	OK(pthread_rwlock_timedwrlock(&lock, &t));
	OK(pthread_rwlock_unlock(&lock));
	puts("refused");
	return 0;
}
