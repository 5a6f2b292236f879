/*
 * Description: a program that waits in each of the ways that have a waker, with work between the
 * waits: what scripts/truth compares with the kernel's record.
 *
 *	primitives SECONDS
 *
 * A pool of threads takes jobs from a queue (mutex, condition variables) and enters them into a
 * table (rwlock) and a total (mutex); stages pass a token in a ring (semaphores, a bare futex); a
 * crew works in rounds (barrier); threads come and are joined. Prints "done".
 */
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WORKERS = 4, STAGES = 3, CREW = 3, ROOM = 16, TABLE = 64 };

static atomic_bool stop;
static _Thread_local volatile uint64_t sink; /* without it the work would be left out */

static uint64_t work(uint64_t x, unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	sink = x;
	return x;
}

/* --- A pool: mutexes, condition variables, a read-write lock ---------------------------------- */

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static pthread_cond_t emptied = PTHREAD_COND_INITIALIZER;
static uint64_t queue[ROOM];
static unsigned head;
static unsigned count;
static bool over;

static pthread_rwlock_t table_lock = PTHREAD_RWLOCK_INITIALIZER;
static uint64_t table[TABLE];
static pthread_mutex_t total_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t total;

static void *producer(void *arg)
{
	uint64_t x = 88172645463325252U;

	while (!stop) {
		x = work(x, 2000);
		pthread_mutex_lock(&queue_lock);
		while (count == ROOM) {
			pthread_cond_wait(&emptied, &queue_lock);
		}
		queue[(head + count++) % ROOM] = x;
		pthread_mutex_unlock(&queue_lock);
		pthread_cond_signal(&filled);
		if (x % 8 == 0) {
			usleep(300);
		}
	}
	pthread_mutex_lock(&queue_lock);
	over = true;
	pthread_cond_broadcast(&filled);
	pthread_mutex_unlock(&queue_lock);
	return arg;
}

static bool take(uint64_t *job)
{
	bool got;

	pthread_mutex_lock(&queue_lock);
	while (count == 0 && !over) {
		pthread_cond_wait(&filled, &queue_lock);
	}
	got = count != 0;
	if (got) {
		*job = queue[head];
		head = (head + 1) % ROOM;
		count--;
		pthread_cond_signal(&emptied);
	}
	pthread_mutex_unlock(&queue_lock);
	return got;
}

static void *worker(void *arg)
{
	uint64_t job;

	while (take(&job)) {
		uint64_t x = work(job, 10000 + job % 65536);

		if (x % 4 == 0) {
			pthread_rwlock_wrlock(&table_lock);
			table[x % TABLE] = work(x, 4000);
		} else {
			pthread_rwlock_rdlock(&table_lock);
			x += work(table[x % TABLE], 8000);
		}
		pthread_rwlock_unlock(&table_lock);
		pthread_mutex_lock(&total_lock);
		total += work(x, 8000);
		pthread_mutex_unlock(&total_lock);
	}
	return arg;
}

/* --- A ring: semaphores, and at its end a bare futex -------------------------------------------
 */

static sem_t tokens[STAGES];
static atomic_uint turn;

static void futex(atomic_uint *word, int op, unsigned value)
{
	syscall(SYS_futex, word, op | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void *stage(void *arg)
{
	unsigned n = (unsigned)(uintptr_t)arg;

	bool stops = false;

	while (!stops) {
		while (sem_wait(&tokens[n]) != 0) {
		}
		stops = stop;
		work(n + 1, 20000);
		if (n + 1 < STAGES) {
			sem_post(&tokens[n + 1]);
		} else {
			turn++;
			futex(&turn, FUTEX_WAKE, 1);
		}
	}
	return NULL;
}

static void *starter(void *arg)
{
	while (!stop) {
		unsigned now = turn;

		sem_post(&tokens[0]);
		while (turn == now) {
			futex(&turn, FUTEX_WAIT, now);
		}
	}
	sem_post(&tokens[0]);
	return arg;
}

/* --- A crew: a barrier; and threads that are joined --------------------------------------------
 */

static pthread_barrier_t round_end;
static bool crew_stops; /* what the last to arrive has seen of stop */

static void *crewman(void *arg)
{
	bool stops = false;

	while (!stops) {
		work((uintptr_t)arg + 1, 20000 * ((unsigned)(uintptr_t)arg + 1));
		if (pthread_barrier_wait(&round_end) == PTHREAD_BARRIER_SERIAL_THREAD) {
			crew_stops = stop;
		}
		pthread_barrier_wait(&round_end);
		stops = crew_stops;
	}
	return NULL;
}

static void *errand(void *arg)
{
	work((uintptr_t)arg, 50000);
	return arg;
}

static void *sender(void *arg)
{
	while (!stop) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, errand, arg) == 0) {
			pthread_join(thread, NULL);
		}
		usleep(500);
	}
	return arg;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 1;
	pthread_t threads[WORKERS + STAGES + CREW + 3];
	unsigned n = 0;

	pthread_barrier_init(&round_end, NULL, CREW);
	for (unsigned i = 0; i < STAGES; i++) {
		sem_init(&tokens[i], 0, 0);
	}
	for (uintptr_t i = 0; i < WORKERS; i++) {
		pthread_create(&threads[n++], NULL, worker, (void *)i);
	}
	for (uintptr_t i = 0; i < STAGES; i++) {
		pthread_create(&threads[n++], NULL, stage, (void *)i);
	}
	for (uintptr_t i = 0; i < CREW; i++) {
		pthread_create(&threads[n++], NULL, crewman, (void *)i);
	}
	pthread_create(&threads[n++], NULL, producer, NULL);
	pthread_create(&threads[n++], NULL, starter, NULL);
	pthread_create(&threads[n++], NULL, sender, NULL);
	usleep((useconds_t)(seconds * 1e6));
	stop = true;
	while (n) {
		pthread_join(threads[--n], NULL);
	}
	puts("done");
	return 0;
}
