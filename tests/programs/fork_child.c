/*
 * Description: the child of a process with many threads locks, makes a thread, and exits.
 * Traces: 2
 * Exit: 9
 */
#include "scene.h"

#include <sys/wait.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;
static atomic_int tid_parent;

static void *waiter(void *arg)
{
	tell_tid(arg);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

static int contend(atomic_int *id)
{
	pthread_t thread;

	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, id));
	AWAIT_ASLEEP_ON(id, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	return 9;
}

static void *idle(void *arg)
{
	await(1);
	return arg;
}

int main(void)
{
	pthread_t thread;
	int status;

	OK(pthread_create(&thread, NULL, idle, NULL));
	pid_t pid = fork();
	if (pid == 0) {
		return contend(&tid);
	}
	IS(waitpid(pid, &status, 0) == pid, 1);
	reach(1);
	join_ended(thread);
	contend(&tid_parent);
	printf("child: %d\n", WEXITSTATUS(status));
	return WEXITSTATUS(status);
}
