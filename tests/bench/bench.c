/*
 * The benchmark program: one row a run, its cost per op on standard output as one line of JSON.
 *
 * A plain program that links libc alone and knows nothing of gtrace; scripts/bench runs it with and
 * without a tracer, in turn. The loop is repeated with a growing number of ops until it takes a
 * tenth of the wanted time and is then timed once at full length, so that a slow tracer does not
 * make a run long. The main thread is parked meanwhile: every row runs in a threaded process.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "rows.h"

enum {
	OPS_STEP = 8, /* every count of ops is a multiple of it: divisible by threads, and even */
	MEMORY_THREADS = 500,
	IDLE_THREADS = 10000,
	IDLE_STACK = 64 << 10,
	IDLE_LOOPS = 40, /* times as long as a timed loop: some generations of a tracer */
};

#define MEMORY_ROW "memory_per_thread"
#define IDLE_ROW   "idle_10000"

struct worker {
	const struct row *row;
	unsigned me;
	uint64_t n;
	double began, ended; /* seconds of CLOCK_MONOTONIC */
};

struct cost {
	double wall, cpu; /* seconds */
	double own;       /* rows_own_time */
};

static cpu_set_t processors;    /* what the process may use, before any thread is pinned */
static pthread_barrier_t start; /* all workers of a loop and the main thread */

static _Noreturn void die(const char *what, int err)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(err));
	exit(1);
}

static void check(int err, const char *what)
{
	if (err != 0) {
		die(what, err);
	}
}

static double wall_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu_now(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

/* Puts the calling thread on the i-th processor, counted round. */
static void use_processor(unsigned i)
{
	unsigned left = i % (unsigned)CPU_COUNT(&processors);
	size_t cpu = 0;
	cpu_set_t one;

	while (!CPU_ISSET(cpu, &processors) || left-- > 0) {
		cpu++;
	}
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one) != 0) {
		die("sched_setaffinity", errno);
	}
}

/* --- A timed loop -------------------------------------------------------------------------- */

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	if (w->row->place == PLACE_PIN) {
		use_processor(0);
	} else if (w->row->place == PLACE_SPREAD) {
		use_processor(w->me);
	}
	pthread_barrier_wait(&start);
	w->began = wall_now();
	w->row->body(w->row, w->me, w->n);
	w->ended = wall_now();
	return NULL;
}

/* Runs n ops; wall is from the first thread's begin to the last one's end. */
static struct cost run(const struct row *row, uint64_t n)
{
	struct worker workers[THREADS_MAX];
	pthread_t threads[THREADS_MAX];
	struct cost cost;

	check(pthread_barrier_init(&start, NULL, row->threads + 1), "pthread_barrier_init");
	for (unsigned i = 0; i < row->threads; i++) {
		workers[i] = (struct worker){
			.row = row,
			.me = i,
			.n = row->op == OP_DIVIDED ? n / row->threads : n,
		};
		check(pthread_create(&threads[i], NULL, worker_main, &workers[i]),
		      "pthread_create");
	}
	rows_own_time = 0;
	cost.cpu = cpu_now();
	pthread_barrier_wait(&start);

	double began = 0, ended = 0;

	for (unsigned i = 0; i < row->threads; i++) {
		check(pthread_join(threads[i], NULL), "pthread_join");
		began = i == 0 || workers[i].began < began ? workers[i].began : began;
		ended = workers[i].ended > ended ? workers[i].ended : ended;
	}
	cost.cpu = cpu_now() - cost.cpu;
	cost.wall = ended - began;
	cost.own = rows_own_time;
	pthread_barrier_destroy(&start);
	return cost;
}

static void bench(const struct row *row, double seconds)
{
	uint64_t n = OPS_STEP, all = 0;
	struct cost cost;

	for (;;) {
		cost = run(row, n);
		all += n;
		if (cost.wall >= seconds / 10) {
			break;
		}
		n *= 2;
	}

	/* Twice: the first ops may have paid for what a tracer does once, and say too little. */
	for (int again = 0; again < 2; again++) {
		uint64_t ops = (uint64_t)((double)n * seconds / cost.wall) / OPS_STEP * OPS_STEP;

		if (ops <= n + n / 2) { /* or one op is so slow that this loop has to do */
			break;
		}
		n = ops;
		cost = run(row, n);
		all += n;
	}
	if (cost.own > 0) {
		cost.wall = cost.cpu = cost.own;
	}
	printf("{\"row\": \"%s\", \"unit\": \"ns/op\", \"wall\": %.6g, \"cpu\": %.6g, "
	       "\"ops\": %llu, \"all_ops\": %llu}\n",
	       row->name, cost.wall / (double)n * 1e9, cost.cpu / (double)n * 1e9,
	       (unsigned long long)n, (unsigned long long)all);
}

/* --- Many threads ------------------------------------------------------------------------- */

static pthread_mutex_t parked_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t parked_one = PTHREAD_COND_INITIALIZER; /* to the main thread */
static pthread_cond_t leave = PTHREAD_COND_INITIALIZER;      /* to the parked threads */
static unsigned parked;
static int may_leave;

static void *park(void *arg)
{
	pthread_mutex_lock(&parked_mutex);
	parked++;
	pthread_cond_signal(&parked_one);
	while (!may_leave) {
		pthread_cond_wait(&leave, &parked_mutex);
	}
	pthread_mutex_unlock(&parked_mutex);
	return arg;
}

/* Resident bytes of the process, mapped files included. */
static double resident(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long size, pages;

	if (!f || fscanf(f, "%lu %lu", &size, &pages) != 2) {
		die("/proc/self/statm", errno);
	}
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* One more thread that will park. */
static pthread_t park_one(const pthread_attr_t *attr)
{
	pthread_t thread;

	check(pthread_create(&thread, attr, park, NULL), "pthread_create");
	return thread;
}

static void await_parked(unsigned n)
{
	pthread_mutex_lock(&parked_mutex);
	while (parked < n) {
		pthread_cond_wait(&parked_one, &parked_mutex);
	}
	pthread_mutex_unlock(&parked_mutex);
}

static void release_parked(const pthread_t *threads, unsigned n)
{
	pthread_mutex_lock(&parked_mutex);
	may_leave = 1;
	pthread_cond_broadcast(&leave);
	pthread_mutex_unlock(&parked_mutex);
	for (unsigned i = 0; i < n; i++) {
		check(pthread_join(threads[i], NULL), "pthread_join");
	}
}

static void bench_memory(void)
{
	static pthread_t threads[MEMORY_THREADS];
	double before = 0, after;

	for (unsigned i = 0; i < MEMORY_THREADS; i++) {
		if (i == 1) { /* the first pays for what there is only once */
			before = resident();
		}
		threads[i] = park_one(NULL);
		await_parked(i + 1);
	}
	after = resident();
	release_parked(threads, MEMORY_THREADS);
	printf("{\"row\": \"" MEMORY_ROW "\", \"unit\": \"B/thread\", \"wall\": %.6g, "
	       "\"ops\": %d, \"all_ops\": %d}\n",
	       (after - before) / (MEMORY_THREADS - 1), MEMORY_THREADS, MEMORY_THREADS);
}

/* All threads wait: what time the processors spend is that of somebody who looks after them. */
static void bench_idle(double seconds)
{
	static pthread_t threads[IDLE_THREADS];
	double idle = IDLE_LOOPS * seconds;
	struct timespec pause = {.tv_sec = (time_t)idle,
				 .tv_nsec = (long)((idle - (double)(time_t)idle) * 1e9)};
	pthread_attr_t attr;
	double wall, cpu;

	check(pthread_attr_init(&attr), "pthread_attr_init");
	check(pthread_attr_setstacksize(&attr, IDLE_STACK), "pthread_attr_setstacksize");
	for (unsigned i = 0; i < IDLE_THREADS; i++) {
		threads[i] = park_one(&attr);
	}
	await_parked(IDLE_THREADS);
	wall = wall_now();
	cpu = cpu_now();
	while (nanosleep(&pause, &pause) != 0) {
	}
	wall = wall_now() - wall;
	cpu = cpu_now() - cpu;
	release_parked(threads, IDLE_THREADS);
	pthread_attr_destroy(&attr);
	printf("{\"row\": \"" IDLE_ROW "\", \"unit\": \"us/s\", \"wall\": %.6g, \"cpu\": %.6g, "
	       "\"ops\": 1, \"all_ops\": 1}\n",
	       cpu / wall * 1e6, cpu / wall * 1e6);
}

/* --- The command line ---------------------------------------------------------------------- */

static void list(void)
{
	for (unsigned i = 0; i < rows_len; i++) {
		printf("%s\t%s\n", rows[i].name, rows[i].doc);
	}
	printf(MEMORY_ROW "\tresident bytes a live thread adds to the process\n");
	printf(IDLE_ROW "\tprocessor time in a second in which 10,000 threads wait\n");
}

static int run_row(const char *name, double seconds)
{
	if (strcmp(name, MEMORY_ROW) == 0) {
		bench_memory();
		return 0;
	}
	if (strcmp(name, IDLE_ROW) == 0) {
		bench_idle(seconds);
		return 0;
	}
	for (unsigned i = 0; i < rows_len; i++) {
		if (strcmp(name, rows[i].name) == 0) {
			bench(&rows[i], seconds);
			return 0;
		}
	}
	fprintf(stderr, "bench: no row \"%s\" (bench --list names them)\n", name);
	return 2;
}

int main(int argc, char **argv)
{
	static const char usage[] =
		"usage: bench ROW [--seconds S]    time one row (default 0.15 s)\n"
		"       bench --list               name and meaning of each row\n";
	double seconds = 0.15;
	const char *name = bench_command(argc, argv, usage, list, 60, &seconds);

	if (sched_getaffinity(0, sizeof(processors), &processors) != 0) {
		die("sched_getaffinity", errno);
	}
	return run_row(name, seconds);
}
