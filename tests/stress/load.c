/*
 * Description: everything at once, for a given number of seconds: the load under which a trace must
 * stay valid (the list is that of the proof of the event model).
 *
 *	load SECONDS [SEED [half | leave]]
 *
 * Lockers fight for mutexes, read-write locks and spin locks; a producer and consumers use
 *condition variables, with and without holding the mutex when they signal, semaphores and bare
 *futexes, some of them requeued; a team meets at a barrier and at routines that run once; waits
 *time out; threads are created and joined in every way, also without pthread_create's hook, and
 *cancelled in waits and calls; readers, writers, sleepers, pollers make calls, on pipes and
 *sockets; signals interrupt waits and calls, and their handlers call hooks, fork, and jump out of
 *calls; children are made by fork and vfork; some yield, one burns processor time and is silent.
 * Prints nothing but "done" and a count that does not depend on the schedule. half: without the
 * threads of load_others.c, which leave generations hardly a moment of silence. leave: a signal's
 * handler does so and ends the process, in whatever the thread that it interrupts was at.
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <unistd.h>

#include "load.h"

atomic_bool stop;
static unsigned seed;

uint32_t roll(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*state >> 33);
}

uint64_t start_state(uintptr_t salt)
{
	return (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + salt;
}

struct timespec in_ns(clockid_t clock, long ns)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_nsec += ns;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

void spin(uint32_t n)
{
	for (volatile uint32_t i = 0; i < n; i++) {
	}
}

/* --- Mutexes ---------------------------------------------------------------------------------- */

pthread_mutex_t mutexes[MUTEXES];

static void *locker(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		pthread_mutex_t *m = &mutexes[roll(&r) % MUTEXES];
		uint32_t how = roll(&r) % 8;
		int got = 0;

		if (how == 0) {
			struct timespec until = in_ns(CLOCK_REALTIME, roll(&r) % 300000);

			got = pthread_mutex_timedlock(m, &until);
		} else if (how == 1) {
			struct timespec until = in_ns(CLOCK_MONOTONIC, roll(&r) % 300000);

			got = pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &until);
		} else if (how == 2) {
			got = pthread_mutex_trylock(m);
		} else {
			pthread_mutex_lock(m);
		}
		if (got == 0) {
			if (roll(&r) % 4 == 0) {
				usleep(roll(&r) % 200);
			} else {
				spin(roll(&r) % 2000);
			}
			pthread_mutex_unlock(m);
		}
	}
	return NULL;
}

/* --- Condition variables ---------------------------------------------------------------------- */

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_filled = PTHREAD_COND_INITIALIZER;
pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static unsigned queued;

static void *producer(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		uint32_t how = roll(&r) % 4;

		pthread_mutex_lock(&queue_lock);
		queued += 1 + how;
		if (how == 0) {
			pthread_cond_signal(&queue_filled);
		}
		pthread_mutex_unlock(&queue_lock);
		if (how == 1) {
			pthread_cond_signal(&queue_filled);
		} else if (how > 1) {
			pthread_cond_broadcast(&queue_filled);
		}
		usleep(roll(&r) % 400);
	}
	return NULL;
}

static void *consumer(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		pthread_mutex_lock(&queue_lock);
		while (queued == 0 && !stop) {
			struct timespec until = in_ns(CLOCK_MONOTONIC, 2000000);

			pthread_cond_clockwait(&queue_filled, &queue_lock, CLOCK_MONOTONIC, &until);
		}
		if (queued) {
			queued--;
		}
		pthread_mutex_unlock(&queue_lock);
		spin(roll(&r) % 3000);
	}
	return NULL;
}

static void *timer(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

	pthread_mutex_lock(&m);
	while (!stop) {
		struct timespec until = in_ns(CLOCK_REALTIME, roll(&r) % 1500000);

		pthread_cond_timedwait(&never, &m, &until);
	}
	pthread_mutex_unlock(&m);
	return NULL;
}

/* --- Life and death --------------------------------------------------------------------------- */

static void *brief(void *arg)
{
	uintptr_t v = (uintptr_t)arg;

	/*
	 * Itself: glibc's pthread_detach looks at the thread once more after it has let it go
	 * (2.36), when it and its stack may be gone.
	 */
	if (v % 8 == 0) {
		pthread_detach(pthread_self());
	}
	if (v % 3 == 0) {
		usleep(v % 700);
	} else if (v % 3 == 1) {
		pthread_mutex_lock(&mutexes[0]);
		pthread_mutex_unlock(&mutexes[0]);
	}
	if (v % 5 == 0) {
		pthread_setname_np(pthread_self(), "brief");
		pthread_exit(arg);
	}
	return arg;
}

void join_somehow(pthread_t thread, uint32_t how)
{
	int r = ETIMEDOUT;

	if (how % 4 == 1) {
		while (r != 0) {
			struct timespec until = in_ns(CLOCK_REALTIME, how % 300000);

			r = pthread_timedjoin_np(thread, NULL, &until);
		}
	} else if (how % 4 == 2) {
		while (r != 0) {
			struct timespec until = in_ns(CLOCK_MONOTONIC, how % 300000);

			r = pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until);
		}
	} else if (how % 4 == 3 && pthread_tryjoin_np(thread, NULL) == 0) {
		return;
	} else {
		pthread_join(thread, NULL);
	}
}

static void *churner(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		pthread_t threads[4];
		uintptr_t salts[4];
		int n = 0;

		for (; n < 4; n++) {
			salts[n] = roll(&r);
			if (pthread_create(&threads[n], NULL, brief, (void *)salts[n])) {
				break;
			}
		}
		for (int i = 0; i < n; i++) {
			if (salts[i] % 8) {
				join_somehow(threads[i], roll(&r));
			}
		}
	}
	return NULL;
}

/* Threads that the library does not see being created. */
static void *foreigner(void *arg)
{
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	uint64_t r = start_state((uintptr_t)arg);

	*(void **)&create = libc ? dlsym(libc, "pthread_create") : NULL;
	while (create && !stop) {
		pthread_t thread;

		if (create(&thread, NULL, brief, (void *)(uintptr_t)(roll(&r) / 24 * 24 + 1)) ==
		    0) {
			pthread_join(thread, NULL);
		}
		usleep(300);
	}
	return NULL;
}

/* --- System calls ----------------------------------------------------------------------------- */

static int pipe_ends[2];

static void *writer(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		char byte = 0;

		if (write(pipe_ends[1], &byte, 1) != 1) {
			break;
		}
		usleep(roll(&r) % 2500);
	}
	return NULL;
}

static void *reader(void *arg)
{
	(void)arg;
	while (!stop) {
		char bytes[4];

		if (read(pipe_ends[0], bytes, sizeof(bytes)) <= 0) {
			break;
		}
	}
	return NULL;
}

static void *sleeper(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		struct pollfd p = {.fd = -1};

		usleep(roll(&r) % 3000);
		poll(&p, 1, (int)(roll(&r) % 4));
	}
	return NULL;
}

static void *yielder(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		switch (roll(&r) % 3) {
		case 0:
			sched_yield();
			break;
		case 1:
			thrd_yield();
			break;
		default:
			syscall(SYS_sched_yield);
			break;
		}
		spin(roll(&r) % 5000);
		usleep(100);
	}
	return NULL;
}

static void *burner(void *arg)
{
	while (!stop) {
		spin(100000);
	}
	return arg;
}

static char done[16];

/* Nothing leads out of it: it cannot be interrupted, and no thread that is cancelled gets here. */
static void leave(int number)
{
	(void)number;
	if (write(1, done, strlen(done)) > 0) {
		_exit(0);
	}
}

/* In that time; any thread may get the signal but this one and those that are cancelled. */
static void leave_in(struct timespec time)
{
	struct sigaction on = {.sa_handler = leave};
	struct itimerval in = {.it_value = {time.tv_sec, time.tv_nsec / 1000}};
	sigset_t alarm;

	sigfillset(&on.sa_mask);
	sigaction(SIGALRM, &on, NULL);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	setitimer(ITIMER_REAL, &in, NULL);
	for (;;) {
		pause();
	}
}

int main(int argc, char **argv)
{
	static void *(*const kinds[])(void *) = {
		locker,   locker,  locker,  locker,  producer,  consumer, consumer,
		consumer, timer,   churner, churner, foreigner, writer,   reader,
		reader,   sleeper, sleeper, yielder, burner,
	};
	enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), N = KINDS + OTHERS };
	pthread_t threads[N];
	bool half = argc > 3 && strcmp(argv[3], "half") == 0;
	int n = half ? KINDS : N;
	double seconds = argc > 1 ? atof(argv[1]) : 1;
	struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

	seed = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	for (int i = 0; i < MUTEXES; i++) {
		pthread_mutex_init(&mutexes[i], NULL);
	}
	if (pipe(pipe_ends) != 0 || !others_begin()) {
		return 1;
	}
	for (int i = 0; i < n; i++) {
		if (pthread_create(&threads[i], NULL, i < KINDS ? kinds[i] : others[i - KINDS],
				   (void *)(uintptr_t)i) != 0) {
			return 1;
		}
		/* Each generation says it again. */
		pthread_setname_np(threads[i], i % 2 ? "one of many" : "another");
	}
	snprintf(done, sizeof(done), "done %d\n", n);
	if (argc > 3 && !half) {
		leave_in(left);
	}
	while (nanosleep(&left, &left) != 0) {
	}
	stop = true;
	/* Both readers may wait for a byte that nobody writes any more. */
	if (write(pipe_ends[1], "123456789", 9) != 9) {
		return 1;
	}
	pthread_mutex_lock(&queue_lock);
	pthread_cond_broadcast(&queue_filled);
	pthread_mutex_unlock(&queue_lock);
	others_end();
	for (int i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
	}
	fputs(done, stdout);
	return 0;
}
