/*
 * Description: pthread_kill of a thread that has ended: none to old programs, all well to new ones.
 */
#include "scene.h"

__asm__(".symver old_kill, pthread_kill@GLIBC_2.2.5");
int old_kill(pthread_t, int);

static atomic_int tid;

static void *brief(void *arg)
{
	tell_tid(&tid);
	return arg;
}

int main(void)
{
	pthread_t thread;

	OK(pthread_create(&thread, NULL, brief, NULL));
	await_at_least(&tid, 1);
	while (raw_syscall(SYS_tgkill, getpid(), atomic_load(&tid), 0, 0) == 0) {
		scene_pause(200);
	}
	IS(old_kill(thread, SIGUSR1), ESRCH);
	OK(pthread_kill(thread, SIGUSR1));
	OK(pthread_join(thread, NULL));
	puts("ended");
	return 0;
}
