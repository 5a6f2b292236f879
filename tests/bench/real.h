/*
 * The headers of the calls in calls.def, and the way to the functions behind them.
 */
#pragma once

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Declares `real` as the function that the program would have called; found at the first call and
 * not in a constructor, because other libraries' constructors may be first.
 */
#define REAL(call)                                         \
	static __typeof__(&call) real;                     \
	if (__builtin_expect(!real, 0)) {                  \
		*(void **)&real = dlsym(RTLD_NEXT, #call); \
	}
