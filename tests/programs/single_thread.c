/*
 * Description: a program without threads stays one, to glibc and to the kernel.
 * Expect: 0 create
 */
#include "scene.h"

#include <sched.h>
#include <sys/single_threaded.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

int main(void)
{
	struct timespec t = deadline_in(CLOCK_REALTIME, 20);

	OK(pthread_mutex_lock(&mutex));
	IS(pthread_cond_timedwait(&cond, &mutex, &t), ETIMEDOUT);
	OK(pthread_cond_signal(&cond));
	OK(pthread_mutex_unlock(&mutex));
	IS(__libc_single_threaded, 1);
	/* Refused by the kernel to a process with a second thread, whoever made it. */
	OK(unshare(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD));
	puts("alone");
	return 0;
}
