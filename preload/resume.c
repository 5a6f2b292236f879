/*
 * The two functions of libgcc that a cleanup in C needs, found when one is needed.
 *
 * A hook that is a cancellation point closes its wait in a cleanup (cond.c). The compiler then
 * refers to __gcc_personality_v0 and _Unwind_Resume of libgcc_s, and the library would need it: a
 * C program would get an unwinder that it did not ask for. So both are defined here, hidden, and
 * forward to the real ones. They run only while somebody unwinds, so an unwinder is loaded then;
 * it is looked up by the name under which glibc itself loads it for cancellation.
 */
#include <dlfcn.h>
#include <stdint.h>

#include "base/sys.h"
#include "base/util.h"

/* As in libgcc's unwind.h; the structs stay opaque here. */
typedef int personality_fn(int version, int actions, uint64_t class, void *exception,
			   void *context);
typedef void resume_fn(void *exception);

personality_fn __gcc_personality_v0;
resume_fn _Unwind_Resume;

/* The address of a function of libgcc_s; without it, there is no way on from a cleanup. */
static GT_COLD uintptr_t find(const char *name)
{
	static const char library[] = "libgcc_s.so.1";
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
	void *p;

	if (!handle) {
		/* The program has its own copy linked in and no shared one yet. */
		handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	}
	p = handle ? dlsym(handle, name) : NULL;
	if (!p) {
		gt_sys_abort();
	}
	return (uintptr_t)p;
}

int __gcc_personality_v0(int version, int actions, uint64_t class, void *exception, void *context)
{
	personality_fn *real = (personality_fn *)find("__gcc_personality_v0");

	return real(version, actions, class, exception, context);
}

void _Unwind_Resume(void *exception)
{
	resume_fn *real = (resume_fn *)find("_Unwind_Resume");

	real(exception);
	gt_sys_abort();
}
