/*
 * Description: a failed assertion, with a handler that returns: the trace is whole.
 * Exit: SIGABRT
 * Expect: 1 wait in=wait_once by=holder
 */
#include "once.h"

#include <sys/resource.h>

#undef NDEBUG
#include <assert.h>

static void on_signal(int number)
{
	static const char said[] = "aborting\n";

	IS(number, SIGABRT);
	IS((int)write(1, said, sizeof(said) - 1), (int)sizeof(said) - 1);
}

int main(void)
{
	struct rlimit none = {0, 0};

	OK(setrlimit(RLIMIT_CORE, &none));
	signal(SIGABRT, on_signal);
	wait_once();
	assert(scene_stage == -1);
	return 0;
}
