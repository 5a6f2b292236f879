/*
 * Description: eight threads fight for rwlocks, semaphores, spin locks, a barrier, with signals.
 * Schedule: free
 * Expect: 100+ wait reason=rwlock
 * Expect: 100+ wait reason=sem
 * Expect: 100+ wait reason=barrier
 */
#include <semaphore.h>

#include "scene.h"

enum { N = 8, ROUNDS = 200 };

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_rwlock_t writers_first = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static pthread_spinlock_t spin;
static pthread_barrier_t barrier;
static sem_t free_slots;
static sem_t tokens;
static atomic_int handled;
static atomic_int serial;
static int value;
static int other;
static int spun;

static void handler(int signal)
{
	int saved = errno;

	atomic_fetch_add(&handled, signal == SIGUSR1);
	OK(sem_post(&tokens));
	OK(sem_trywait(&tokens) == 0 || errno == EAGAIN ? 0 : 1);
	errno = saved;
}

static void reads(pthread_rwlock_t *lock, const int *what)
{
	int before;

	OK(pthread_rwlock_rdlock(lock));
	before = *what;
	scene_pause(20);
	IS(*what, before);
	OK(pthread_rwlock_unlock(lock));
}

static void writes(pthread_rwlock_t *lock, int *what)
{
	OK(pthread_rwlock_wrlock(lock));
	++*what;
	scene_pause(20);
	OK(pthread_rwlock_unlock(lock));
}

static void times_out(void)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 0);
	int err = pthread_rwlock_timedwrlock(&rwlock, &t);

	if (err == 0) {
		OK(pthread_rwlock_unlock(&rwlock));
	} else {
		IS(err, ETIMEDOUT);
	}
}

static void takes_slot(void)
{
	while (sem_wait(&free_slots) != 0) {
		IS(errno, EINTR);
	}
	scene_pause(20);
	OK(sem_post(&free_slots));
}

static void spins(void)
{
	OK(pthread_spin_lock(&spin));
	spun++;
	OK(pthread_spin_unlock(&spin));
}

static void *fighter(void *arg)
{
	int self = *(int *)arg;

	for (int i = 0; i < ROUNDS; i++) {
		if ((i + self) % 4 == 0) {
			writes(&rwlock, &value);
			writes(&writers_first, &other);
		} else {
			reads(&rwlock, &value);
			reads(&writers_first, &other);
		}
		times_out();
		takes_slot();
		spins();
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
			atomic_fetch_add(&serial, 1);
		}
	}
	return NULL;
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler};
	pthread_t threads[N];
	int ids[N];
	int err;

	OK(sigaction(SIGUSR1, &action, NULL));
	OK(pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE));
	OK(pthread_barrier_init(&barrier, NULL, N));
	OK(sem_init(&free_slots, 0, 2));
	OK(sem_init(&tokens, 0, 0));
	for (int i = 0; i < N; i++) {
		ids[i] = i;
		OK(pthread_create(&threads[i], NULL, fighter, &ids[i]));
	}
	for (int i = 0; i < N; i++) {
		while ((err = pthread_tryjoin_np(threads[i], NULL)) == EBUSY) {
			OK(pthread_kill(threads[i], SIGUSR1));
			scene_pause(1000);
		}
		OK(err);
	}
	IS(serial, ROUNDS);
	IS(value, N * ROUNDS / 4);
	IS(other, N * ROUNDS / 4);
	IS(spun, N * ROUNDS);
	puts("fought");
	return 0;
}
