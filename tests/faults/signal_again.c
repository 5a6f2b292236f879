/*
 * Description: a handler puts the default back and raises its signal again: the trace is whole.
 * Exit: SIGTERM
 * Expect: 1 wait in=contended_lock by=filter_holder
 */
#include "filter.h"

static void on_signal(int number)
{
	signal(number, SIG_DFL);
	raise(number);
}

int main(void)
{
	sigset_t set;

	/* Not blocked in the handler: it ends there. */
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER};

	OK(sigaction(SIGTERM, &action, NULL));
	contended_once();
	sigemptyset(&set);
	OK(kill(getpid(), SIGCHLD));
	OK(kill(getpid(), SIGTERM));
	return 0;
}
