/*
 * Threads that hand a mutex and a condition on to each other, and an allocator that counts.
 *
 *	load MILLISECONDS [fork | limit BYTES | leave | named]
 *
 * They do so for that time at least, and until there has been much to trace, which on a busy
 * machine takes longer. Prints how often malloc was called meanwhile: never, unless a tracer does.
 * fork: a child does the same first. limit: files are not to be longer, from main on.
 * leave: at its end two threads make others that live shortly. named: the threads have names, and
 * so has one that computes from then on, and one that sleeps.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, TURNS_A_MS = 40 };

void *__libc_malloc(size_t size);

static _Atomic unsigned long calls;

/* In place of libc's, for every object in the process. */
void *malloc(size_t size)
{
	calls++;
	return __libc_malloc(size);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static _Atomic unsigned turn;
static atomic_bool over, named;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void call_it(const char *name)
{
	if (named) {
		pthread_setname_np(pthread_self(), name);
	}
}

static void *computes(void *arg)
{
	call_it("computes");
	usleep(1000); /* so that its name is said */
	while (!over) {
	}
	return arg;
}

static void *sleeps(void *arg)
{
	call_it("sleeps");
	while (!over) {
		usleep(70000);
	}
	return arg;
}

static void *worker(void *me)
{
	static const char *const names[THREADS] = {"first", "second", "third", "fourth"};

	call_it(names[(size_t)me]);
	pthread_mutex_lock(&mutex);
	while (!over) {
		if (turn % THREADS == (unsigned)(size_t)me) {
			turn++;
			pthread_cond_broadcast(&turned);
		} else {
			pthread_cond_wait(&turned, &mutex);
		}
	}
	pthread_cond_broadcast(&turned);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static unsigned long run(double ms)
{
	const double until = now() + ms;
	const double last = turn + ms * TURNS_A_MS;
	pthread_t threads[THREADS];
	unsigned long before;

	over = false;
	for (size_t i = 0; i < THREADS; i++) {
		pthread_create(&threads[i], NULL, worker, (void *)i);
	}
	before = calls;
	while (now() < until || turn < last) {
		usleep(1000);
	}
	before = calls - before;
	over = true;
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	return before;
}

/* The same, and two threads beside. */
static unsigned long run_named(double ms)
{
	pthread_t beside[2];
	unsigned long n;

	named = true;
	pthread_create(&beside[0], NULL, computes, NULL);
	pthread_create(&beside[1], NULL, sleeps, NULL);
	n = run(ms);
	pthread_join(beside[0], NULL);
	pthread_join(beside[1], NULL);
	return n;
}

static void *nothing(void *arg)
{
	return arg;
}

static void *maker(void *arg)
{
	pthread_t thread;

	while (pthread_create(&thread, NULL, nothing, NULL) == 0) {
		pthread_join(thread, NULL);
	}
	return arg;
}

int main(int argc, char **argv)
{
	const double ms = argc > 1 ? atof(argv[1]) : 100;
	int status = 0;

	if (argc > 2 && strcmp(argv[2], "fork") == 0) {
		run(ms); /* the tracer is at work when it forks */
		if (fork() == 0) {
			printf("%lu\n", run(ms));
			fflush(stdout);
			_exit(0);
		}
		wait(&status);
	}
	if (argc > 3 && strcmp(argv[2], "limit") == 0) {
		const struct rlimit limit = {(rlim_t)atol(argv[3]), (rlim_t)atol(argv[3])};

		setrlimit(RLIMIT_FSIZE, &limit);
	}
	printf("%lu\n", argc > 2 && strcmp(argv[2], "named") == 0 ? run_named(ms) : run(ms));
	for (int i = 0; argc > 2 && strcmp(argv[2], "leave") == 0 && i < 2; i++) {
		pthread_t thread;

		pthread_create(&thread, NULL, maker, NULL);
	}
	usleep(10000);
	return status != 0;
}
