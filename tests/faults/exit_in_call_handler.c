/*
 * Description: a handler on its own stack, in a call that blocks, waits and ends the process.
 * Exit: 6
 * Expect: 1 wait in=wait_once by=holder
 */
#include "once.h"

static int fds[2];
static atomic_int tid;
static char stack[1 << 16];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void on_signal(int number)
{
	OK(pthread_mutex_lock(&mutex));
	_exit(number == SIGUSR1 ? 6 : 7);
}

static void *reader(void *arg)
{
	stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};
	char byte;

	OK(sigaltstack(&own, NULL));
	tell_tid(&tid);
	IS((int)read(fds[0], &byte, 1), 1);
	return arg;
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_RESTART};
	pthread_t thread;

	OK(sigaction(SIGUSR1, &action, NULL));
	wait_once();
	OK(pipe(fds));
	OK(pthread_mutex_lock(&mutex));
	OK(pthread_create(&thread, NULL, reader, NULL));
	await_call(&tid, SYS_read);
	OK(pthread_kill(thread, SIGUSR1));
	await_asleep(&tid, &mutex, sizeof(mutex));
	OK(pthread_mutex_unlock(&mutex));
	for (;;) {
		scene_pause(1000000);
	}
}
