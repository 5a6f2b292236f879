/*
 * All ways to take a lock, mixed by luck: lock, trylock, timedlock, clocklock, conditions and C11
 * mutexes, on mutexes of all types, by threads that get signals meanwhile.
 *
 *	mix BURSTS [signals] [forks]
 *
 * A burst is 4 to 16 threads, each with so many actions. Who is left asleep by a lost wake-up is
 * woken by the next one that comes, so each burst ends: then everybody must be back, all counted,
 * and all locks free. Knows nothing of gtrace.
 */
#include <sched.h>
#include <sys/wait.h>
#include <threads.h>

#include "../programs/scene.h"

enum { FEWEST = 4, MOST = 16, ACTIONS = 250, MUTEXES = 4, C11 = 2 };
/* Looks at a burst, which takes some dozens: not seconds, a machine may rest. */
enum { HANGS = 200000 };
enum { TAINTED = 4711 }; /* an errno that none of the calls sets */

struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	atomic_int done; /* as often as counted */
	int counted;     /* under mutex */
	int inside;      /* under mutex: visits of it now */
};

struct c11 {
	mtx_t mutex;
	atomic_int done;
	int counted;
};

struct actor {
	pthread_t thread;
	unsigned seed;
	atomic_int action; /* for who looks at one that hangs */
};

static struct shared all[MUTEXES];
static struct c11 all_c11[C11];
static struct actor actors[MOST];
static pthread_mutex_t handlers_mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int busy; /* actors that have not ended */
static atomic_int handled;
static int burst;

/* How many threads the burst has. */
static int crew(void)
{
	return FEWEST + burst % (MOST - FEWEST + 1);
}

static unsigned luck(struct actor *a, unsigned below)
{
	a->seed = a->seed * 1103515245u + 12345u;
	return (a->seed >> 8) % below;
}

static struct timespec soon(clockid_t clock, unsigned ns)
{
	uint64_t at = clock_ns(clock) + ns;

	return (struct timespec){.tv_sec = (time_t)(at / 1000000000u),
				 .tv_nsec = (long)(at % 1000000000u)};
}

/* The mutex is held: nobody else may be here. */
static void visit(struct actor *a, struct shared *s)
{
	IS(s->inside++, 0);
	s->counted++;
	atomic_fetch_add(&s->done, 1);
	if (luck(a, 8) == 0) {
		sched_yield();
	}
	for (volatile unsigned n = luck(a, 300); n > 0; n--) {
	}
	s->inside--;
}

/* What came of an attempt: it was taken, or for that reason not. */
static void attempted(struct actor *a, struct shared *s, int err, int may_be)
{
	if (err) {
		IS(err, may_be);
		return;
	}
	visit(a, s);
	OK(pthread_mutex_unlock(&s->mutex));
}

static void locks(struct actor *a, struct shared *s)
{
	OK(pthread_mutex_lock(&s->mutex));
	visit(a, s);
	if (s == &all[1] && luck(a, 2)) { /* the recursive one */
		OK(pthread_mutex_lock(&s->mutex));
		visit(a, s);
		OK(pthread_mutex_unlock(&s->mutex));
	}
	OK(pthread_mutex_unlock(&s->mutex));
}

static void locks_in_time(struct actor *a, struct shared *s)
{
	clockid_t clock = luck(a, 2) ? CLOCK_MONOTONIC : CLOCK_REALTIME;
	struct timespec t = soon(CLOCK_REALTIME, luck(a, 200000));

	attempted(a, s, pthread_mutex_timedlock(&s->mutex, &t), ETIMEDOUT);
	t = soon(clock, luck(a, 200000));
	attempted(a, s, pthread_mutex_clocklock(&s->mutex, clock, &t), ETIMEDOUT);
}

/* Times that are none, or long past: looked at only by who would have to wait. */
static void locks_out_of_time(struct actor *a, struct shared *s)
{
	struct timespec none = {.tv_sec = 1, .tv_nsec = 1000000000};
	struct timespec past = {.tv_sec = -5};

	attempted(a, s, pthread_mutex_timedlock(&s->mutex, &none), EINVAL);
	attempted(a, s, pthread_mutex_timedlock(&s->mutex, &past), ETIMEDOUT);
}

static void waits(struct actor *a, struct shared *s)
{
	struct timespec t = soon(CLOCK_REALTIME, luck(a, 300000));
	int err;

	OK(pthread_mutex_lock(&s->mutex));
	visit(a, s);
	err = pthread_cond_timedwait(&s->cond, &s->mutex, &t);
	IS(err, err ? ETIMEDOUT : 0);
	visit(a, s);
	OK(pthread_mutex_unlock(&s->mutex));
}

static void counts_c11(struct c11 *c)
{
	c->counted++;
	atomic_fetch_add(&c->done, 1);
	OK(mtx_unlock(&c->mutex));
}

static void locks_c11(struct actor *a, struct c11 *c)
{
	struct timespec t = soon(CLOCK_REALTIME, 50000);
	int result;

	IS(mtx_lock(&c->mutex), thrd_success);
	if (luck(a, 4) == 0) {
		sched_yield();
	}
	counts_c11(c);
	if (luck(a, 10) == 0) {
		t.tv_nsec = -1;
	}
	result = mtx_timedlock(&c->mutex, &t);
	if (result == thrd_success) {
		counts_c11(c);
	} else {
		IS(result, t.tv_nsec < 0 ? thrd_error : thrd_timedout);
	}
}

static void acts(struct actor *a, int action)
{
	struct shared *s = &all[luck(a, MUTEXES)];

	switch (action) {
	case 0:
		attempted(a, s, pthread_mutex_trylock(&s->mutex), EBUSY);
		break;
	case 1:
		locks_in_time(a, s);
		break;
	case 2:
		locks_out_of_time(a, s);
		break;
	case 3:
	case 4:
		waits(a, s);
		break;
	case 5:
		OK(luck(a, 2) ? pthread_cond_signal(&s->cond) : pthread_cond_broadcast(&s->cond));
		break;
	case 6:
		locks_c11(a, &all_c11[luck(a, C11)]);
		break;
	case 7:
		/* The handler finds it taken by the thread that it runs on. */
		OK(pthread_mutex_lock(&handlers_mutex));
		OK(pthread_mutex_unlock(&handlers_mutex));
		break;
	default:
		locks(a, s);
	}
}

static void *act(void *arg)
{
	struct actor *a = arg;

	for (int i = 0; i < ACTIONS; i++) {
		atomic_store(&a->action, (int)luck(a, 12));
		errno = TAINTED;
		acts(a, atomic_load(&a->action));
		IS(errno, TAINTED);
	}
	atomic_store(&a->action, -1);
	atomic_fetch_sub(&busy, 1);
	return NULL;
}

static void on_signal(int signal)
{
	int saved = errno;
	struct timespec t;

	if (pthread_mutex_trylock(&handlers_mutex) == 0) {
		OK(pthread_mutex_unlock(&handlers_mutex));
	}
	if (atomic_fetch_add(&handled, signal == SIGUSR1) % 3 == 0) {
		t = soon(CLOCK_REALTIME, 20000);
		if (pthread_mutex_timedlock(&handlers_mutex, &t) == 0) {
			OK(pthread_mutex_unlock(&handlers_mutex));
		}
	}
	errno = saved;
}

static void give_up(void)
{
	dprintf(2, "mix: burst %d hangs; what the threads are at:", burst);
	for (int i = 0; i < crew(); i++) {
		dprintf(2, " %d", atomic_load(&actors[i].action));
	}
	dprintf(2, "\n");
	_exit(98);
}

static void fork_one(void)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		OK(pthread_mutex_lock(&mutex));
		OK(pthread_mutex_unlock(&mutex));
		_exit(3);
	}
	IS(waitpid(pid, &status, 0), pid);
	IS(status, 3 << 8);
}

/* Everybody is gone: what they have counted, and locks as they were made. */
static void check(void)
{
	for (int i = 0; i < MUTEXES; i++) {
		IS(all[i].counted, atomic_load(&all[i].done));
		/* Where glibc notes an owner, its users, and whether anybody may sleep. */
		IS(all[i].mutex.__data.__lock, 0);
		IS(all[i].mutex.__data.__owner, 0);
		IS((int)all[i].mutex.__data.__nusers, 0);
	}
	for (int i = 0; i < C11; i++) {
		IS(all_c11[i].counted, atomic_load(&all_c11[i].done));
	}
}

static int run_burst(bool signals, bool forks)
{
	int n = crew();

	atomic_store(&busy, n);
	for (int i = 0; i < n; i++) {
		actors[i].seed = (unsigned)(burst * MOST + i) * 7919u + 1;
		OK(pthread_create(&actors[i].thread, NULL, act, &actors[i]));
	}
	for (int round = 0; atomic_load(&busy) > 0; round++) {
		/* Only until the first has ended: a signal, too, wakes who was left asleep. */
		for (int i = 0; signals && atomic_load(&busy) == n && i < n; i++) {
			OK(pthread_kill(actors[i].thread, SIGUSR1));
		}
		if (forks && round % 8 == 0) {
			fork_one();
		}
		scene_pause(300);
		if (round == HANGS) {
			give_up();
		}
	}
	for (int i = 0; i < n; i++) {
		OK(pthread_join(actors[i].thread, NULL));
	}
	check();
	return n;
}

static void make_locks(void)
{
	static const int types[MUTEXES] = {PTHREAD_MUTEX_DEFAULT, PTHREAD_MUTEX_RECURSIVE,
					   PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ADAPTIVE_NP};
	pthread_mutexattr_t attr;

	OK(pthread_mutexattr_init(&attr));
	for (int i = 0; i < MUTEXES; i++) {
		OK(pthread_mutexattr_settype(&attr, types[i]));
		OK(pthread_mutex_init(&all[i].mutex, &attr));
		OK(pthread_cond_init(&all[i].cond, NULL));
	}
	IS(mtx_init(&all_c11[0].mutex, mtx_timed), thrd_success);
	IS(mtx_init(&all_c11[1].mutex, mtx_timed | mtx_recursive), thrd_success);
}

int main(int argc, char **argv)
{
	struct sigaction interrupt = {.sa_handler = on_signal}; /* no SA_RESTART */
	int bursts = argc > 1 ? atoi(argv[1]) : 0;
	bool signals = false;
	bool forks = false;
	long done = 0;

	for (int i = 2; i < argc; i++) {
		signals |= strcmp(argv[i], "signals") == 0;
		forks |= strcmp(argv[i], "forks") == 0;
	}
	if (bursts < 1) {
		fputs("usage: mix BURSTS [signals] [forks]\n", stderr);
		return 99;
	}
	OK(sigaction(SIGUSR1, &interrupt, NULL));
	make_locks();
	for (burst = 0; burst < bursts; burst++) {
		done += run_burst(signals, forks) * ACTIONS;
	}
	for (int i = 0; i < MUTEXES; i++) {
		OK(pthread_mutex_destroy(&all[i].mutex));
		OK(pthread_cond_destroy(&all[i].cond));
	}
	printf("mix %d: %ld actions, handlers ran: %s\n", bursts, done,
	       atomic_load(&handled) ? "yes" : "no");
	return 27;
}
