/*
 * Assertions.
 *
 * GT_INVARIANT(n, cond) asserts invariant n of docs/design.md, section "Invariants", by its name;
 * it is compiled in where GT_DEBUG is defined (meson -Dinvariants=true, the default of debug
 * builds) and costs nothing elsewhere. GT_ASSERT is the same for local facts.
 *
 * A failure writes one line to stderr with raw system calls and aborts: an assertion build is for
 * tests, never for a user's program.
 */
#pragma once

#include "base/util.h"

/*
 * The names of the invariants, one place. 1-7 are those of Go's tracer (src/runtime/trace.go,
 * "Tracer invariants"), 8-12 are gtrace's own.
 */
#define GT_INVARIANTS(X)                                                                         \
	X(1, "an M with a batch is in the registry")                                             \
	X(2, "a batch is changed by its M inside a section, or by the advancer after it")        \
	X(3, "advancing returns only when the generation is wholly flushed")                     \
	X(4, "a G or P event is emitted only by the thread that owns the transition")            \
	X(5, "a P is acquired outside a section")                                                \
	X(6, "a state change other than to running happens in the section that emits its event") \
	X(7, "a change to running is emitted after it has happened")                             \
	X(8, "no section is open across the real call")                                          \
	X(9, "every live G has a status in every generation")                                    \
	X(10, "if a reader must see A before B, A's generation is never later than B's")         \
	X(11, "a G new to the file appears by creation, by status only in the first generation") \
	X(12, "every stack ends at the start routine or main; the clock unit is whole "          \
	      "nanoseconds")

GT_COLD _Noreturn void gt_invariant_failed(int number, const char *what, const char *where);

#define GT_STR_(x) #x
#define GT_STR(x)  GT_STR_(x)
#define GT_HERE    __FILE__ ":" GT_STR(__LINE__)

#ifdef GT_DEBUG
#define GT_INVARIANT(n, cond)                                     \
	do {                                                      \
		if (gt_unlikely(!(cond))) {                       \
			gt_invariant_failed((n), #cond, GT_HERE); \
		}                                                 \
	} while (0)
#define GT_ASSERT(cond) GT_INVARIANT(0, cond)
#else
#define GT_INVARIANT(n, cond) ((void)sizeof((cond) ? 1 : 0))
#define GT_ASSERT(cond)       ((void)sizeof((cond) ? 1 : 0))
#endif
