/*
 * Description: a handler of SIGABRT jumps out of abort; the program goes on, its trace has ended.
 */
#include "waiter.h"

#include <setjmp.h>

static sigjmp_buf back;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void on_abort(int number)
{
	siglongjmp(back, number);
}

int main(void)
{
	pthread_t thread;

	signal(SIGABRT, on_abort);
	if (sigsetjmp(back, 1) == 0) {
		abort();
	}
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, waiter, &mutex));
	AWAIT_ASLEEP_ON(&tid, &mutex);
	OK(pthread_mutex_unlock(&mutex));
	join_ended(thread);
	puts("not aborted");
	return 0;
}
