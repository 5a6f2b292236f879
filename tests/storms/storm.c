/*
 * Storms of threads and processes, with everything that they do counted by themselves.
 *
 *	storm churn N	N threads that live for a moment, made by four others: joined, detached, and
 *			cancelled, with locks between them
 *	storm alive N	N threads that are alive at once, and wait for the last one
 *	storm rounds N	N children by fork, vfork, posix_spawn, system and popen, of four threads
 *			that hold a lock meanwhile, while others fight for it; some children exec,
 *			some make threads, some are killed
 *
 * Says what was done; the pids of those who were killed go to the file "killed", the number of
 * children that had threads to the file "threaded". Knows nothing of gtrace.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OK(call) is((call), #call, __LINE__)

enum { MAKERS = 4, BATCH = 8, SMALL_STACK = 64 << 10 };

extern char **environ;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_attr_t small;
static int count;      /* under lock */
static int detached;   /* under lock: still alive */
static pid_t *leaving; /* under lock: who was detached, and is on its way out */
static int left_by;    /* under lock: so many */
static bool over;      /* under lock */
static int killed;

static void is(int err, const char *what, int line)
{
	if (err) {
		dprintf(2, "storm.c:%d: %s: %s\n", line, what, strerror(err));
		_exit(99);
	}
}

static void add(int *to, int n)
{
	OK(pthread_mutex_lock(&lock));
	*to += n;
	OK(pthread_cond_broadcast(&changed));
	OK(pthread_mutex_unlock(&lock));
}

static void make(pthread_t *thread, void *(*run)(void *), void *arg)
{
	int err;

	/* The machine may have no room for a moment, as threads that were joined still go. */
	while ((err = pthread_create(thread, &small, run, arg)) == EAGAIN) {
		usleep(1000);
	}
	OK(err);
}

static int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d)) {
		n++;
	}
	closedir(d);
	return n - 3; /* ".", "..", and the folder itself */
}

/* --- threads ---------------------------------------------------------------------------------- */

static void *short_life(void *arg)
{
	(void)arg;
	add(&count, 1);
	return NULL;
}

static void *detached_life(void *arg)
{
	(void)arg;
	OK(pthread_detach(pthread_self()));
	OK(pthread_mutex_lock(&lock));
	count++;
	detached--;
	leaving[left_by++] = gettid();
	OK(pthread_cond_broadcast(&changed));
	OK(pthread_mutex_unlock(&lock));
	return NULL;
}

static void unlock(void *arg)
{
	count++;
	OK(pthread_mutex_unlock(arg));
}

static void *until_cancelled(void *arg)
{
	static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

	(void)arg;
	OK(pthread_mutex_lock(&lock));
	pthread_cleanup_push(unlock, &lock);
	for (;;) {
		pthread_cond_wait(&never, &lock);
	}
	pthread_cleanup_pop(1);
	return NULL;
}

static void *churn(void *arg)
{
	pthread_t batch[BATCH];

	for (int left = *(int *)arg; left > 0; left -= BATCH) {
		int n = left < BATCH ? left : BATCH;

		for (int i = 0; i < n; i++) {
			if (i == 1) {
				add(&detached, 1);
			}
			make(&batch[i],
			     i == 0   ? until_cancelled
			     : i == 1 ? detached_life
				      : short_life,
			     NULL);
		}
		OK(pthread_cancel(batch[0]));
		for (int i = 0; i < n; i++) {
			if (i != 1) {
				OK(pthread_join(batch[i], NULL));
			}
		}
		/* A detached one is gone some time later: not too many of them at once. */
		OK(pthread_mutex_lock(&lock));
		while (detached > MAKERS) {
			OK(pthread_cond_wait(&changed, &lock));
		}
		OK(pthread_mutex_unlock(&lock));
	}
	return NULL;
}

/* Nobody joins them: until the kernel, too, knows them no more. */
static void await_gone(void)
{
	char path[64];

	for (int i = 0; i < left_by; i++) {
		snprintf(path, sizeof path, "/proc/self/task/%d", (int)leaving[i]);
		while (access(path, F_OK) == 0) {
			usleep(1000);
		}
	}
	free(leaving);
}

static void *wait_for_all(void *arg)
{
	OK(pthread_mutex_lock(&lock));
	if (++count == *(int *)arg) {
		over = true;
		OK(pthread_cond_broadcast(&changed));
	}
	while (!over) {
		OK(pthread_cond_wait(&changed, &lock));
	}
	OK(pthread_mutex_unlock(&lock));
	return NULL;
}

static void alive(int n)
{
	pthread_t *threads = calloc((size_t)n, sizeof *threads);

	for (int i = 0; i < n; i++) {
		make(&threads[i], wait_for_all, &n);
	}
	for (int i = 0; i < n; i++) {
		OK(pthread_join(threads[i], NULL));
	}
	free(threads);
}

/* --- processes -------------------------------------------------------------------------------- */

static int status_of(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			OK(errno);
		}
	}
	return status;
}

static void expect(int status, int want, const char *what)
{
	if (status != want) {
		dprintf(2, "storm: %s ends with %#x, not %#x\n", what, status, want);
		_exit(98);
	}
}

/* In a child of fork: it holds the lock that its parent's thread held, and may go on with it. */
static void *locks_once(void *arg)
{
	(void)arg;
	OK(pthread_mutex_lock(&lock));
	OK(pthread_mutex_unlock(&lock));
	return NULL;
}

static void child_with_threads(void)
{
	pthread_t thread;

	make(&thread, locks_once, NULL);
	usleep(200);
	OK(pthread_mutex_unlock(&lock));
	OK(pthread_join(thread, NULL));
	_exit(5);
}

static void one_round(int kind)
{
	static char *const exits[] = {"sh", "-c", "exit 3", NULL};
	pid_t pid = 0;
	FILE *f;

	switch (kind) {
	case 0:
		if ((pid = fork()) == 0) {
			_exit(2);
		}
		expect(status_of(pid), 2 << 8, "a child by fork");
		break;
	case 1:
		if ((pid = fork()) == 0) {
			execvp("sh", exits);
			_exit(97);
		}
		expect(status_of(pid), 3 << 8, "a child by fork and exec");
		break;
	case 2:
		if ((pid = vfork()) == 0) {
			execvp("sh", exits);
			_exit(97);
		}
		expect(status_of(pid), 3 << 8, "a child by vfork and exec");
		break;
	case 3:
		if ((pid = vfork()) == 0) {
			_exit(4);
		}
		expect(status_of(pid), 4 << 8, "a child by vfork");
		break;
	case 4:
		OK(posix_spawnp(&pid, "sh", NULL, NULL, exits, environ));
		expect(status_of(pid), 3 << 8, "a child by posix_spawn");
		break;
	case 5:
		if ((pid = fork()) == 0) {
			child_with_threads();
		}
		expect(status_of(pid), 5 << 8, "a child with threads");
		break;
	case 6:
		if ((pid = fork()) == 0) {
			for (;;) {
				pause();
			}
		}
		OK(kill(pid, SIGKILL));
		expect(status_of(pid), SIGKILL, "a child that is killed");
		f = fopen("killed", "ae");
		fprintf(f, "%d\n", (int)pid);
		fclose(f);
		killed++;
		break;
	case 7:
		expect(system("exit 6"), 6 << 8, "system");
		break;
	default:
		f = popen("echo through; exit 7", "r");
		while (fgetc(f) != EOF) {
		}
		expect(pclose(f), 7 << 8, "popen");
	}
}

enum { KINDS = 9 };

static int left;     /* rounds; under lock */
static int threaded; /* under lock */

static void *rounds(void *arg)
{
	(void)arg;
	OK(pthread_mutex_lock(&lock));
	while (left > 0) {
		int kind = --left % KINDS;

		threaded += kind == 5;
		count++;
		one_round(kind);
		OK(pthread_mutex_unlock(&lock));
		sched_yield();
		OK(pthread_mutex_lock(&lock));
	}
	OK(pthread_mutex_unlock(&lock));
	return NULL;
}

/* Without the lock: children come from several threads at the same time. */
static void *more_rounds(void *arg)
{
	for (int n = *(int *)arg; n > 0; n--) {
		one_round(n % 5);
		add(&count, 1);
	}
	return NULL;
}

static void *fight(void *arg)
{
	pthread_t thread;

	(void)arg;
	for (bool end = false; !end;) {
		OK(pthread_mutex_lock(&lock));
		end = over;
		OK(pthread_mutex_unlock(&lock));
		make(&thread, locks_once, NULL);
		OK(pthread_join(thread, NULL));
		usleep(500);
	}
	return NULL;
}

static void write_number(const char *name, int n)
{
	FILE *f = fopen(name, "we");

	fprintf(f, "%d\n", n);
	fclose(f);
}

static void storm_of_processes(int n)
{
	pthread_t threads[MAKERS + 2];
	pthread_t fighters[2];
	int each = n / 4 / 2;

	left = n - 2 * each;
	for (int i = 0; i < 2; i++) {
		make(&fighters[i], fight, NULL);
	}
	for (int i = 0; i < MAKERS + 2; i++) {
		make(&threads[i], i < MAKERS ? rounds : more_rounds, &each);
	}
	for (int i = 0; i < MAKERS + 2; i++) {
		OK(pthread_join(threads[i], NULL));
	}
	OK(pthread_mutex_lock(&lock));
	over = true;
	OK(pthread_mutex_unlock(&lock));
	for (int i = 0; i < 2; i++) {
		OK(pthread_join(fighters[i], NULL));
	}
	write_number("threaded", threaded);
}

int main(int argc, char **argv)
{
	pthread_t makers[MAKERS];
	int n = argc > 2 ? atoi(argv[2]) : 0;

	if (n < MAKERS) {
		fputs("usage: storm churn|alive|rounds N\n", stderr);
		return 99;
	}
	OK(pthread_attr_init(&small));
	OK(pthread_attr_setstacksize(&small, SMALL_STACK));
	if (strcmp(argv[1], "churn") == 0) {
		int each = n / MAKERS;

		leaving = calloc((size_t)n, sizeof *leaving);
		for (int i = 0; i < MAKERS; i++) {
			OK(pthread_create(&makers[i], NULL, churn, &each));
		}
		for (int i = 0; i < MAKERS; i++) {
			OK(pthread_join(makers[i], NULL));
		}
		OK(pthread_mutex_lock(&lock));
		while (detached) {
			OK(pthread_cond_wait(&changed, &lock));
		}
		OK(pthread_mutex_unlock(&lock));
		await_gone();
	} else if (strcmp(argv[1], "alive") == 0) {
		alive(n);
	} else {
		storm_of_processes(n);
	}
	printf("%s %d: %d done, %d killed, %d descriptors\n", argv[1], n, count, killed,
	       descriptors());
	return 27;
}
