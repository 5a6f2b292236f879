/*
 * What tracing really costs, in one process: seven of eight blocks of some ms go by the names that
 * a preloaded library has hooked, one straight into libc, and both kinds are compared an op.
 *
 * Two processes differ by more than the points that an overhead budget is about; two blocks beside
 * each other do not. The threads change over together, between two ops. Which one of eight goes
 * straight is drawn, lest it fall into step with whatever comes at its own times. What threads use
 * that are not the program's own (a tracer's) is taken apart, and belongs to all blocks.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "command.h"

#define LINE __attribute__((aligned(128)))

enum {
	BLOCK_NS = 4000000,
	GROUP = 8,   /* blocks, one of which goes straight */
	WINDOW = 16, /* groups that make one figure */
	WINDOWS_MAX = 256,
	THREADS_MAX = 2,
	TRACERS_MAX = 4,
};

/* What the rows call. */
/* clang-format off */
#define CALLS(C)                                                                    \
	C(pthread_mutex_lock) C(pthread_mutex_unlock)                               \
	C(pthread_cond_wait) C(pthread_cond_signal)                                 \
	C(sem_wait) C(sem_post)                                                     \
	C(pthread_rwlock_rdlock) C(pthread_rwlock_wrlock) C(pthread_rwlock_unlock)  \
	C(read) C(write) C(sched_yield)                                             \
	C(pthread_create) C(pthread_join) C(pthread_barrier_wait)
/* clang-format on */

#define C(name) __typeof__(&(name)) name;
struct calls {
	CALLS(C)
};
#undef C

#define C(name) .name = name,
static struct calls hooked = {CALLS(C)};
#undef C
static struct calls straight;

struct row {
	const char *name;
	/* n ops, as thread me; all threads of the row do as many. */
	void (*body)(const struct calls *c, unsigned me, uint64_t n);
	unsigned threads;
	int pin; /* all on one processor; else one each */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "detour: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void check(int ok, const char *what)
{
	if (!ok) {
		die(what);
	}
}

/* --- The rows, as in rows.c ------------------------------------------------------------------ */

static struct {
	LINE pthread_mutex_t mutex;
	volatile uint64_t count;
} own[THREADS_MAX] = {{.mutex = PTHREAD_MUTEX_INITIALIZER}, {.mutex = PTHREAD_MUTEX_INITIALIZER}},
  shared = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void mutex_own(const struct calls *c, unsigned me, uint64_t n)
{
	while (n-- > 0) {
		c->pthread_mutex_lock(&own[me].mutex);
		own[me].count++;
		c->pthread_mutex_unlock(&own[me].mutex);
	}
}

static void mutex_shared(const struct calls *c, unsigned me, uint64_t n)
{
	(void)me;
	while (n-- > 0) {
		c->pthread_mutex_lock(&shared.mutex);
		shared.count++;
		c->pthread_mutex_unlock(&shared.mutex);
	}
}

static LINE atomic_int held;

static void mutex_handoff(const struct calls *c, unsigned me, uint64_t n)
{
	const volatile int *word = &shared.mutex.__data.__lock;

	while (n-- > 0) {
		if (me == 0) {
			c->pthread_mutex_lock(&shared.mutex);
			atomic_store(&held, 1);
			while (*word != 2) {
				c->sched_yield();
			}
			c->pthread_mutex_unlock(&shared.mutex);
			while (atomic_load(&held)) {
				c->sched_yield();
			}
		} else {
			while (!atomic_load(&held)) {
				c->sched_yield();
			}
			c->pthread_mutex_lock(&shared.mutex);
			c->pthread_mutex_unlock(&shared.mutex);
			atomic_store(&held, 0);
		}
	}
}

static pthread_cond_t turn_cond[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static unsigned turn;

static void cond_pingpong(const struct calls *c, unsigned me, uint64_t n)
{
	c->pthread_mutex_lock(&shared.mutex);
	while (n-- > 0) {
		while (turn != me) {
			c->pthread_cond_wait(&turn_cond[me], &shared.mutex);
		}
		turn = !me;
		c->pthread_cond_signal(&turn_cond[!me]);
	}
	c->pthread_mutex_unlock(&shared.mutex);
}

static sem_t turn_sem[2];

static void sem_pingpong(const struct calls *c, unsigned me, uint64_t n)
{
	while (n-- > 0) {
		if (me == 0) {
			c->sem_post(&turn_sem[1]);
			c->sem_wait(&turn_sem[0]);
		} else {
			c->sem_wait(&turn_sem[1]);
			c->sem_post(&turn_sem[0]);
		}
	}
}

static int turn_pipe[2][2];

static void pipe_pingpong(const struct calls *c, unsigned me, uint64_t n)
{
	char byte = 0;

	while (n-- > 0) {
		if (me == 0) {
			check(c->write(turn_pipe[1][1], &byte, 1) == 1, "write");
			check(c->read(turn_pipe[0][0], &byte, 1) == 1, "read");
		} else {
			check(c->read(turn_pipe[1][0], &byte, 1) == 1, "read");
			check(c->write(turn_pipe[0][1], &byte, 1) == 1, "write");
		}
	}
}

static int zero;

static void read_zero(const struct calls *c, unsigned me, uint64_t n)
{
	char byte;

	(void)me;
	while (n-- > 0) {
		check(c->read(zero, &byte, 1) == 1, "read");
	}
}

static LINE pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void rwlock_mixed(const struct calls *c, unsigned me, uint64_t n)
{
	(void)me;
	while (n-- > 0) {
		if (n % 10 == 0) {
			c->pthread_rwlock_wrlock(&rwlock);
			shared.count++;
		} else {
			c->pthread_rwlock_rdlock(&rwlock);
		}
		c->pthread_rwlock_unlock(&rwlock);
	}
}

static void *empty(void *arg)
{
	return arg;
}

static void thread_churn(const struct calls *c, unsigned me, uint64_t n)
{
	(void)me;
	while (n-- > 0) {
		pthread_t thread;

		check(c->pthread_create(&thread, NULL, empty, NULL) == 0, "pthread_create");
		check(c->pthread_join(thread, NULL) == 0, "pthread_join");
	}
}

static const struct row rows[] = {
	{"mutex_handoff", mutex_handoff, 2, 1},    {"cond_pingpong_pin", cond_pingpong, 2, 1},
	{"sem_pingpong_pin", sem_pingpong, 2, 1},  {"pipe_pingpong_pin", pipe_pingpong, 2, 1},
	{"read_syscall", read_zero, 1, 0},         {"mutex_uncontended_t1", mutex_own, 1, 0},
	{"mutex_uncontended_t2", mutex_own, 2, 0}, {"rwlock_mixed", rwlock_mixed, 2, 0},
	{"rwlock_mixed_t1", rwlock_mixed, 1, 0},   {"mutex_contended_t2", mutex_shared, 2, 0},
	{"thread_churn_pin", thread_churn, 1, 1},
};

/* --- Time ------------------------------------------------------------------------------------ */

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	check(clock_gettime(clock, &t) == 0, "clock_gettime");
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* The row's threads; and those that are neither these nor the main one: a tracer's. */
static pid_t workers[THREADS_MAX];
static pid_t tracers[TRACERS_MAX];
static unsigned tracers_len;

static int is_ours(pid_t tid)
{
	return tid == getpid() || tid == workers[0] || tid == workers[1];
}

static void find_tracers(void)
{
	DIR *tasks = opendir("/proc/self/task");

	check(tasks != NULL, "/proc/self/task");
	for (struct dirent *d; (d = readdir(tasks)) != NULL;) {
		pid_t tid = (pid_t)strtol(d->d_name, NULL, 10);

		if (tid > 0 && !is_ours(tid) && tracers_len < TRACERS_MAX) {
			tracers[tracers_len++] = tid;
		}
	}
	closedir(tasks);
}

static uint64_t tracers_ns(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < tracers_len; i++) {
		/* The kernel's number for the processor time of a thread (CPUCLOCK_SCHED). */
		sum += clock_ns((clockid_t)((~(unsigned)tracers[i] << 3) | 6));
	}
	return sum;
}

/* --- Blocks ---------------------------------------------------------------------------------- */

enum kind { HOOKED, STRAIGHT, KINDS };

struct sum {
	uint64_t ns[KINDS]; /* processor time of the program's threads */
	uint64_t ops[KINDS];
	uint64_t tracer_ns;
};

static const struct row *row;
static pthread_barrier_t edge;
static cpu_set_t processors;

/* Written by thread 0, between two barriers. */
static const struct calls *way = &straight;
static uint64_t block_ops = 8;

static struct sum windows[WINDOWS_MAX];
static unsigned windows_len;

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
	check(sched_setaffinity(0, sizeof(one), &one) == 0, "sched_setaffinity");
}

/* All threads do a block; 0 ops is the sign to end. */
static int block(unsigned me)
{
	straight.pthread_barrier_wait(&edge);
	if (!block_ops) {
		return 0;
	}
	row->body(way, me, block_ops);
	straight.pthread_barrier_wait(&edge);
	return 1;
}

static void begin(unsigned me)
{
	workers[me] = (pid_t)syscall(SYS_gettid);
	use_processor(row->pin ? 0 : me);
}

static void *other(void *me)
{
	begin((unsigned)(uintptr_t)me);
	while (block((unsigned)(uintptr_t)me)) {
	}
	return NULL;
}

/*
 * How many ops take about as long as a block should: by processor time, since somebody else may
 * have the processor, and after the best of some blocks.
 */
static void calibrate(uint64_t ns)
{
	ns *= row->pin ? 1 : row->threads;
	for (;;) {
		uint64_t best = UINT64_MAX;

		for (int i = 0; i < 5; i++) {
			uint64_t began = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
			uint64_t took;

			block(0);
			took = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - began;
			best = took < best ? took : best;
		}
		if (best >= ns / 2) {
			block_ops = block_ops * ns / best + 1;
			return;
		}
		block_ops *= 2;
	}
}

static void measure(struct sum *s, unsigned *dice)
{
	for (int group = 0; group < WINDOW; group++) {
		unsigned drawn;

		*dice = *dice * 1664525 + 1013904223;
		drawn = (*dice >> 16) % GROUP;
		for (unsigned i = 0; i < GROUP; i++) {
			enum kind kind = i == drawn ? STRAIGHT : HOOKED;
			uint64_t tracer = tracers_ns();
			uint64_t began = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

			way = kind == STRAIGHT ? &straight : &hooked;
			block(0);
			began = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - began;
			tracer = tracers_ns() - tracer;
			s->ns[kind] += began > tracer ? began - tracer : 0;
			s->ops[kind] += block_ops;
			s->tracer_ns += tracer;
		}
	}
}

/* What tracing took of all: what the hooked blocks cost beyond the straight ones, and its threads.
 */
static double share(const struct sum *s)
{
	double op = (double)s->ns[STRAIGHT] / (double)s->ops[STRAIGHT];
	double cost = (double)s->ns[HOOKED] - op * (double)s->ops[HOOKED] + (double)s->tracer_ns;

	return cost / (double)(s->ns[HOOKED] + s->ns[STRAIGHT] + s->tracer_ns);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(void)
{
	double shares[WINDOWS_MAX];
	double op[KINDS];
	struct sum all = {{0}, {0}, 0};

	for (unsigned i = 0; i < windows_len; i++) {
		shares[i] = share(&windows[i]);
		for (int kind = 0; kind < KINDS; kind++) {
			all.ns[kind] += windows[i].ns[kind];
			all.ops[kind] += windows[i].ops[kind];
		}
		all.tracer_ns += windows[i].tracer_ns;
	}
	for (int kind = 0; kind < KINDS; kind++) {
		op[kind] = (double)all.ns[kind] / (double)all.ops[kind];
	}
	qsort(shares, windows_len, sizeof(*shares), by_size);
	printf("{\"row\": \"%s\", \"share\": %.6f, \"low\": %.6f, \"high\": %.6f, \"mean\": %.6f, "
	       "\"straight_ns\": %.2f, \"hooked_ns\": %.2f, \"tracer_ns\": %.2f, \"windows\": "
	       "%u}\n",
	       row->name, shares[windows_len / 2], shares[windows_len / 4],
	       shares[windows_len * 3 / 4], share(&all), op[STRAIGHT], op[HOOKED],
	       (double)all.tracer_ns / (double)(all.ops[HOOKED] + all.ops[STRAIGHT]), windows_len);
}

static void *first(void *seconds)
{
	double length = *(const double *)seconds;
	double block_ns = length < 1 ? BLOCK_NS * length : BLOCK_NS;
	uint64_t began;
	unsigned dice = 1;

	begin(0);
	calibrate((uint64_t)block_ns);
	find_tracers();
	/* By processor time: others may have the processors for a while. */
	began = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	length *= row->pin ? 1 : row->threads;
	do {
		measure(&windows[windows_len++], &dice);
	} while (windows_len < WINDOWS_MAX &&
		 (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - began) < length * 1e9);
	block_ops = 0;
	block(0);
	return NULL;
}

/* --- The command line ------------------------------------------------------------------------ */

static void find_libc(void)
{
	/* The whole of libc is behind it, in whichever of both files. */
	void *libc = dlopen("libpthread.so.0", RTLD_LAZY);

	if (!libc) {
		fprintf(stderr, "detour: %s\n", dlerror());
		exit(1);
	}
#define C(name)                                             \
	*(void **)&straight.name = dlsym(libc, #name);      \
	if (!straight.name) {                               \
		fprintf(stderr, "detour: %s\n", dlerror()); \
		exit(1);                                    \
	}
	CALLS(C)
#undef C
}

static void run(double seconds)
{
	pthread_t threads[THREADS_MAX];

	check(sem_init(&turn_sem[0], 0, 0) == 0 && sem_init(&turn_sem[1], 0, 0) == 0, "sem_init");
	check(pipe2(turn_pipe[0], O_CLOEXEC) == 0 && pipe2(turn_pipe[1], O_CLOEXEC) == 0, "pipe2");
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	check(zero >= 0, "/dev/zero");
	check(pthread_barrier_init(&edge, NULL, row->threads) == 0, "pthread_barrier_init");
	for (unsigned i = 0; i < row->threads; i++) {
		void *arg = i ? (void *)(uintptr_t)i : &seconds;

		check(pthread_create(&threads[i], NULL, i ? other : first, arg) == 0,
		      "pthread_create");
	}
	for (unsigned i = 0; i < row->threads; i++) {
		check(pthread_join(threads[i], NULL) == 0, "pthread_join");
	}
	print();
}

static void list(void)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		puts(rows[i].name);
	}
}

int main(int argc, char **argv)
{
	static const char usage[] = "usage: detour ROW [--seconds S]    one row (default 5 s)\n"
				    "       detour --list               names of rows\n";
	double seconds = 5;
	const char *name = bench_command(argc, argv, usage, list, 100, &seconds);

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		row = strcmp(rows[i].name, name) == 0 ? &rows[i] : row;
	}
	if (!row) {
		fprintf(stderr, "detour: no row \"%s\" (detour --list names them)\n", name);
		return 2;
	}
	check(sched_getaffinity(0, sizeof(processors), &processors) == 0, "sched_getaffinity");
	find_libc();
	run(seconds);
	return 0;
}
