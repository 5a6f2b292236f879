/*
 * Description: an exception that no frame of its thread catches ends the program.
 * Schedule: free
 * Expect: 1 create
 * Exit: SIGABRT
 */
#include <stdexcept>

#include <sys/resource.h>

#include "scene.h"

static void *thrower(void *)
{
	throw std::runtime_error("nobody catches this");
}

int main()
{
	pthread_t thread;
	struct rlimit none = {0, 0};

	OK(setrlimit(RLIMIT_CORE, &none));
	OK(pthread_create(&thread, nullptr, thrower, nullptr));
	OK(pthread_join(thread, nullptr));
	return 0;
}
