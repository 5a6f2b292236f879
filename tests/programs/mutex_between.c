/*
 * Description: two processes with one thread each try a mutex that they share, and that nobody declared as shared.
 * Traces: 1+
 * Schedule: free
 * Expect: 0 create
 */
#include "scene.h"

#include <sys/mman.h>
#include <sys/wait.h>

enum { ROUNDS = 300000 };

struct shared {
	pthread_mutex_t mutex;
	long counter;
};

/* POSIX leaves it undefined; a try of glibc's has always been good for it. */
static void count(struct shared *s)
{
	for (int i = 0; i < ROUNDS; i++) {
		while (pthread_mutex_trylock(&s->mutex) != 0) {
		}
		s->counter++;
		OK(pthread_mutex_unlock(&s->mutex));
	}
}

int main(void)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid;

	s->mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	pid = fork();
	count(s);
	if (pid == 0) {
		_exit(0);
	}
	IS(waitpid(pid, &status, 0), pid);
	IS(status, 0);
	printf("%ld\n", s->counter);
	return s->counter == 2L * ROUNDS ? 0 : 1;
}
