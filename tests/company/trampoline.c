/*
 * A library that wraps start routines, as profilers and checkers do, and waits in its wrapper:
 * before the program's routine begins, and after it has ended.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void *start_routine(void *);
typedef int create(pthread_t *, const pthread_attr_t *, start_routine *, void *);

struct wrapped {
	start_routine *start;
	void *arg;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void wait_a_little(void)
{
	pthread_mutex_lock(&mutex);
	usleep(2000);
	pthread_mutex_unlock(&mutex);
}

static void *wrapper(void *p)
{
	struct wrapped w = *(struct wrapped *)p;
	void *r;

	free(p);
	wait_a_little();
	r = w.start(w.arg);
	wait_a_little();
	return r;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, start_routine *start, void *arg)
{
	void *symbol = dlsym(RTLD_NEXT, "pthread_create");
	struct wrapped *w = malloc(sizeof *w);
	create *real;

	memcpy(&real, &symbol, sizeof real);
	w->start = start;
	w->arg = arg;
	return real(thread, attr, wrapper, w);
}
