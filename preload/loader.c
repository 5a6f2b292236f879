/*
 * The dynamic loader: code that goes away.
 *
 * dlopen is not hooked: what it does depends on who calls it (RUNPATH, RTLD_NEXT, namespaces). New
 * code is found when it is first met (core/unwind.c) and named once a generation (core/symbol.c);
 * what is closed before that is noted here (core/closed.c).
 */
#include "hook.h"

#include "closed.h"
#include "stack.h"

int gt_hook_dlclose(void *handle)
{
	struct gt_thread *t = gt_self(GT_FRAME());
	struct gt_closing closing;
	int r;

	/* A handle is the loader's own description of the object (glibc's dlfcn/dlinfo.c). */
	if (t) {
		gt_closing_begin(&closing, handle);
	}
	r = GT_REAL(dlclose)(handle);
	gt_stack_forget();
	/* Once more: what the object did at its end may have ended the trace. */
	if (t && gt_self(GT_FRAME())) {
		gt_guard_up(GT_FRAME());
		gt_closing_end(&closing);
		gt_tls.busy--;
	}
	return r;
}

#define GT_EXPORT_loader(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
