/*
 * Description: a handler of SIGABRT jumps out of abort; the program goes on, its trace has ended.
 */
#include "scene.h"

#include <setjmp.h>

static sigjmp_buf back;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int tid;

static void on_abort(int number)
{
	siglongjmp(back, number);
}

static void *waiter(void *arg)
{
	tell_tid(&tid);
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_mutex_unlock(&mutex));
	return arg;
}

int main(void)
{
	pthread_t thread;

	signal(SIGABRT, on_abort);
	if (sigsetjmp(back, 1) == 0) {
		abort();
	}
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, NULL));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	puts("not aborted");
	return 0;
}
