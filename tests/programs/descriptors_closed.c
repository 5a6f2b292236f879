/*
 * Description: a daemon's beginning: all descriptors closed, another directory, no descriptor left.
 * Exit: 14
 */
#include "waiter.h"

#include <sys/resource.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int main(void)
{
	pthread_t thread;
	struct rlimit few = {.rlim_cur = 8, .rlim_max = 8};

	puts("closing");
	fflush(stdout);
	for (int fd = 3; fd < 1024; fd++) {
		close(fd);
	}
	OK(chdir("/"));
	/* The lowest free number is the program's: nobody else may sit on it. */
	IS(open("/dev/null", O_RDONLY), 3);
	OK(setrlimit(RLIMIT_NOFILE, &few));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, &mutex));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	IS(open("/dev/null", O_RDONLY), 4);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	IS(open("/dev/null", O_RDONLY), 5);
	return 14;
}
