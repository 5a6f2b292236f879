/*
 * Description: threads that hand memory to one another, wait in every common way, sleep, fork, read
 * clocks and files, for the libraries of others that stand before or behind the tracer.
 *
 * Free of races, leaks and errors, so that what a checker reports is not its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, ITEMS = 400, SLOTS = 8 };

#define CHECK(condition) check((condition), #condition, __LINE__)

static void check(int good, const char *what, int line)
{
	if (!good) {
		fprintf(stderr, "line %d: not so: %s (errno %d)\n", line, what, errno);
		exit(98);
	}
}

/* A queue of blocks; who takes one frees it. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER;
static pthread_cond_t emptied = PTHREAD_COND_INITIALIZER;
static char *slots[SLOTS];
static int used;
static int produced;

static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static unsigned long sum;
static sem_t done;
static pthread_key_t key;

static void *producer(void *arg)
{
	for (;;) {
		int number;
		char *block;

		CHECK(pthread_mutex_lock(&mutex) == 0);
		number = produced < ITEMS ? produced++ : -1;
		CHECK(pthread_mutex_unlock(&mutex) == 0);
		if (number < 0) {
			return arg;
		}
		block = malloc((size_t)(32 + number * 37 % 5000));
		CHECK(block != NULL);
		sprintf(block, "%d", number);
		CHECK(pthread_mutex_lock(&mutex) == 0);
		while (used == SLOTS) {
			CHECK(pthread_cond_wait(&emptied, &mutex) == 0);
		}
		slots[used++] = block;
		CHECK(pthread_cond_signal(&filled) == 0);
		CHECK(pthread_mutex_unlock(&mutex) == 0);
	}
}

static void *consumer(void *arg)
{
	int taken = *(int *)arg;
	void *old = NULL;

	CHECK(pthread_setspecific(key, calloc(1, 64)) == 0);
	while (taken-- > 0) {
		char *block;

		CHECK(pthread_mutex_lock(&mutex) == 0);
		while (used == 0) {
			CHECK(pthread_cond_wait(&filled, &mutex) == 0);
		}
		block = slots[--used];
		CHECK(pthread_cond_signal(&emptied) == 0);
		CHECK(pthread_mutex_unlock(&mutex) == 0);
		CHECK(pthread_rwlock_wrlock(&rwlock) == 0);
		sum += strtoul(block, NULL, 10);
		CHECK(pthread_rwlock_unlock(&rwlock) == 0);
		CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
		CHECK(sum < (unsigned long)ITEMS * ITEMS);
		CHECK(pthread_rwlock_unlock(&rwlock) == 0);
		free(old);
		old = realloc(block, 6000);
	}
	free(old);
	CHECK(sem_post(&done) == 0);
	return NULL;
}

static void threads(void)
{
	pthread_t producers[THREADS];
	pthread_t consumers[THREADS];
	int share = ITEMS / THREADS;

	CHECK(pthread_key_create(&key, free) == 0);
	CHECK(sem_init(&done, 0, 0) == 0);
	for (int i = 0; i < THREADS; i++) {
		CHECK(pthread_create(&consumers[i], NULL, consumer, &share) == 0);
		CHECK(pthread_create(&producers[i], NULL, producer, NULL) == 0);
	}
	for (int i = 0; i < THREADS; i++) {
		CHECK(sem_wait(&done) == 0);
	}
	for (int i = 0; i < THREADS; i++) {
		CHECK(pthread_join(consumers[i], NULL) == 0);
		CHECK(pthread_join(producers[i], NULL) == 0);
	}
	CHECK(sem_destroy(&done) == 0);
	CHECK(pthread_key_delete(key) == 0);
}

static void timeout(void)
{
	struct timespec until;

	CHECK(clock_gettime(CLOCK_REALTIME, &until) == 0);
	until.tv_nsec += 5000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	CHECK(pthread_mutex_lock(&mutex) == 0);
	CHECK(pthread_cond_timedwait(&filled, &mutex, &until) == ETIMEDOUT);
	CHECK(pthread_mutex_unlock(&mutex) == 0);
	CHECK(usleep(1000) == 0);
}

static void child(void)
{
	int status = 0;
	int pair[2];
	char c = 0;
	pid_t pid;

	CHECK(pipe(pair) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		char *block = malloc(100000);

		memset(block, 'x', 100000);
		_exit(write(pair[1], block, 1) == 1 ? 6 : 7);
	}
	CHECK(read(pair[0], &c, 1) == 1 && c == 'x');
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 6);
	CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
}

static void file(void)
{
	struct stat st;
	int fd = open("crowd.file", O_CREAT | O_RDWR, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, "text", 4) == 4);
	CHECK(fchown(fd, 4711, 4712) == 0);
	CHECK(fstat(fd, &st) == 0);
	CHECK(close(fd) == 0 && unlink("crowd.file") == 0);
	printf("%u %u %ld\n", st.st_uid, st.st_gid, (long)st.st_size);
}

int main(int argc, char **argv)
{
	threads();
	timeout();
	child();
	if (argc > 1 && strcmp(argv[1], "chown") == 0) {
		file();
	}
	if (argc > 1 && strcmp(argv[1], "date") == 0) {
		time_t now = time(NULL);
		struct tm tm;

		printf("%d\n", 1900 + gmtime_r(&now, &tm)->tm_year);
	}
	printf("%lu\n", sum);
	return 21;
}
