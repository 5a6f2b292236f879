/*
 * Description: with a writer waiting for a reader, another reader enters, or waits behind it.
 *
 * The first is the default; the second is what PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP asks
 * for. Who has it when is written down, and must be the same with and without a tracer.
 */
#include <stdbool.h>

#include "scene.h"

static pthread_rwlock_t lock;
static atomic_int writer_tid;
static atomic_int reader_tid;
static char order[8];
static atomic_int n;

static void note(char who)
{
	order[atomic_fetch_add(&n, 1)] = who;
}

static void *writer(void *arg)
{
	tell_tid(&writer_tid);
	OK(pthread_rwlock_wrlock(&lock));
	note('w');
	OK(pthread_rwlock_unlock(&lock));
	await(2);
	return arg;
}

static void *reader(void *arg)
{
	tell_tid(&reader_tid);
	OK(pthread_rwlock_rdlock(&lock));
	note('r');
	OK(pthread_rwlock_unlock(&lock));
	if (arg) {
		reach(1);
	}
	return NULL;
}

static void play(int kind)
{
	bool enters = kind != PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP;
	pthread_rwlockattr_t attr;
	pthread_t first;
	pthread_t second;

	n = writer_tid = reader_tid = scene_stage = 0;
	OK(pthread_rwlockattr_init(&attr));
	OK(pthread_rwlockattr_setkind_np(&attr, kind));
	OK(pthread_rwlock_init(&lock, &attr));
	OK(pthread_rwlockattr_destroy(&attr));

	OK(pthread_rwlock_rdlock(&lock));
	OK(pthread_create(&first, NULL, writer, NULL));
	AWAIT_ASLEEP_ON(&writer_tid, &lock);
	IS(pthread_rwlock_trywrlock(&lock), EBUSY);
	IS(pthread_rwlock_tryrdlock(&lock), enters ? 0 : EBUSY);
	if (enters) {
		OK(pthread_rwlock_unlock(&lock));
	}
	OK(pthread_create(&second, NULL, reader, enters ? &lock : NULL));
	if (enters) {
		await(1);
	} else {
		AWAIT_ASLEEP_ON(&reader_tid, &lock);
	}
	OK(pthread_rwlock_unlock(&lock));
	await_at_least(&n, 2);
	join_ended(second);
	reach(2);
	join_ended(first);
	OK(pthread_rwlock_destroy(&lock));
	printf("%.2s\n", order);
}

int main(void)
{
	play(PTHREAD_RWLOCK_PREFER_READER_NP);
	play(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	return 0;
}
