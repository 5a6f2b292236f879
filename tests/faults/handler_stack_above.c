/*
 * Description: handlers on alternate stacks that lie above what they interrupt.
 *
 * In the threads' own stacks: by its address alone such a handler could be taken for code that has
 * left the interrupted hook by longjmp, but the hook goes on when the handler returns.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 2, STACK = 32768, SIGNALS = 60000, SECONDS = 5 };

static int zero;
static sem_t sem;
static atomic_bool stop;

static void handler(int number)
{
	const struct timespec past = {0};
	int saved = errno;
	char byte;

	(void)number;
	if (read(zero, &byte, 1) != 1) {
		_exit(2);
	}
	sem_timedwait(&sem, &past);
	errno = saved;
}

static void *work(void *unused)
{
	const struct timespec past = {0};
	char below[STACK];
	stack_t stack = {.ss_sp = below, .ss_size = sizeof(below)};
	char byte;

	sigaltstack(&stack, NULL);
	while (!stop) {
		if (read(zero, &byte, 1) != 1) {
			_exit(3);
		}
		sem_timedwait(&sem, &past);
	}
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	return unused;
}

int main(void)
{
	const struct sigaction action = {.sa_handler = handler,
					 .sa_flags = SA_ONSTACK | SA_RESTART};
	const struct timespec pause = {.tv_nsec = 20000};
	pthread_t threads[WORKERS];
	time_t end;

	zero = open("/dev/zero", O_RDONLY);
	sem_init(&sem, 0, 0);
	sigaction(SIGUSR1, &action, NULL);
	for (int i = 0; i < WORKERS; i++) {
		pthread_create(&threads[i], NULL, work, NULL);
	}
	/* On a busy machine each pause is long. */
	end = time(NULL) + SECONDS;
	for (int i = 0; i < SIGNALS && time(NULL) < end; i++) {
		pthread_kill(threads[i % WORKERS], SIGUSR1);
		if (i % 8 == 0) {
			nanosleep(&pause, NULL);
		}
	}
	stop = true;
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
	}
	printf("done\n");
	return 0;
}
