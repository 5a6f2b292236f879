/*
 * Description: four threads fight for one semaphore, or for one rwlock, each four hundred times.
 *
 * Who gives it back says so just before. A thread that could not have it at once tells on standard
 * error who that was last when it had it; truth compares.
 *
 *	truth_spent sem|rwlock
 */
#include <semaphore.h>
#include <stdbool.h>

#include "scene.h"

enum { N = 4, ROUNDS = 400 };

static sem_t sem;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static bool with_sem;
static atomic_int last;
static int told[N][ROUNDS];
static int ntold[N];

static bool tries(void)
{
	return with_sem ? sem_trywait(&sem) == 0 : pthread_rwlock_trywrlock(&rwlock) == 0;
}

static void waits(void)
{
	OK(with_sem ? sem_wait(&sem) : pthread_rwlock_wrlock(&rwlock));
}

static void gives_back(void)
{
	OK(with_sem ? sem_post(&sem) : pthread_rwlock_unlock(&rwlock));
}

static void play(int self)
{
	unsigned seed = (unsigned)self;

	for (int i = 0; i < ROUNDS; i++) {
		if (!tries()) {
			waits();
			told[self][ntold[self]++] = atomic_load(&last);
		}
		scene_pause(rand_r(&seed) % 200);
		atomic_store(&last, self);
		gives_back();
		scene_pause(rand_r(&seed) % 300);
	}
}

static void *zero(void *arg)
{
	play(0);
	return arg;
}

static void *one(void *arg)
{
	play(1);
	return arg;
}

static void *two(void *arg)
{
	play(2);
	return arg;
}

static void *three(void *arg)
{
	play(3);
	return arg;
}

int main(int argc, char **argv)
{
	static void *(*const starts[N])(void *) = {zero, one, two, three};
	static const char *const names[N] = {"zero", "one", "two", "three"};
	pthread_t threads[N];

	IS(argc, 2);
	with_sem = strcmp(argv[1], "sem") == 0;
	OK(sem_init(&sem, 0, 1));
	for (int i = 0; i < N; i++) {
		OK(pthread_create(&threads[i], NULL, starts[i], NULL));
	}
	for (int i = 0; i < N; i++) {
		join_ended(threads[i]);
		dprintf(2, "%s", names[i]);
		for (int k = 0; k < ntold[i]; k++) {
			dprintf(2, " %s", names[told[i][k]]);
		}
		dprintf(2, "\n");
	}
	return 0;
}
