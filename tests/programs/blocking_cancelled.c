/*
 * Description: a thread is cancelled in each call that blocks and is a cancellation point; those
 *              that are none go on until a signal interrupts them.
 * Events: net,sleep,io,file,proc,ipc
 */
#include "blocking.h"

static atomic_int tid;

static void handler(int number)
{
	(void)number;
}

static void cleanup(void *what)
{
	const struct blocking *b = what;

	printf("%s: cancelled\n", b->name);
}

static void *blocked(void *what)
{
	const struct blocking *b = what;
	int old;

	pthread_cleanup_push(cleanup, what);
	tell_tid(&tid);
	b->call();
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	printf("%s: %s\n", b->name, strerror(errno));
	pthread_cleanup_pop(0);
	return NULL;
}

int main(void)
{
	pthread_t thread;
	void *result;

	sigemptyset(&other_signal);
	sigaddset(&other_signal, SIGUSR2);
	OK(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handler}, NULL));
	OK(sigprocmask(SIG_BLOCK, &other_signal, NULL));
	set_the_stage();
	polled = (struct pollfd){.fd = on.empty, .events = POLLIN};
	for (size_t i = 0; i < BLOCKINGS; i++) {
		atomic_store(&tid, 0);
		OK(pthread_create(&thread, NULL, blocked, (void *)&blocking[i]));
		await_at_least(&tid, 1);
		await_in(atomic_load(&tid), blocking[i].number);
		OK(pthread_cancel(thread));
		if (blocking[i].point) {
			while (pthread_tryjoin_np(thread, &result) == EBUSY) {
				scene_pause(500);
			}
		} else {
			scene_pause(20000);
			result = interrupt_and_join(thread, atomic_load(&tid), SIGUSR1);
		}
		printf("%s: %s\n", blocking[i].name,
		       result == PTHREAD_CANCELED ? "joined, cancelled" : "joined");
	}
	clear_the_stage();
	return 0;
}
