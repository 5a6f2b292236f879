/*
 * Description: threads with the smallest stack there is, given by glibc and by the program, wait.
 * Schedule: free
 * Expect: 2 wait in=waiter reason=mutex by=contend
 * Expect: 2 wait in=waiter reason=cond by=contend
 */
#include "scene.h"

#include <limits.h>
#include <sys/mman.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int tid;
static int ready;

static void *waiter(void *arg)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	OK(pthread_mutex_lock(&guard));
	while (!ready) {
		OK(pthread_cond_wait(&cond, &guard));
	}
	OK(pthread_mutex_unlock(&guard));
	return arg;
}

static void contend(const pthread_attr_t *attr)
{
	pthread_t thread;

	atomic_store(&tid, 0);
	ready = 0;
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, attr, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	AWAIT_ASLEEP_ON(&tid, &cond);
	OK(pthread_mutex_lock(&guard));
	ready = 1;
	OK(pthread_cond_signal(&cond));
	OK(pthread_mutex_unlock(&guard));
	join_ended(thread);
}

int main(void)
{
	size_t size = (size_t)sysconf(_SC_THREAD_STACK_MIN);
	char *page = mmap(NULL, size + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attr;

	OK(pthread_attr_init(&attr));
	OK(pthread_attr_setstacksize(&attr, size));
	contend(&attr);

	/* With a page below it that must not be touched. */
	OK(mprotect(page + 4096, size, PROT_READ | PROT_WRITE));
	OK(pthread_attr_setstack(&attr, page + 4096, size));
	contend(&attr);
	OK(pthread_attr_destroy(&attr));
	puts("small");
	return 0;
}
