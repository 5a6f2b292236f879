/*
 * Description: waiter waits for a mutex that holder has, ten times; meanwhile holder sends it a
 * signal, whose handler computes for 5 ms of processor time.
 *
 * Told on standard error, by waiter's own clock of processor time: what the handlers took at least,
 * and what the calls took at most, with all that is in them. truth compares.
 */
#include "scene.h"

enum { ROUNDS = 10, COMPUTE_NS = 5000000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;
static atomic_int computed;
static uint64_t least;
static uint64_t most;

static uint64_t used(void)
{
	struct timespec t;

	raw_syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, (long)&t, 0, 0);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void compute(int number)
{
	uint64_t begin = used();
	uint64_t now = begin;

	(void)number;
	while (now - begin < COMPUTE_NS) {
		now = used();
	}
	least += now - begin;
	atomic_fetch_add(&computed, 1);
}

static void waiter(void)
{
	uint64_t begin = used();

	OK(pthread_mutex_lock(&mutex));
	most += used() - begin;
	OK(pthread_mutex_unlock(&mutex));
}

static void *waiting_thread(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		await(2 * i + 1);
		tell_tid(&tid);
		waiter();
		reach(2 * i + 2);
	}
	return arg;
}

static void holder(int i)
{
	OK(pthread_mutex_lock(&mutex));
	reach(2 * i + 1);
	AWAIT_ASLEEP_ON(&tid, &mutex);
	raw_syscall(SYS_tgkill, getpid(), atomic_load(&tid), SIGUSR1, 0);
	await_at_least(&computed, i + 1);
	scene_pause(1000);
	OK(pthread_mutex_unlock(&mutex));
}

static void *holding_thread(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		await(2 * i);
		atomic_store(&tid, 0);
		holder(i);
	}
	return arg;
}

int main(void)
{
	struct sigaction on = {.sa_handler = compute};
	pthread_t threads[2];

	OK(sigaction(SIGUSR1, &on, NULL));
	OK(pthread_create(&threads[0], NULL, holding_thread, NULL));
	OK(pthread_create(&threads[1], NULL, waiting_thread, NULL));
	join_ended(threads[0]);
	join_ended(threads[1]);
	dprintf(2, "waiting_thread least_ns %llu most_ns %llu\n", (unsigned long long)least,
		(unsigned long long)most);
	return 0;
}
