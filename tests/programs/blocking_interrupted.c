/*
 * Description: a signal with a handler interrupts each call that blocks.
 * Events: net,sleep,io,file,proc,ipc
 * Expect: 1 call name=read as=network
 * Expect: 1 call name=write as=network
 * Expect: 1 call name=read as=syscall
 * Expect: 1 call name=accept as=network result=EINTR
 * Expect: 1 call name=poll as=select result=EINTR
 * Expect: 1 call name=nanosleep as=sleep result=EINTR
 * Expect: 1 call name=waitpid as=child result=EINTR
 * Expect: 1 call name=pause as=signal result=EINTR
 * Expect: 1 call name=msgrcv as=queue result=EINTR
 * Expect: 1 call name=flock as=lock result=EINTR
 * Expect: 1 call name=fcntl(SETLKW) as=lock result=EINTR
 */
#include "blocking.h"

static atomic_int tid;

static void handler(int number)
{
	(void)number;
}

static void *blocked(void *what)
{
	const struct blocking *b = what;
	long r;
	int err;

	tell_tid(&tid);
	errno = 0;
	r = b->call();
	err = errno;
	printf("%s = %ld (%s)\n", b->name, r, strerror(err));
	return NULL;
}

int main(void)
{
	pthread_t thread;

	sigemptyset(&other_signal);
	sigaddset(&other_signal, SIGUSR2);
	OK(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handler}, NULL));
	OK(sigprocmask(SIG_BLOCK, &other_signal, NULL));
	set_the_stage();
	polled = (struct pollfd){.fd = on.empty, .events = POLLIN};
	for (size_t i = 0; i < BLOCKINGS; i++) {
		if (!blocking[i].restarts) {
			atomic_store(&tid, 0);
			OK(pthread_create(&thread, NULL, blocked, (void *)&blocking[i]));
			await_at_least(&tid, 1);
			await_in(atomic_load(&tid), blocking[i].number);
			/* Timers have slack: of a sleep that has just begun all is left. */
			scene_pause(1000);
			interrupt_and_join(thread, atomic_load(&tid), SIGUSR1);
		}
	}
	clear_the_stage();
	return 0;
}
