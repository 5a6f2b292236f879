/*
 * Description: timed locks of a rwlock that time out, and one of each kind that does not.
 */
#include "scene.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_int tid;

static void too_late(void)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 20);

	IS(pthread_rwlock_timedrdlock(&lock, &t), ETIMEDOUT);
	IS(pthread_rwlock_timedwrlock(&lock, &t), ETIMEDOUT);
	t = deadline_in(CLOCK_MONOTONIC, 20);
	IS(pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &t), ETIMEDOUT);
	IS(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &t), ETIMEDOUT);
	t.tv_nsec = 1000000000;
	IS(pthread_rwlock_timedrdlock(&lock, &t), EINVAL);
}

static void in_time(int turn)
{
	struct timespec real = deadline_in(CLOCK_REALTIME, 60000);
	struct timespec mono = deadline_in(CLOCK_MONOTONIC, 60000);

	switch (turn) {
	case 0:
		OK(pthread_rwlock_timedrdlock(&lock, &real));
		break;
	case 1:
		OK(pthread_rwlock_timedwrlock(&lock, &real));
		break;
	case 2:
		OK(pthread_rwlock_clockrdlock(&lock, CLOCK_MONOTONIC, &mono));
		break;
	default:
		OK(pthread_rwlock_clockwrlock(&lock, CLOCK_MONOTONIC, &mono));
	}
	OK(pthread_rwlock_unlock(&lock));
}

static void *impatient(void *arg)
{
	too_late();
	for (int i = 0; i < 4; i++) {
		tell_tid(&tid);
		in_time(i);
		reach(2 * i + 1);
		await(2 * i + 2);
	}
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_rwlock_wrlock(&lock));
	OK(pthread_create(&thread, NULL, impatient, NULL));
	await_at_least(&tid, 1);
	for (int i = 0; i < 4; i++) {
		AWAIT_ASLEEP_ON(&tid, &lock);
		atomic_store(&tid, 0);
		OK(pthread_rwlock_unlock(&lock));
		await(2 * i + 1);
		OK(pthread_rwlock_wrlock(&lock));
		reach(2 * i + 2);
	}
	join_ended(thread);
	OK(pthread_rwlock_unlock(&lock));
	puts("timed");
	return 0;
}
