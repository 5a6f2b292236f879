/*
 * Description: runs until it is killed: locks, conditions, calls, threads that come and go. For
 * kill9, which gives it a file: there each of the threads that stay counts the calls that it has
 * made, in memory that outlives it.
 */
#include "scene.h"

#include <sys/mman.h>

enum { FIGHTERS = 3, CONSUMERS = 2 };

/* One for each thread that stays, in the order of their coming. */
struct tally {
	uint64_t tid;
	uint64_t writes;
};

static struct tally nowhere[FIGHTERS + CONSUMERS];
static struct tally *tallies = nowhere;
static atomic_int comers;
static int null;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t queue_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static int queue;

static struct tally *own_tally(void)
{
	struct tally *mine = &tallies[atomic_fetch_add(&comers, 1)];

	mine->tid = (uint64_t)raw_syscall(SYS_gettid, 0, 0, 0, 0);
	return mine;
}

/* Counted at once: a kill can come between the two, so the trace may know of one more. */
static void counted_write(struct tally *mine)
{
	IS((int)write(null, "", 1), 1);
	atomic_signal_fence(memory_order_seq_cst);
	mine->writes++;
	atomic_signal_fence(memory_order_seq_cst);
}

static void *fighter(void *arg)
{
	struct tally *mine = own_tally();

	for (;;) {
		counted_write(mine);
		OK(pthread_mutex_lock(&mutex));
		for (volatile int i = 0; i < 2000; i++) {
		}
		OK(pthread_mutex_unlock(&mutex));
	}
	return arg;
}

static void *consumer(void *arg)
{
	struct tally *mine = own_tally();

	for (;;) {
		counted_write(mine);
		OK(pthread_mutex_lock(&queue_mutex));
		while (queue == 0) {
			OK(pthread_cond_wait(&not_empty, &queue_mutex));
		}
		queue--;
		OK(pthread_mutex_unlock(&queue_mutex));
	}
	return arg;
}

static void *brief(void *arg)
{
	OK(pthread_mutex_lock(&queue_mutex));
	queue += 2;
	OK(pthread_cond_broadcast(&not_empty));
	OK(pthread_mutex_unlock(&queue_mutex));
	return arg;
}

static void map_tallies(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	OK(ftruncate(fd, sizeof(nowhere)));
	tallies = mmap(NULL, sizeof(nowhere), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	OK(tallies == MAP_FAILED);
	OK(close(fd));
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc > 1) {
		map_tallies(argv[1]);
	}
	null = open("/dev/null", O_WRONLY);
	for (int i = 0; i < FIGHTERS; i++) {
		OK(pthread_create(&thread, NULL, fighter, NULL));
	}
	for (int i = 0; i < CONSUMERS; i++) {
		OK(pthread_create(&thread, NULL, consumer, NULL));
	}
	for (;;) {
		OK(pthread_create(&thread, NULL, brief, NULL));
		OK(pthread_join(thread, NULL));
	}
}
