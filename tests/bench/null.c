/*
 * The null preload: forwards each call and does nothing. What it costs is the price of
 * interposition, which no tracer by LD_PRELOAD can go below.
 */
#include "real.h"

#define PASS(type, call, params, args) \
	type call params               \
	{                              \
		REAL(call)             \
		return real args;      \
	}
#define WAIT(type, call, params, args)                PASS(type, call, params, args)
#define WAKE(type, call, params, args)                PASS(type, call, params, args)
#define TRY(type, call, try_call, busy, params, args) PASS(type, call, params, args)

/* clang-format off */
PASS(int, pthread_create,
     (pthread_t *t, const pthread_attr_t *a, void *(*start)(void *), void *arg), (t, a, start, arg))
/* clang-format on */
#include "calls.def"
