/*
 * Description: a mutex that was free looks as glibc leaves it, before there are threads, beside them, in a child.
 * Traces: 1
 * Schedule: free
 * Expect: 3 create of=hammer
 * Expect: 1 about what=12 value=1
 */
#include "scene.h"

#include <sys/wait.h>

/*
 * Where the program is built without PIE, it has a copy of this variable, and libc's own is stale.
 * (Of glibc 2.32; what is older has none.)
 */
#if __GLIBC_PREREQ(2, 32)
#include <sys/single_threaded.h>
#else
static const char __libc_single_threaded;
#endif

enum { ROUNDS = 200000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t hammered = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void fields(int lock, int owner, int nusers)
{
	IS(mutex.__data.__lock, lock);
	IS(mutex.__data.__owner, owner);
	IS((int)mutex.__data.__nusers, nusers);
	IS(mutex.__data.__kind, 0);
	IS((int)mutex.__data.__count, 0);
}

static void look(void)
{
	int tid = (int)raw_syscall(SYS_gettid, 0, 0, 0, 0);

	OK(pthread_mutex_lock(&mutex));
	fields(1, tid, 1);
	IS(pthread_mutex_trylock(&mutex), EBUSY);
	OK(pthread_mutex_unlock(&mutex));
	fields(0, 0, 0);
	OK(pthread_mutex_trylock(&mutex));
	fields(1, tid, 1);
	OK(pthread_mutex_unlock(&mutex));
	fields(0, 0, 0);
}

static void *hammer(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		OK(pthread_mutex_lock(&hammered));
		counter++;
		OK(pthread_mutex_unlock(&hammered));
	}
	return arg;
}

static void *looker(void *arg)
{
	look();
	return arg;
}

static void *child_of(void *arg)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		look();
		_exit(0);
	}
	IS(waitpid(pid, &status, 0), pid);
	IS(status, 0);
	return arg;
}

static void run(void *(*routine)(void *))
{
	pthread_t thread;

	OK(pthread_create(&thread, NULL, routine, NULL));
	OK(pthread_join(thread, NULL));
}

int main(void)
{
	pthread_t thread[3];

	printf("%s\n", __libc_single_threaded ? "alone" : "not known to be alone");
	look();
	run(looker);
	for (int i = 0; i < 3; i++) {
		OK(pthread_create(&thread[i], NULL, hammer, NULL));
	}
	for (int i = 0; i < 3; i++) {
		OK(pthread_join(thread[i], NULL));
	}
	look();
	run(child_of);
	printf("%ld\n", counter);
	return counter == 3L * ROUNDS ? 0 : 1;
}
