/*
 * Description: a load that gives a large trace, for scripts/bench-reader: threads that meet all the
 * time, for a given number of seconds.
 *
 *	reader_load SECONDS
 *
 * Four pairs hand a turn to and fro by condition variables, eight threads fight for one mutex, two
 * write to a pipe and read from it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PAIRS = 4, LOCKERS = 8, READERS = 2 };

static atomic_bool stop;
static pthread_mutex_t fought_for = PTHREAD_MUTEX_INITIALIZER;
static struct pair {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int turn;
} pairs[PAIRS];

struct player {
	struct pair *pair;
	int side;
};

static void *play(void *arg)
{
	const struct player *player = arg;
	struct pair *pair = player->pair;

	while (!stop) {
		pthread_mutex_lock(&pair->lock);
		while (pair->turn != player->side && !stop) {
			pthread_cond_wait(&pair->changed, &pair->lock);
		}
		pair->turn = !player->side;
		pthread_cond_signal(&pair->changed);
		pthread_mutex_unlock(&pair->lock);
	}
	return NULL;
}

static void spin(void)
{
	for (volatile int i = 0; i < 300; i++) {
	}
}

static void *fight(void *arg)
{
	while (!stop) {
		pthread_mutex_lock(&fought_for);
		spin();
		pthread_mutex_unlock(&fought_for);
		spin();
	}
	return arg;
}

static void *pass_bytes(void *arg)
{
	char bytes[8] = {0};
	int ends[2];

	if (pipe(ends) != 0) {
		return NULL;
	}
	while (!stop && write(ends[1], bytes, sizeof(bytes)) == sizeof(bytes) &&
	       read(ends[0], bytes, sizeof(bytes)) == sizeof(bytes)) {
	}
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t threads[2 * PAIRS + LOCKERS + READERS];
	struct player players[2 * PAIRS];
	int n = 0;

	if (argc != 2 || atof(argv[1]) <= 0) {
		fputs("usage: reader_load SECONDS\n", stderr);
		return 2;
	}
	for (int i = 0; i < PAIRS; i++) {
		pthread_mutex_init(&pairs[i].lock, NULL);
		pthread_cond_init(&pairs[i].changed, NULL);
	}
	for (int i = 0; i < 2 * PAIRS; i++) {
		players[i] = (struct player){&pairs[i / 2], i % 2};
		pthread_create(&threads[n++], NULL, play, &players[i]);
	}
	for (int i = 0; i < LOCKERS; i++) {
		pthread_create(&threads[n++], NULL, fight, NULL);
	}
	for (int i = 0; i < READERS; i++) {
		pthread_create(&threads[n++], NULL, pass_bytes, NULL);
	}
	usleep((useconds_t)(atof(argv[1]) * 1e6));
	stop = true;
	for (int i = 0; i < PAIRS; i++) {
		pthread_mutex_lock(&pairs[i].lock);
		pthread_cond_broadcast(&pairs[i].changed);
		pthread_mutex_unlock(&pairs[i].lock);
	}
	for (int i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
	}
	return 0;
}
