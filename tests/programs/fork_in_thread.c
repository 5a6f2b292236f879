/*
 * Description: threads fork while others fight for a mutex; each child locks its own and leaves.
 * Schedule: free
 * Traces: 1+
 * Expect: 3 create
 */
#include "scene.h"

#include <sys/wait.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int stop;

static void *fighter(void *arg)
{
	while (!atomic_load(&stop)) {
		OK(pthread_mutex_lock(&mutex));
		for (volatile int i = 0; i < 1000; i++) {
		}
		OK(pthread_mutex_unlock(&mutex));
	}
	return arg;
}

static void child(int number)
{
	pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;

	OK(pthread_mutex_lock(&own));
	OK(pthread_mutex_unlock(&own));
	_exit(number);
}

static void *forker(void *arg)
{
	for (int i = 0; i < 20; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			child(i);
		}
		IS(waitpid(pid, &status, 0) == pid, 1);
		IS(status, i << 8);
	}
	return arg;
}

int main(void)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++) {
		OK(pthread_create(&threads[i], NULL, i == 0 ? forker : fighter, NULL));
	}
	OK(pthread_join(threads[0], NULL));
	atomic_store(&stop, 1);
	OK(pthread_join(threads[1], NULL));
	OK(pthread_join(threads[2], NULL));
	puts("twenty children");
	return 0;
}
