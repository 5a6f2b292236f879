/*
 * The dynamic loader: code that goes away.
 *
 * dlopen is not hooked: what it does depends on who calls it (RUNPATH, RTLD_NEXT, namespaces). New
 * code is found when it is first met (core/unwind.c) and named once a generation (core/symbol.c).
 */
#include "hook.h"
#include "stack.h"

int gt_hook_dlclose(void *handle)
{
	int r = GT_REAL(dlclose)(handle);

	gt_stack_forget();
	return r;
}

#define GT_EXPORT_loader(...) GT_EXPORT_NODE(__VA_ARGS__)
#include "export.h"
