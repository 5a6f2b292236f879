/*
 * The loops of the benchmark, one per kind of synchronisation.
 *
 * Every body leaves the shared state as it found it, so that it can be run again with another n.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "rows.h"

#define LINE     __attribute__((aligned(128))) /* the prefetcher takes two lines together */
#define NOINLINE __attribute__((noinline))

/* Which build this is: the rows below many frames exist in both. */
#ifdef BENCH_NO_FRAME_POINTER
#define FP     "nofp"
#define FP_DOC " frames, built without frame pointers"
#else
#define FP     "fp"
#define FP_DOC " frames, built with frame pointers"
#endif

static void check(int rc, const char *what)
{
	if (rc != 0) {
		errno = rc > 0 ? rc : errno;
		perror(what);
		exit(1);
	}
}

/* --- Mutexes ------------------------------------------------------------------------------- */

static struct {
	LINE pthread_mutex_t mutex;
	volatile uint64_t count; /* what the mutex protects */
} own[THREADS_MAX] =
	{
		{.mutex = PTHREAD_MUTEX_INITIALIZER},
		{.mutex = PTHREAD_MUTEX_INITIALIZER},
		{.mutex = PTHREAD_MUTEX_INITIALIZER},
		{.mutex = PTHREAD_MUTEX_INITIALIZER},
},
  shared = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void mutex_own(const struct row *row, unsigned me, uint64_t n)
{
	(void)row;
	while (n-- > 0) {
		pthread_mutex_lock(&own[me].mutex);
		own[me].count++;
		pthread_mutex_unlock(&own[me].mutex);
	}
}

static void mutex_shared(const struct row *row, unsigned me, uint64_t n)
{
	(void)row;
	(void)me;
	while (n-- > 0) {
		pthread_mutex_lock(&shared.mutex);
		shared.count++;
		pthread_mutex_unlock(&shared.mutex);
	}
}

/* About 0.1 us: a chain of multiplications that the compiler cannot shorten. */
static uint64_t work(uint64_t x)
{
	for (int i = 0; i < 64; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		__asm__ volatile("" : "+r"(x));
	}
	return x;
}

static void mutex_work(const struct row *row, unsigned me, uint64_t n)
{
	uint64_t x = me;

	(void)row;
	while (n-- > 0) {
		pthread_mutex_lock(&shared.mutex);
		shared.count = work(shared.count);
		pthread_mutex_unlock(&shared.mutex);
		x = work(x);
	}
}

/*
 * Two ops a round: thread 0 locks a free mutex, thread 1 locks it while it is held. Thread 0 lets
 * go only once the lock word says that somebody waits (2 in glibc), and does not lock again before
 * thread 1 is done, so that exactly one lock of the two blocks, whatever the tracer adds.
 */
static LINE atomic_int handoff_held;

static void handoff(unsigned me, uint64_t n)
{
	const volatile int *word = &shared.mutex.__data.__lock;

	for (uint64_t round = 0; round < n / 2; round++) {
		if (me == 0) {
			pthread_mutex_lock(&shared.mutex);
			atomic_store(&handoff_held, 1);
			while (*word != 2) {
				sched_yield();
			}
			pthread_mutex_unlock(&shared.mutex);
			while (atomic_load(&handoff_held)) {
				sched_yield();
			}
		} else {
			while (!atomic_load(&handoff_held)) {
				sched_yield();
			}
			pthread_mutex_lock(&shared.mutex);
			pthread_mutex_unlock(&shared.mutex);
			atomic_store(&handoff_held, 0);
		}
	}
}

static NOINLINE void descend(unsigned depth, unsigned me, uint64_t n)
{
	if (depth > 1) {
		descend(depth - 1, me, n);
	} else {
		handoff(me, n);
	}
	__asm__ volatile(""); /* not a tail call: the frame has to stay */
}

static void mutex_handoff(const struct row *row, unsigned me, uint64_t n)
{
	if (row->depth > 0) {
		descend(row->depth, me, n);
	} else {
		handoff(me, n);
	}
}

/* --- Other primitives ---------------------------------------------------------------------- */

static LINE pthread_mutex_t turn_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_cond[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static unsigned turn;

static void cond_pingpong(const struct row *row, unsigned me, uint64_t n)
{
	(void)row;
	pthread_mutex_lock(&turn_mutex);
	while (n-- > 0) {
		while (turn != me) {
			pthread_cond_wait(&turn_cond[me], &turn_mutex);
		}
		turn = !me;
		pthread_cond_signal(&turn_cond[!me]);
	}
	pthread_mutex_unlock(&turn_mutex);
}

static sem_t turn_sem[2];
static pthread_once_t turn_sem_once = PTHREAD_ONCE_INIT;

static void init_turn_sem(void)
{
	check(sem_init(&turn_sem[0], 0, 0), "sem_init");
	check(sem_init(&turn_sem[1], 0, 0), "sem_init");
}

static void sem_pingpong(const struct row *row, unsigned me, uint64_t n)
{
	(void)row;
	pthread_once(&turn_sem_once, init_turn_sem);
	while (n-- > 0) {
		if (me == 0) {
			sem_post(&turn_sem[1]);
			sem_wait(&turn_sem[0]);
		} else {
			sem_wait(&turn_sem[1]);
			sem_post(&turn_sem[0]);
		}
	}
}

static int turn_pipe[2][2];
static pthread_once_t turn_pipe_once = PTHREAD_ONCE_INIT;

static void init_turn_pipe(void)
{
	check(pipe2(turn_pipe[0], O_CLOEXEC), "pipe2");
	check(pipe2(turn_pipe[1], O_CLOEXEC), "pipe2");
}

static void put(int fd)
{
	check(write(fd, "x", 1) == 1 ? 0 : -1, "write");
}

static void get(int fd)
{
	char c;

	check(read(fd, &c, 1) == 1 ? 0 : -1, "read");
}

static void pipe_pingpong(const struct row *row, unsigned me, uint64_t n)
{
	(void)row;
	pthread_once(&turn_pipe_once, init_turn_pipe);
	while (n-- > 0) {
		if (me == 0) {
			put(turn_pipe[1][1]);
			get(turn_pipe[0][0]);
		} else {
			get(turn_pipe[1][0]);
			put(turn_pipe[0][1]);
		}
	}
}

static void read_syscall(const struct row *row, unsigned me, uint64_t n)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)row;
	(void)me;
	check(fd >= 0 ? 0 : -1, "/dev/zero");
	while (n-- > 0) {
		get(fd);
	}
	close(fd);
}

double rows_own_time;

/*
 * Between two calls goes as much data through the caches as a server touches from one to the next:
 * what the tracer wants of its own is not in the second cache any more. The calls alone are timed.
 */
static void read_cold(const struct row *row, unsigned me, uint64_t n)
{
	enum { OTHERS = 1 << 20 };
	static unsigned char others[OTHERS] __attribute__((aligned(64)));
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	(void)row;
	(void)me;
	check(fd >= 0 ? 0 : -1, "/dev/zero");
	while (n-- > 0) {
		struct timespec from, to;

		for (unsigned i = 0; i < OTHERS; i += 64) {
			others[i]++;
		}
		clock_gettime(CLOCK_MONOTONIC, &from);
		get(fd);
		clock_gettime(CLOCK_MONOTONIC, &to);
		rows_own_time += (double)(to.tv_sec - from.tv_sec) +
				 (double)(to.tv_nsec - from.tv_nsec) * 1e-9;
	}
	close(fd);
}

/*
 * One op is one call, eight kinds of them in turn, none of which blocks: bytes that are there, room
 * that is there, descriptors that are ready.
 */
static void syscall_mix(const struct row *row, unsigned me, uint64_t n)
{
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int ends[2];
	char c = 0;

	(void)row;
	(void)me;
	check(zero >= 0 && epoll >= 0 ? 0 : -1, "/dev/zero, epoll");
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");

	struct epoll_event event = {.events = EPOLLOUT};
	struct pollfd ready = {.fd = ends[0], .events = POLLOUT};

	check(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event), "epoll_ctl");
	for (; n > 0; n -= n < 8 ? n : 8) {
		get(zero);
		put(zero);
		check(pread(zero, &c, 1, 0) == 1 ? 0 : -1, "pread");
		check(pwrite(zero, &c, 1, 0) == 1 ? 0 : -1, "pwrite");
		check(poll(&ready, 1, -1) == 1 ? 0 : -1, "poll");
		check(epoll_wait(epoll, &event, 1, -1) == 1 ? 0 : -1, "epoll_wait");
		check(send(ends[0], &c, 1, 0) == 1 ? 0 : -1, "send");
		check(recv(ends[1], &c, 1, 0) == 1 ? 0 : -1, "recv");
	}
	close(ends[0]);
	close(ends[1]);
	close(epoll);
	close(zero);
}

static void rwlock_ops(pthread_rwlock_t *lock, volatile uint64_t *count, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		if (i % 10 == 0) {
			pthread_rwlock_wrlock(lock);
			(*count)++;
		} else {
			pthread_rwlock_rdlock(lock);
		}
		pthread_rwlock_unlock(lock);
	}
}

static void rwlock_write(const struct row *row, unsigned me, uint64_t n)
{
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

	(void)row;
	for (uint64_t i = 0; i < n; i++) {
		pthread_rwlock_wrlock(&lock);
		own[me].count++;
		pthread_rwlock_unlock(&lock);
	}
	pthread_rwlock_destroy(&lock);
}

static LINE pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void rwlock_mixed(const struct row *row, unsigned me, uint64_t n)
{
	(void)row;
	(void)me;
	rwlock_ops(&rwlock, &shared.count, n);
}

static void rwlock_own(const struct row *row, unsigned me, uint64_t n)
{
	pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

	(void)row;
	rwlock_ops(&lock, &own[me].count, n);
	pthread_rwlock_destroy(&lock);
}

/* Blocks of 16 to 512 bytes, each freed when its place among 64 is taken again. */
static void malloc_free(const struct row *row, unsigned me, uint64_t n)
{
	void *blocks[64] = {0};
	uint32_t dice = me + 1;

	(void)row;
	while (n-- > 0) {
		dice = dice * 1664525 + 1013904223;

		void **place = &blocks[dice >> 26];

		free(*place);
		*place = malloc(16 + (dice >> 8) % 497);
		check(*place ? 0 : ENOMEM, "malloc");
		*(volatile char *)*place = 1;
	}
	for (unsigned i = 0; i < 64; i++) {
		free(blocks[i]);
	}
}

/* --- Threads ------------------------------------------------------------------------------- */

static void *empty(void *arg)
{
	return arg;
}

static void thread_churn(const struct row *row, unsigned me, uint64_t n)
{
	(void)row;
	(void)me;
	while (n-- > 0) {
		pthread_t thread;

		check(pthread_create(&thread, NULL, empty, NULL), "pthread_create");
		check(pthread_join(thread, NULL), "pthread_join");
	}
}

/* --- The list ------------------------------------------------------------------------------ */

#define HANDOFF "exactly one blocked lock in two ops"

const struct row rows[] = {
	{"mutex_uncontended_t1", "lock+unlock that nobody contends; a second thread is parked",
	 mutex_own, 1, PLACE_SPREAD, OP_EACH, 0},
	{"mutex_uncontended_t2", "the same in two threads, each with its own mutex", mutex_own, 2,
	 PLACE_SPREAD, OP_EACH, 0},
	{"mutex_handoff", HANDOFF ", on one processor", mutex_handoff, 2, PLACE_PIN, OP_EACH, 0},
	{"mutex_contended_t2", "two threads hammer one mutex", mutex_shared, 2, PLACE_SPREAD,
	 OP_DIVIDED, 0},
	{"mutex_contended_t4", "four threads hammer one mutex", mutex_shared, 4, PLACE_SPREAD,
	 OP_DIVIDED, 0},
	{"mutex_work_t2", "one mutex, 0.1 us of work inside the lock and as much outside",
	 mutex_work, 2, PLACE_SPREAD, OP_DIVIDED, 0},
	{"cond_pingpong_pin", "round trip: two blocked waits, two signals, on one processor",
	 cond_pingpong, 2, PLACE_PIN, OP_EACH, 0},
	{"cond_pingpong", "the same across processors: mostly wake-up latency", cond_pingpong, 2,
	 PLACE_SPREAD, OP_EACH, 0},
	{"thread_churn_pin", "create+join on one processor", thread_churn, 1, PLACE_PIN, OP_EACH,
	 0},
	{"thread_churn", "create+join where the kernel likes: bimodal", thread_churn, 1, PLACE_ANY,
	 OP_EACH, 0},
	{"deep5_" FP, HANDOFF ", below 5" FP_DOC, mutex_handoff, 2, PLACE_PIN, OP_EACH, 5},
	{"deep20_" FP, HANDOFF ", below 20" FP_DOC, mutex_handoff, 2, PLACE_PIN, OP_EACH, 20},
	{"deep60_" FP, HANDOFF ", below 60" FP_DOC, mutex_handoff, 2, PLACE_PIN, OP_EACH, 60},
	{"sem_pingpong_pin", "round trip: two blocked sem_waits, two posts, on one processor",
	 sem_pingpong, 2, PLACE_PIN, OP_EACH, 0},
	{"pipe_pingpong_pin", "round trip: two blocked reads, two writes, on one processor",
	 pipe_pingpong, 2, PLACE_PIN, OP_EACH, 0},
	{"read_syscall", "read of one byte of /dev/zero", read_syscall, 1, PLACE_SPREAD, OP_EACH,
	 0},
	{"read_cold", "the same, a MiB of other data between two of them", read_cold, 1,
	 PLACE_SPREAD, OP_EACH, 0},
	{"syscall_mix", "one of read, write, pread, pwrite, poll, epoll_wait, send, recv in turn",
	 syscall_mix, 1, PLACE_SPREAD, OP_EACH, 0},
	{"rwlock_uncontended", "lock+unlock that nobody contends, nine to read and one to write",
	 rwlock_own, 1, PLACE_SPREAD, OP_EACH, 0},
	{"rwlock_write", "lock+unlock to write that nobody contends", rwlock_write, 1, PLACE_SPREAD,
	 OP_EACH, 0},
	{"rwlock_mixed", "two threads, nine read locks to one write lock", rwlock_mixed, 2,
	 PLACE_SPREAD, OP_DIVIDED, 0},
	{"malloc_free", "free+malloc of 16 to 512 bytes in two threads: not traced", malloc_free, 2,
	 PLACE_SPREAD, OP_EACH, 0},
};
const unsigned rows_len = sizeof(rows) / sizeof(rows[0]);
