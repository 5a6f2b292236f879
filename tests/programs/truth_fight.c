/*
 * Description: two threads fight for a mutex that each holds 0.3 ms at a time.
 *
 * truth_fight GAP: so many microseconds lie between a thread's unlock and its next lock.
 *
 * Each tells on standard error how long its locks took by its own clock; truth compares. There is
 * some doubt on a busy machine: where the kernel took the processor away, the lock took long
 * without any wait, or longer than its wait. So each gives two sums: of the locks in which it went
 * to sleep and nothing else happened, and of all those that took too long for a free mutex.
 */
#include "scene.h"

#include <sys/resource.h>

enum { ROUNDS = 1000, HOLD_NS = 300000, FREE_NS = 1000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t gap_ns;
static atomic_int finished;

struct fighter {
	uint64_t least;
	uint64_t most;
};

static void spin(uint64_t ns)
{
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + ns;

	while (clock_ns(CLOCK_MONOTONIC) < end) {
	}
}

static struct rusage usage(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u;
}

static void hold(struct fighter *f)
{
	struct rusage before = usage();
	uint64_t begin = clock_ns(CLOCK_MONOTONIC);

	OK(pthread_mutex_lock(&mutex));
	uint64_t took = clock_ns(CLOCK_MONOTONIC) - begin;
	struct rusage after = usage();
	if (after.ru_nvcsw > before.ru_nvcsw && after.ru_nivcsw == before.ru_nivcsw) {
		f->least += took;
	}
	if (took > FREE_NS) {
		f->most += took;
	}
	spin(HOLD_NS);
	OK(pthread_mutex_unlock(&mutex));
}

static void fight(struct fighter *f)
{
	for (int i = 0; i < ROUNDS; i++) {
		hold(f);
		spin(gap_ns);
	}
	/* Who has ended can no longer be named as the waker of the other. */
	atomic_fetch_add(&finished, 1);
	await_at_least(&finished, 2);
}

static void *left(void *arg)
{
	fight(arg);
	return NULL;
}

static void *right(void *arg)
{
	fight(arg);
	return NULL;
}

int main(int argc, char **argv)
{
	struct fighter fighters[2] = {0};
	pthread_t threads[2];

	gap_ns = argc > 1 ? strtoull(argv[1], NULL, 10) * 1000 : 0;
	OK(pthread_create(&threads[0], NULL, left, &fighters[0]));
	OK(pthread_create(&threads[1], NULL, right, &fighters[1]));
	join_ended(threads[0]);
	join_ended(threads[1]);
	for (int i = 0; i < 2; i++) {
		dprintf(2, "%s least_ns %llu most_ns %llu\n", i == 0 ? "left" : "right",
			(unsigned long long)fighters[i].least,
			(unsigned long long)fighters[i].most);
	}
	return 0;
}
