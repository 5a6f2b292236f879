/*
 * Description: a reader waits for a writer, a writer for two readers, a writer for a writer.
 */
#include "scene.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static atomic_int tid;
static atomic_int first_left;

static void reader(void)
{
	OK(pthread_rwlock_rdlock(&lock));
	OK(pthread_rwlock_unlock(&lock));
}

static void writer(void)
{
	OK(pthread_rwlock_wrlock(&lock));
	OK(pthread_rwlock_unlock(&lock));
}

static void *waiting_thread(void *arg)
{
	tell_tid(&tid);
	reader();
	reach(1);
	await(2);
	tell_tid(&tid);
	writer();
	reach(3);
	await(4);
	tell_tid(&tid);
	writer();
	reach(5);
	return arg;
}

static void *second_reader(void *arg)
{
	OK(pthread_rwlock_rdlock(&lock));
	reach(2);
	AWAIT_ASLEEP_ON(&tid, &lock);
	await_at_least(&first_left, 1);
	OK(pthread_rwlock_unlock(&lock));
	await(3);
	return arg;
}

static void unlock_of_writer(void)
{
	AWAIT_ASLEEP_ON(&tid, &lock);
	atomic_store(&tid, 0);
	OK(pthread_rwlock_unlock(&lock));
}

int main(void)
{
	pthread_t waiting;
	pthread_t second;

	OK(pthread_rwlock_wrlock(&lock));
	OK(pthread_create(&waiting, NULL, waiting_thread, NULL));
	unlock_of_writer();
	await(1);

	/* Of the two readers the second leaves last. */
	OK(pthread_rwlock_rdlock(&lock));
	OK(pthread_create(&second, NULL, second_reader, NULL));
	await(2);
	OK(pthread_rwlock_unlock(&lock));
	atomic_store(&first_left, 1);
	await(3);
	join_ended(second);

	atomic_store(&tid, 0);
	OK(pthread_rwlock_wrlock(&lock));
	reach(4);
	unlock_of_writer();
	await(5);
	join_ended(waiting);
	OK(pthread_rwlock_destroy(&lock));
	puts("read and written");
	return 0;
}
