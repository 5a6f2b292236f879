/*
 * Hooks that are nothing but a traced call (core/call.h), in one line each.
 */
#pragma once

#include "hook.h"

/*
 * The body of a hook: type of its result, id, which call, its descriptor or the like, parameters,
 * arguments, and what the result r says in one number. One that passes straight goes on by a jump:
 * the return that it saves is one that a processor has often forgotten how to foretell by then.
 */
#define GT_PLAIN_AS(type, id, call, arg, parameters, arguments, result)                \
	type gt_hook_##id parameters                                                   \
	{                                                                              \
		struct gt_thread *t = gt_call_open(GT_CALL_##call, (arg), GT_FRAME()); \
		type r;                                                                \
                                                                                       \
		if (!t) {                                                              \
			return GT_REAL(id) arguments;                                  \
		}                                                                      \
		r = GT_REAL(id) arguments;                                             \
		gt_call_end(t, result);                                                \
		return r;                                                              \
	}

/* One that says -1 and errno. */
#define GT_PLAIN(type, id, call, arg, parameters, arguments) \
	GT_PLAIN_AS(type, id, call, arg, parameters, arguments, gt_result((int64_t)r))

/* One that returns the error's number. */
#define GT_PLAIN_CODE(id, call, arg, parameters, arguments) \
	GT_PLAIN_AS(int, id, call, arg, parameters, arguments, -(int64_t)r)

enum { GT_NO_ARG = -1 };

/* What may be negative without being wrong: AT_FDCWD, any child, a process group. */
GT_INLINE int64_t gt_arg(int64_t v)
{
	return v < 0 ? GT_NO_ARG : v;
}
