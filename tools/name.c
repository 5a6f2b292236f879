/*
 * Names for people.
 */
#include "name.h"

#include <string.h>

#include "sym_name.h"

/* Where a namespace without a name is says nothing to people. */
static void leave_out(char *name, const char *what)
{
	const size_t n = strlen(what);

	for (char *at = strstr(name, what); at != NULL; at = strstr(at, what)) {
		memmove(at, at + n, strlen(at + n) + 1);
	}
}

char *gt_name_plain(const char *name, size_t length)
{
	char *plain = gt_sym_demangle(name, length);

	if (plain != NULL) {
		leave_out(plain, "(anonymous namespace)::");
	}
	return plain;
}

bool gt_name_is_plumbing(const char *name)
{
	/* Beginnings. What C++ and Rust put around a thread, a lock, a closure. */
	static const char *const plumbing[] = {
		"std::",           "_ZNSt",
		"_ZNKSt",          "_ZSt",
		"__gthread_",      "_ZL20__gthread_",
		"_ZL22__gthread_", "__gnu_cxx::",
		"_ZN9__gnu_cxx",   "execute_native_thread_routine",
		"libstdc++.so",    "core::",
		"<core::",         "_ZN4core",
		"_ZN3std",         "alloc::",
		"<alloc::",        "_ZN5alloc",
		"_ZN58_$LT$alloc", "_ZN70_$LT$alloc",
		"__rust_",
	};

	for (size_t i = 0; i < GT_LEN(plumbing); i++) {
		if (strncmp(name, plumbing[i], strlen(plumbing[i])) == 0) {
			return true;
		}
	}
	return false;
}
