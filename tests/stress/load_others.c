/*
 * The load, the other half: read-write locks, spin locks, semaphores, barriers, routines that run
 * once, bare futexes; sockets; signals, cancellation, children.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

enum { TEAM = 3, ROUNDS = 4 };

/* --- The objects ------------------------------------------------------------------------ */

static pthread_rwlock_t shared_lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_spinlock_t spin_lock;

static void *rwlocker(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		struct timespec until = in_ns(CLOCK_REALTIME, roll(&r) % 300000);
		uint32_t how = roll(&r) % 8;
		int got = how == 0   ? pthread_rwlock_timedwrlock(&shared_lock, &until)
			  : how == 1 ? pthread_rwlock_timedrdlock(&shared_lock, &until)
			  : how == 2 ? pthread_rwlock_trywrlock(&shared_lock)
			  : how < 5  ? pthread_rwlock_wrlock(&shared_lock)
				     : pthread_rwlock_rdlock(&shared_lock);

		if (got == 0) {
			if (roll(&r) % 4 == 0) {
				usleep(roll(&r) % 200);
			}
			pthread_rwlock_unlock(&shared_lock);
		}
		pthread_spin_lock(&spin_lock);
		spin(roll(&r) % 300);
		pthread_spin_unlock(&spin_lock);
	}
	return NULL;
}

static sem_t items;

static void *poster(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		for (uint32_t n = roll(&r) % 4; n; n--) {
			sem_post(&items);
		}
		usleep(roll(&r) % 300);
	}
	return NULL;
}

static void *taker(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		struct timespec until = in_ns(CLOCK_REALTIME, roll(&r) % 500000);

		if (roll(&r) % 4 == 0) {
			sem_timedwait(&items, &until);
		} else if (roll(&r) % 4 == 0) {
			sem_trywait(&items);
		} else {
			sem_wait(&items);
		}
		spin(roll(&r) % 2000);
	}
	return NULL;
}

static pthread_barrier_t barrier;
static pthread_once_t once[ROUNDS];
static atomic_bool team_stops;

static void slow_routine(void)
{
	usleep(300);
}

/* A round is over for all at once: one of them decides, between two barriers, whether it is the
 * last. */
static void *member(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	for (unsigned round = 0; !team_stops; round++) {
		pthread_once(&once[round % ROUNDS], slow_routine);
		spin(roll(&r) % 3000);
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
			once[(round + 1) % ROUNDS] = PTHREAD_ONCE_INIT;
			team_stops = stop;
		}
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static _Atomic uint32_t words[2];

static long futex(_Atomic uint32_t *word, int operation, uint32_t value, const void *fourth,
		  _Atomic uint32_t *second, uint32_t sixth)
{
	return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, fourth, second,
		       sixth);
}

static void *futex_waiter(void *arg)
{
	const struct timespec most = {.tv_nsec = 2000000};
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		_Atomic uint32_t *word = &words[roll(&r) % 2];

		if (roll(&r) % 2) {
			futex(word, FUTEX_WAIT, *word, &most, NULL, 0);
		} else {
			struct timespec until = in_ns(CLOCK_MONOTONIC, 2000000);

			futex(word, FUTEX_WAIT_BITSET, *word, &until, NULL, 1u << roll(&r) % 2);
		}
	}
	return NULL;
}

static void *futex_waker(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		_Atomic uint32_t *word = &words[roll(&r) % 2];

		(*word)++;
		switch (roll(&r) % 4) {
		case 0:
			futex(word, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, 1);
			break;
		case 1:
			/* The fourth is a number here. */
			futex(&words[0], FUTEX_CMP_REQUEUE, 1, (const void *)1, &words[1],
			      words[0]);
			break;
		default:
			futex(word, FUTEX_WAKE, roll(&r) % 3, NULL, NULL, 0);
			break;
		}
		usleep(roll(&r) % 200);
	}
	return NULL;
}

/* --- Sockets, signals, cancellation, children ------------------------------------------------- */

static int sockets[2];
static int event;

static void *asker(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		struct pollfd p = {.fd = sockets[0], .events = POLLIN};
		uint64_t number = 1;
		char bytes[8];

		send(sockets[0], "question", 8, MSG_DONTWAIT);
		poll(&p, 1, (int)(roll(&r) % 3));
		recv(sockets[0], bytes, sizeof(bytes), MSG_DONTWAIT);
		if (write(event, &number, sizeof(number)) < 0) {
			break;
		}
		usleep(roll(&r) % 400);
	}
	return NULL;
}

static void *answerer(void *arg)
{
	struct epoll_event in = {.events = EPOLLIN};
	int set = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(set, EPOLL_CTL_ADD, sockets[1], &in);
	epoll_ctl(set, EPOLL_CTL_ADD, event, &in);
	while (!stop) {
		struct epoll_event got[2];
		uint64_t number;
		char bytes[8];

		epoll_wait(set, got, 2, 2);
		if (recv(sockets[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
			send(sockets[1], "answer", 6, MSG_DONTWAIT);
		}
		if (read(event, &number, sizeof(number)) < 0 && errno != EAGAIN) {
			break;
		}
	}
	close(set);
	return arg;
}

/* Jumps only out of what a handler may leave: calls that are safe in one. */
static _Thread_local volatile sig_atomic_t may_jump;
static _Thread_local sigjmp_buf back;
static _Thread_local volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	const struct timespec soon = {.tv_nsec = 50000};
	int saved = errno;
	char byte;

	(void)number;
	interrupted++;
	sem_post(&items);
	if (interrupted % 4 == 0) {
		nanosleep(&soon, NULL);
	}
	if (read(-1, &byte, 1) == 0) {
		abort();
	}
	if (interrupted % 64 == 0) {
		pid_t child = fork();

		if (child == 0) {
			_exit(0);
		}
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
		}
	}
	errno = saved;
	if (may_jump && interrupted % 2) {
		may_jump = 0;
		siglongjmp(back, 1);
	}
}

/* Interrupted in all that it does, and now and then it finds itself back at the beginning. */
static void *target(void *arg)
{
	static _Thread_local uint64_t state; /* what is on the stack is lost by the jump */

	state = start_state((uintptr_t)arg);
	sigsetjmp(back, 1);
	while (!stop) {
		const struct timespec time = {.tv_nsec = roll(&state) % 1000000};
		struct pollfd p = {.fd = -1};
		uint32_t how = roll(&state) % 8;

		may_jump = how < 4;
		if (how % 4 == 0) {
			nanosleep(&time, NULL);
		} else if (how % 4 == 1) {
			poll(&p, 1, (int)(roll(&state) % 3));
		} else if (how % 4 == 2) {
			getppid();
			syscall(SYS_getpriority, 0, 0);
		} else {
			sched_yield();
		}
		may_jump = 0;
		if (how == 7) {
			pthread_mutex_lock(&mutexes[0]);
			pthread_mutex_unlock(&mutexes[0]);
		}
	}
	return NULL;
}

static void *disturber(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);
	pthread_t victims[2];

	for (int i = 0; i < 2; i++) {
		if (pthread_create(&victims[i], NULL, target, (void *)(uintptr_t)(100 + i)) != 0) {
			abort();
		}
	}
	while (!stop) {
		pthread_kill(victims[roll(&r) % 2], SIGUSR1);
		usleep(100 + roll(&r) % 500);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(victims[i], NULL);
	}
	return NULL;
}

static void unlock(void *mutex)
{
	pthread_mutex_unlock(mutex);
}

static void *condemned(void *arg)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	uintptr_t how = (uintptr_t)arg % 4;
	sem_t none;

	if (how == 0) {
		for (;;) {
			pause();
		}
	} else if (how == 1) {
		sem_init(&none, 0, 0);
		sem_wait(&none);
	} else if (how == 2) {
		pthread_mutex_lock(&m);
		pthread_cleanup_push(unlock, &m);
		for (;;) {
			pthread_cond_wait(&never, &m);
		}
		pthread_cleanup_pop(1);
	} else {
		for (;;) {
			usleep(50);
		}
	}
	return NULL;
}

static void *canceller(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);
	sigset_t alarm;

	/* In a wait a cancellation may come at any instruction, of a handler too. */
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	while (!stop) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, condemned, (void *)(uintptr_t)roll(&r)) == 0) {
			usleep(roll(&r) % 1000);
			pthread_cancel(thread);
			join_somehow(thread, roll(&r));
		}
	}
	return NULL;
}

/* The frame of vfork's caller is used twice. */
static __attribute__((noinline)) pid_t make_child(bool with_vfork)
{
	pid_t child = with_vfork ? vfork() : fork();

	if (child == 0) {
		_exit(7);
	}
	return child;
}

static void *parent(void *arg)
{
	uint64_t r = start_state((uintptr_t)arg);

	while (!stop) {
		pid_t child = make_child(roll(&r) % 2);

		while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
		}
		usleep(2000);
	}
	return NULL;
}

/* --- All of them ------------------------------------------------------------------------------ */

void *(*const others[OTHERS])(void *) = {
	rwlocker,    rwlocker, rwlocker, poster,       taker,        taker,
	member,      member,   member,   futex_waiter, futex_waiter, futex_waiter,
	futex_waker, asker,    answerer, disturber,    canceller,    parent,
};

bool others_begin(void)
{
	struct sigaction on = {.sa_handler = on_signal};

	sigemptyset(&on.sa_mask);
	event = eventfd(0, EFD_NONBLOCK);
	return event >= 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) == 0 &&
	       sem_init(&items, 0, 0) == 0 &&
	       pthread_spin_init(&spin_lock, PTHREAD_PROCESS_PRIVATE) == 0 &&
	       pthread_barrier_init(&barrier, NULL, TEAM) == 0 &&
	       sigaction(SIGUSR1, &on, NULL) == 0;
}

void others_end(void)
{
	for (int i = 0; i < OTHERS; i++) {
		sem_post(&items);
	}
}
