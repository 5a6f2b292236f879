/*
 * Description: a mutex shared with a child process, which unlocks it: a waker that is not visible.
 * Traces: 1+
 */
#include "scene.h"

#include <sys/mman.h>
#include <sys/wait.h>

struct shared {
	pthread_mutex_t mutex;
	atomic_int held;
	atomic_int waiting;
};

static struct shared *shared;
static atomic_int tid;

static void *waiter(void *arg)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&shared->mutex));
	OK(pthread_mutex_unlock(&shared->mutex));
	return arg;
}

static void child(void)
{
	OK(pthread_mutex_lock(&shared->mutex));
	atomic_store(&shared->held, 1);
	await_at_least(&shared->waiting, 1);
	OK(pthread_mutex_unlock(&shared->mutex));
	_exit(0);
}

int main(void)
{
	pthread_mutexattr_t attr;
	pthread_t thread;
	int status;

	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	IS(shared == MAP_FAILED, 0);
	OK(pthread_mutexattr_init(&attr));
	OK(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	OK(pthread_mutex_init(&shared->mutex, &attr));
	pid_t pid = fork();
	if (pid == 0) {
		child();
	}
	await_at_least(&shared->held, 1);
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &shared->mutex);
	atomic_store(&shared->waiting, 1);
	join_ended(thread);
	IS(waitpid(pid, &status, 0) == pid, 1);
	IS(status, 0);
	puts("across processes");
	return 0;
}
