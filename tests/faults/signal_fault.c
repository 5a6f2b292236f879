/*
 * Description: a real fault; its handler puts the default back and returns, so it comes again.
 * Exit: SIGSEGV
 * Ends: unseen
 * Expect: 1 wait in=wait_once by=holder
 */
#include "once.h"

#include <sys/resource.h>

static volatile int *volatile nowhere = (int *)16;

static void on_signal(int number)
{
	signal(number, SIG_DFL);
}

int main(void)
{
	struct rlimit none = {0, 0};

	OK(setrlimit(RLIMIT_CORE, &none));
	OK(sigaction(SIGSEGV, &(struct sigaction){.sa_handler = on_signal}, NULL));
	wait_once();
	/* Some generations go by, where they are short. */
	scene_pause(50000);
	*nowhere = 1;
	return 0;
}
