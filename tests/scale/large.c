/*
 * Much of one thing: large stacks N DEPTH [WAYS] | objects FOLDER N | rounds SECONDS. It knows
 * nothing of gtrace, and says how much memory it took at most.
 *
 * stacks: two threads make N calls, each from another path through DEPTH frames (2 ways in each),
 * or by turns from so many of them. objects: each of N shared objects is opened, and waited in,
 * every fifth closed at once; then, after two seconds, every third of the others is closed, opened
 * again, and waited in again. rounds: two threads hand a turn to each other.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void check(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "large: %s\n", what);
		exit(1);
	}
}

/* --- Stacks ----------------------------------------------------------------------------------- */

static int zero;

/* Each of the two calls is one of its own, and none is a jump. */
#define KEEP(result) __asm__ volatile("" : "+r"(result))

static __attribute__((noinline)) long leaf(void)
{
	char byte;
	long n = read(zero, &byte, 1);

	KEEP(n);
	return n;
}

static __attribute__((noinline)) long descend(unsigned depth, unsigned long way)
{
	long n;

	if (depth == 0) {
		n = leaf();
	} else if (way & 1) {
		n = descend(depth - 1, way >> 1);
		__asm__ volatile("nop" : "+r"(n));
	} else {
		n = descend(depth - 1, way >> 1);
	}
	KEEP(n);
	return n;
}

struct part {
	unsigned long from;
	unsigned long to;
	unsigned long ways;
	unsigned depth;
};

static void *walk_all(void *arg)
{
	const struct part *p = arg;

	for (unsigned long way = p->from; way < p->to; way++) {
		check(descend(p->depth, way % p->ways) == 1, "read");
	}
	return NULL;
}

static void stacks(unsigned long n, unsigned depth, unsigned long ways)
{
	struct part parts[2] = {{0, n / 2, ways, depth}, {n / 2, n, ways, depth}};
	pthread_t threads[2];

	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		check(!pthread_create(&threads[i], NULL, walk_all, &parts[i]), "pthread_create");
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], NULL);
	}
	/* The trace goes on behind the storm. */
	for (int i = 0; i < 100; i++) {
		usleep(1000);
	}
}

/* --- Objects ---------------------------------------------------------------------------------- */

static sem_t to_main;
static sem_t to_other;
static atomic_bool over;

static void *other(void *arg)
{
	while (sem_wait(&to_other) == 0 && !over) {
		/* By then it waits. */
		usleep(20);
		sem_post(&to_main);
	}
	return arg;
}

static void *object_open(const char *folder, unsigned long i)
{
	char path[4096];
	void *object;

	snprintf(path, sizeof(path), "%s/object%05lu.so", folder, i);
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	check(object != NULL, path);
	return object;
}

static void object_wait(void *object)
{
	int (*run)(sem_t * mine, sem_t * yours);
	void *p = dlsym(object, "object_run");

	check(p != NULL, "dlsym");
	memcpy(&run, &p, sizeof(p));
	check(run(&to_main, &to_other) == 0, "sem_wait");
}

static void objects(const char *folder, unsigned long n)
{
	void **object = calloc(n, sizeof(*object));
	pthread_t thread;

	check(object && !pthread_create(&thread, NULL, other, NULL), "pthread_create");
	for (unsigned long i = 0; i < n; i++) {
		object[i] = object_open(folder, i);
		object_wait(object[i]);
		if (i % 5 == 4) {
			dlclose(object[i]);
		}
	}
	/* The generation ends, and all are named. */
	sleep(2);
	for (unsigned long i = 0; i < n; i += 3) {
		if (i % 5 != 4) {
			dlclose(object[i]);
		}
	}
	/* From the other end, so that other code comes to the places of what is gone. */
	for (unsigned long i = n; i-- > 0;) {
		if (i % 3 == 0 && i % 5 != 4) {
			object[i] = object_open(folder, i);
			object_wait(object[i]);
		}
	}
	over = true;
	sem_post(&to_other);
	pthread_join(thread, NULL);
}

/* --- Rounds ----------------------------------------------------------------------------------- */

static void *answer(void *arg)
{
	while (!over) {
		sem_wait(&to_other);
		sem_post(&to_main);
	}
	return arg;
}

static void rounds(double seconds)
{
	struct timespec begin;
	struct timespec now;
	pthread_t thread;

	check(!pthread_create(&thread, NULL, answer, NULL), "pthread_create");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	do {
		sem_post(&to_other);
		sem_wait(&to_main);
		usleep(200);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - begin.tv_sec) + (double)(now.tv_nsec - begin.tv_nsec) / 1e9 <
		 seconds);
	over = true;
	sem_post(&to_other);
	pthread_join(thread, NULL);
}

static void say_memory(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];

	check(f != NULL, "/proc/self/status");
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "VmHWM:", 6) == 0) {
			fputs(line, stdout);
		}
	}
	fclose(f);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	sem_init(&to_main, 0, 0);
	sem_init(&to_other, 0, 0);
	if (strcmp(what, "stacks") == 0 && (argc == 4 || argc == 5)) {
		stacks(strtoul(argv[2], NULL, 10), (unsigned)atoi(argv[3]),
		       argc == 5 ? strtoul(argv[4], NULL, 10) : ULONG_MAX);
	} else if (strcmp(what, "objects") == 0 && argc == 4) {
		objects(argv[2], strtoul(argv[3], NULL, 10));
	} else if (strcmp(what, "rounds") == 0 && argc == 3) {
		rounds(atof(argv[2]));
	} else {
		fprintf(stderr,
			"usage: large stacks N DEPTH [WAYS] | objects FOLDER N | rounds SECONDS\n");
		return 2;
	}
	say_memory();
	return 0;
}
