/*
 * Two threads each take the lock that the other one has. Says so when both have their first one.
 */
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t accounts = PTHREAD_MUTEX_INITIALIZER, journal = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static __attribute__((noinline)) void write_journal(void)
{
	pthread_mutex_lock(&journal);
	pthread_mutex_unlock(&journal);
}

static __attribute__((noinline)) void sum_accounts(void)
{
	pthread_mutex_lock(&accounts);
	pthread_mutex_unlock(&accounts);
}

static void *transfer(void *arg)
{
	pthread_mutex_lock(&accounts);
	pthread_barrier_wait(&both);
	write_journal();
	pthread_mutex_unlock(&accounts);
	return arg;
}

static void *audit(void *arg)
{
	pthread_mutex_lock(&journal);
	pthread_barrier_wait(&both);
	sum_accounts();
	pthread_mutex_unlock(&journal);
	return arg;
}

int main(void)
{
	pthread_t a, b;

	pthread_barrier_init(&both, NULL, 2);
	pthread_create(&a, NULL, transfer, NULL);
	pthread_create(&b, NULL, audit, NULL);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	return write(STDOUT_FILENO, "never\n", 6) != 6;
}
