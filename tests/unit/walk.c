/*
 * The walk of one event, followed: the five functions that HACKING.md names are called in that
 * order, and the event is in the file at the end.
 *
 * Linked with -Wl,--wrap for each of the five, so that every call between files is seen.
 *
 *	walk HACKING.md
 */
#include <pthread.h>
#include <sys/uio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "advance.h"
#include "emit.h"
#include "wait.h"
#include "writer.h"

#include "base/sys.h"

#define STEPS(X)                                            \
	X(0, "preload/mutex.c", gt_hook_pthread_mutex_lock) \
	X(1, "core/wait.c", gt_wait_begin)                  \
	X(2, "core/emit.c", gt_buf_refill)                  \
	X(3, "core/writer.c", gt_writer_put_buf)            \
	X(4, "core/base/sys.c", gt_sys_writev_all)

static const char *const names[] = {
#define X(i, file, name) [i] = #name,
	STEPS(X)
#undef X
};
static const char *const files[] = {
#define X(i, file, name) [i] = file,
	STEPS(X)
#undef X
};
enum { N = 5 };

/* How far the walk has come: the number of steps seen in order by the thread that waits. */
static _Atomic int reached;

static void step(int i)
{
	int expected = i;

	atomic_compare_exchange_strong(&reached, &expected, i + 1);
}

int __real_gt_hook_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_gt_hook_pthread_mutex_lock(pthread_mutex_t *m);
uint32_t __real_gt_wait_begin(struct gt_thread *t, const struct gt_wait_for *what);
uint32_t __wrap_gt_wait_begin(struct gt_thread *t, const struct gt_wait_for *what);
void __real_gt_buf_refill(struct gt_w *w);
void __wrap_gt_buf_refill(struct gt_w *w);
void __real_gt_writer_put_buf(struct gt_buf *b);
void __wrap_gt_writer_put_buf(struct gt_buf *b);
int __real_gt_sys_writev_all(int fd, struct iovec *v, int n);
int __wrap_gt_sys_writev_all(int fd, struct iovec *v, int n);

int gt_hook_pthread_mutex_lock(pthread_mutex_t *m);

int __wrap_gt_hook_pthread_mutex_lock(pthread_mutex_t *m)
{
	step(0);
	return __real_gt_hook_pthread_mutex_lock(m);
}

uint32_t __wrap_gt_wait_begin(struct gt_thread *t, const struct gt_wait_for *what)
{
	step(1);
	return __real_gt_wait_begin(t, what);
}

void __wrap_gt_buf_refill(struct gt_w *w)
{
	step(2);
	__real_gt_buf_refill(w);
}

void __wrap_gt_writer_put_buf(struct gt_buf *b)
{
	step(3);
	__real_gt_writer_put_buf(b);
}

int __wrap_gt_sys_writev_all(int fd, struct iovec *v, int n)
{
	step(4);
	return __real_gt_sys_writev_all(fd, v, n);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Until a generation that begins after this call has ended. */
static void await_generation(void)
{
	uint64_t begun = gt_load_relaxed(&gt_trace->head.gen);

	while (gt_load_relaxed(&gt_trace->head.gen) < begun + 2) {
		usleep(1000);
	}
}

/* Sets the mutex free when the main thread is seen to have blocked. */
static void *holder(void *locked)
{
	pthread_mutex_lock(&mutex);
	pthread_barrier_wait(locked);
	while (reached < 2) {
		usleep(1000);
	}
	await_generation();
	pthread_mutex_unlock(&mutex);
	return NULL;
}

/* The five lines of HACKING.md: "N. `file`: `function`". */
static int check_document(const char *path)
{
	char line[1024];
	FILE *f = fopen(path, "r");
	int i = 0;

	if (!f) {
		perror(path);
		return 1;
	}
	while (i < N && fgets(line, sizeof(line), f)) {
		char start[256];

		snprintf(start, sizeof(start), "%d. `%s`: `%s`:", i + 1, files[i], names[i]);
		i += strncmp(line, start, strlen(start)) == 0;
	}
	fclose(f);
	if (i < N) {
		fprintf(stderr, "%s does not name step %d as %s in %s\n", path, i + 1, names[i],
			files[i]);
	}
	return i < N;
}

/* Whether the file has a GoBlock for a mutex: type, time, reason 1. */
static int check_file(const char *path)
{
	static uint8_t bytes[1 << 16];
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(bytes, 1, sizeof(bytes), f) : 0;

	if (f) {
		fclose(f);
	}
	for (size_t i = 0; i + 4 < n; i++) {
		uint64_t dt;
		int taken;

		if (bytes[i] != GT_EV_GO_BLOCK) {
			continue;
		}
		taken = gt_varint_get(bytes + i + 1, bytes + n, &dt);
		if (taken > 0 && bytes[i + 1 + (size_t)taken] == GT_REASON_MUTEX) {
			return 0;
		}
	}
	fprintf(stderr, "%s: no GoBlock of a mutex in %zu bytes\n", path, n);
	return 1;
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/gtrace-walk-XXXXXX";
	char path[64];
	const char *bad;
	const char *unknown;
	struct gt_env env;
	pthread_barrier_t locked;
	pthread_t thread;
	int failed;

	if (argc != 2 || !mkdtemp(folder)) {
		fprintf(stderr, "usage: walk HACKING.md\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/walk.trace", folder);
	/* Short generations: the block is then the first event of its own, and needs a buffer. */
	gt_env_read(&env, (char *[]){"GTRACE_PERIOD=5ms", NULL}, &bad, &unknown);
	if (gt_trace_start(&env, path, (uintptr_t)main, false) != 0) {
		return 1;
	}
	pthread_barrier_init(&locked, NULL, 2);
	pthread_create(&thread, NULL, holder, &locked);
	pthread_barrier_wait(&locked);
	await_generation();
	gt_hook_pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	pthread_join(thread, NULL);
	gt_trace_stop();

	failed = check_document(argv[1]) | check_file(path);
	if (reached != N) {
		fprintf(stderr, "the walk ended before %s\n", names[reached]);
		failed = 1;
	}
	unlink(path);
	rmdir(folder);
	return failed;
}
