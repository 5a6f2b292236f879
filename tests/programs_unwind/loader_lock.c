/*
 * Description: a library's constructor, run by dlopen under the loader's lock, waits for a mutex
 * whose holder is just being traced. A tracer that asks the loader for anything never comes back.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* Used by constructor.c. */
pthread_mutex_t of_program = PTHREAD_MUTEX_INITIALIZER;
atomic_int constructor_runs;

static pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
static atomic_int other_held;

static void *load(void *path)
{
	void *library = dlopen(path, RTLD_NOW);

	if (library == NULL) {
		fprintf(stderr, "dlopen: %s\n", dlerror());
	}
	return library;
}

static void *hold_other(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&other);
	atomic_store(&other_held, 1);
	usleep(100000);
	pthread_mutex_unlock(&other);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t loader;
	pthread_t holder;
	void *library;

	if (argc != 2) {
		fprintf(stderr, "usage: loader_lock LIBRARY\n");
		return 1;
	}
	alarm(240); /* the failure: a deadlock */
	pthread_mutex_lock(&of_program);
	pthread_create(&loader, NULL, load, argv[1]);
	pthread_create(&holder, NULL, hold_other, NULL);
	while (!atomic_load(&constructor_runs) || !atomic_load(&other_held)) {
		usleep(1000);
	}
	pthread_mutex_lock(&other); /* blocks: a stack is taken, under of_program */
	pthread_mutex_unlock(&other);
	pthread_mutex_unlock(&of_program);
	pthread_join(loader, &library);
	pthread_join(holder, NULL);
	return library == NULL;
}
