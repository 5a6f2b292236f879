/*
 * Description: many generations of round trips between two threads; then, by the argument, what a
 * trace cannot follow: "long" makes more of them, for a small disk, "file BYTES" limits the size of
 * files (from the beginning), "threads N" makes that many which all block at once, "exec" fails to
 * exec, "seccomp" forbids itself nearly all. Run by early, which says what it is to leave behind.
 */
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static sem_t ping, pong;
static volatile int over;
static pthread_barrier_t all;

static void *answer(void *arg)
{
	do {
		sem_wait(&ping);
		sem_post(&pong);
	} while (!over);
	return arg;
}

static void *meet(void *arg)
{
	pthread_barrier_wait(&all);
	return arg;
}

static void round_trips(double seconds)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		for (int i = 0; i < 100; i++) {
			sem_post(&ping);
			sem_wait(&pong);
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - begin.tv_sec) +
			 (double)(now.tv_nsec - begin.tv_nsec) * 1e-9 <
		 seconds);
}

static void crowd(unsigned n)
{
	pthread_t *threads = calloc(n, sizeof(*threads));
	unsigned made = 0;

	pthread_barrier_init(&all, NULL, n + 1);
	while (made < n && pthread_create(&threads[made], NULL, meet, NULL) == 0) {
		made++;
	}
	if (made == n) {
		pthread_barrier_wait(&all);
	}
	for (unsigned i = 0; i < made; i++) {
		pthread_join(threads[i], NULL);
	}
	free(threads);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	const unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	struct rlimit limit = {n, n};
	pthread_t thread;

	sem_init(&ping, 0, 0);
	sem_init(&pong, 0, 0);
	if (strcmp(what, "file") == 0 && setrlimit(RLIMIT_FSIZE, &limit) != 0) {
		return 1;
	}
	if (pthread_create(&thread, NULL, answer, NULL) != 0) {
		return 1;
	}
	round_trips(strcmp(what, "long") == 0 || strcmp(what, "file") == 0 ? 2 : 0.5);
	if (strcmp(what, "threads") == 0) {
		crowd((unsigned)n);
	} else if (strcmp(what, "exec") == 0) {
		char *const none[] = {NULL};

		execve(".", none, none); /* may be entered, and yet not be executed */
	} else if (strcmp(what, "seccomp") == 0) {
		over = 1;
		sem_post(&ping);
		pthread_join(thread, NULL);
		puts("went on");
		fflush(stdout);
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		syscall(SYS_exit, 0);
	}
	round_trips(0.1);
	puts("went on");
	return 0;
}
