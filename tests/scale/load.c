/*
 * What the hooks are timed with: load SECONDS THREADS. Pairs of threads hand a turn to each other
 * by a condition variable, fight for one mutex, post a semaphore, read; one thread makes and joins
 * others all the time. It knows nothing of gtrace.
 */
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct pair {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	unsigned turn;
};

struct worker {
	pthread_t thread;
	struct pair *pair;
	unsigned me;
};

static atomic_bool over;
static pthread_mutex_t everybody = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t book = PTHREAD_RWLOCK_INITIALIZER;
static sem_t tokens;
static int zero;

/* Their turn is given back at the end, so that nobody sleeps for ever. */
static void take_turn(struct pair *p, unsigned me)
{
	pthread_mutex_lock(&p->mutex);
	while (p->turn % 2 != me && !over) {
		pthread_cond_wait(&p->cond, &p->mutex);
	}
	p->turn++;
	pthread_cond_signal(&p->cond);
	pthread_mutex_unlock(&p->mutex);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	char byte;

	while (!over) {
		take_turn(w->pair, w->me);
		for (int i = 0; i < 8; i++) {
			pthread_mutex_lock(&everybody);
			pthread_mutex_unlock(&everybody);
			sem_post(&tokens);
			sem_wait(&tokens);
			pthread_rwlock_rdlock(&book);
			pthread_rwlock_unlock(&book);
			if (read(zero, &byte, 1) != 1) {
				abort();
			}
		}
	}
	take_turn(w->pair, w->me);
	return NULL;
}

static void *nothing(void *arg)
{
	return arg;
}

static void *churn(void *arg)
{
	while (!over) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, nothing, NULL) != 0) {
			abort();
		}
		pthread_join(thread, NULL);
	}
	return arg;
}

int main(int argc, char **argv)
{
	double seconds = argc == 3 ? atof(argv[1]) : 0;
	unsigned n = argc == 3 ? (unsigned)atoi(argv[2]) / 2 * 2 : 0;
	struct worker *workers = calloc(n, sizeof(*workers));
	struct pair *pairs = calloc(n, sizeof(*pairs));
	pthread_t churner;

	if (n == 0 || !(seconds > 0) || !workers || !pairs) {
		fprintf(stderr, "usage: load SECONDS THREADS (at least 2)\n");
		return 2;
	}
	zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	sem_init(&tokens, 0, 0);
	for (unsigned i = 0; i < n; i++) {
		if (i % 2 == 0) {
			pthread_mutex_init(&pairs[i / 2].mutex, NULL);
			pthread_cond_init(&pairs[i / 2].cond, NULL);
		}
		workers[i] = (struct worker){.pair = &pairs[i / 2], .me = i % 2};
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
	pthread_create(&churner, NULL, churn, NULL);
	nanosleep(&(struct timespec){(time_t)seconds, (long)((seconds - (int)seconds) * 1e9)},
		  NULL);
	over = true;
	pthread_join(churner, NULL);
	for (unsigned i = 0; i < n; i++) {
		pthread_join(workers[i].thread, NULL);
	}
	return 0;
}
