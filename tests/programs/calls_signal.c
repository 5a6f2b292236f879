/*
 * Description: each way to wait for a signal: one that is there already, and one that never comes.
 * Events: proc
 */
#include "says.h"

int __sigpause(int signal_or_mask, int is_signal);
int bsd_sigpause(int mask) __asm__("sigpause"); /* the headers give its name to another */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static void handler(int number)
{
	(void)number;
}

/* SIGUSR1 is blocked, and on its way. */
static void send(void)
{
	OK(pthread_kill(pthread_self(), SIGUSR1));
}

/* Again and again: the first may come before the wait for it has begun. */
static void set_alarm(void)
{
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	struct itimerspec when = {.it_value = {.tv_nsec = 20000000},
				  .it_interval = {.tv_nsec = 20000000}};

	OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
	OK(timer_settime(timer, 0, &when, NULL));
}

int main(void)
{
	struct timespec soon = {.tv_nsec = 2000000};
	sigset_t blocked;
	sigset_t none;
	siginfo_t info;
	int number;

	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	OK(sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handler}, NULL));
	OK(sigaction(SIGUSR2, &(struct sigaction){.sa_handler = handler}, NULL));
	OK(sigprocmask(SIG_BLOCK, &blocked, NULL));
	send();
	SAY(sigwait(&blocked, &number));
	SAY(sigwait(BAD, &number));
	send();
	SAY(sigwaitinfo(&blocked, &info));
	SAY(sigwaitinfo(BAD, &info));
	send();
	SAY(sigtimedwait(&blocked, &info, &soon));
	SAY(sigtimedwait(&blocked, &info, &soon));
	send();
	SAY(sigsuspend(&none));
	SAY(sigsuspend(BAD));
	send();
	SAY(sigpause(SIGUSR1));
	send();
	SAY(__sigpause(SIGUSR1, 1));
	send();
	SAY(bsd_sigpause(0));
	set_alarm();
	SAY(pause());
	return 0;
}
